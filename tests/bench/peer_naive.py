"""Silent nodes found by a timer for each: how Django and Celery are often used for such a thing.

Each heartbeat is a task. It notes when the node was heard, sends an ETA task that declares the node
silent TIMEOUT seconds later, and revokes the one before. It is meant to be fair, and to do its work well:

- the row names the alarm that counts, changed under its lock, and an alarm declares its node by one
  conditional UPDATE. So what a revocation reaches too late, or was lost, declares nobody;
- no results are kept; gossip, mingle and heartbeats of workers are off, as in the product;
- the pool is Celery's own default, a process for each processor, so that a slow heartbeat holds no
  alarm up;
- SQL is written by hand, which costs less than the ORM, and the workers load nothing but Django and
  Celery. The product's load the product.

It does less than the product: nobody plays the nodes, nothing decides by states, epochs or services,
no history is written, and the peer takes nobody over. A node that is declared is a row that says so.
"""

import time
import uuid

from celery import Celery, Task
from django.conf import settings
from django.db import connection, transaction

# Lab seconds, those of the product.
INTERVAL, TIMEOUT = 15, 60
QUEUE = "naive"

app = Celery("naive")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    task_default_queue=QUEUE,
    task_ignore_result=True,
)


def make_table(nodes: int) -> None:
    """Make the table with so many nodes, numbered from 0, of which nothing was heard yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE naive_node (id integer PRIMARY KEY, alarm varchar(36),"
            " heard_at double precision, declared_at double precision)"
        )
        cursor.executemany("INSERT INTO naive_node (id) VALUES (%s)", [(n,) for n in range(nodes)])


@app.task
def heard(node: int) -> None:
    """Note a heartbeat of the node, and put its alarm off."""
    alarm, now = str(uuid.uuid4()), time.time()
    # On SQLite the transaction itself holds everything.
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT alarm FROM naive_node WHERE id = %s{lock}", [node])
        (before,) = cursor.fetchone()
        cursor.execute(
            "UPDATE naive_node SET alarm = %s, heard_at = %s, declared_at = NULL WHERE id = %s",
            [alarm, now, node],
        )
    declare.apply_async((node,), task_id=alarm, countdown=TIMEOUT)
    if before:
        app.control.revoke(before)


@app.task(bind=True)
def declare(self: "Task[..., None]", node: int) -> None:
    """Declare the node silent, unless it was heard since this alarm was set."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE naive_node SET declared_at = %s WHERE id = %s AND alarm = %s",
            [time.time(), node, self.request.id],
        )


def declared() -> dict[int, float]:
    """Return when each node that is declared silent was heard last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, heard_at FROM naive_node WHERE declared_at IS NOT NULL")
        return dict(cursor.fetchall())


def heard_of() -> int:
    """Return of how many nodes something was heard."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(heard_at) FROM naive_node")
        return int(cursor.fetchone()[0])
