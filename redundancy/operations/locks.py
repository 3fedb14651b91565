"""Keep operations from running into each other, alike on SQLite and PostgreSQL.

Everybody takes rows in this order, so that nobody waits in a circle:

1. the administration (``one_administrator``), and the user or planned restart that is changed;
2. groups: who changes who serves whom, or whether High Availability is on, holds the group;
3. servers;
4. memories of SRM (``NodeRuntime``, also by ``NodeRuntime.poke``);
5. incidents; who holds the memories of a group may take its incident later, as nobody else can;
6. machines, then what has no lock of its own: services, messages, users, sessions;
7. the one row of what SRMs noticed (``SrmNews``), last in a transaction: all sweeps want it.

Within a table: by key.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import Model, QuerySet

from redundancy.errors import Refused

# Any number will do, as long as no other software of the same database uses it.
_ADMINISTRATION = 0x5CB_C1A5
_Row = TypeVar("_Row", bound=Model)


def hold(rows: QuerySet[_Row], *, wait: bool = True) -> QuerySet[_Row]:
    """Return ``rows`` so that who reads them holds them until the transaction ends.

    ``wait``: for whoever holds them now; else those rows are left out.
    """
    held = rows.select_for_update(of=("self",), no_key=True, skip_locked=not wait)
    return held.order_by("pk")


def hold_one(rows: QuerySet[_Row], gone: str) -> _Row:
    """Return the one of ``rows``, held, as it is now: Refused with ``gone`` when there is none."""
    row = hold(rows).first()
    if row is None:
        raise Refused(gone)
    return row


def one_administrator() -> None:
    """Let other administrators' changes wait until this transaction ends.

    Rules that span rows (one publisher, a timeout of two intervals) hold only when nobody changes
    another row meanwhile. SQLite has one writer anyway; on PostgreSQL a lock of the transaction
    does the same. SRM's own writes do not take it: they meet operations at the row of the group.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMINISTRATION])


@contextmanager
def unique(constraint: str, refused: Refused) -> Iterator[None]:
    """Turn a violation of the unique ``constraint`` into ``refused``, undoing the block."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if constraint in str(error):
            raise refused from None
        raise
