"""75,000 users on 1,000 groups: how long an import takes, and how fast their list is.

The import is done step by step in this process, as the worker does it. Pages are asked for through
the whole of Django, without a network. The list of the same table in the Django administration is
measured beside ours, in the same run.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile

PART = "users"
GROUPS = 1000
USERS = 75_000
REQUESTS = 40
AIM_MS = 60
# Seconds that an import may take.
AIMS = {"SQLite": 60, "PostgreSQL": 30}
PAGES = {
    "list": "",
    "list, last page": "page=1500",
    "User ID begins with": "field=userid&op=begins&text=person0123",
    "IM Address is exactly": "field=im_address&op=exactly&text=person01234@example.com",
    "Display Name contains": "field=name&op=contains&text=r 0123",
    "sorted by Assigned Node": "sort=home",
    "of one Assigned Node": "field=home&op=exactly&text=imp-00500b",
}


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.users")


def _figures(database: str) -> Iterator[Figure]:
    from django.db import connection

    from redundancy.models import PresenceUser
    from tests.bench.population import add_pairs

    add_pairs(GROUPS)
    yield from _import(database)
    assert PresenceUser.objects.count() == USERS
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    client = _client()
    for what, query in PAGES.items():
        yield from _page(database, client, what, f"/ccmadmin/presence-users/?{query}", aim=True)
    admin = "/admin/redundancy/presenceuser/"
    yield from _page(database, client, "Django administration, list", admin)
    yield from _page(database, client, "Django administration, last page", f"{admin}?p=1500")
    yield from _page(database, client, "Django administration, search", f"{admin}?q=person0123")


def _import(database: str) -> Iterator[Figure]:
    from redundancy.imports import writes as imports
    from redundancy.models import UserImport

    def chunks() -> Iterator[bytes]:
        for start in range(0, USERS, 1000):
            yield "".join(
                f"person{n:05},Person Number {n:05},person{n:05}@example.com,"
                f"{f'imp-{n % GROUPS + 1:05}a' if n % 2 else ''}\r\n"
                for n in range(start, start + 1000)
            ).encode()

    job = imports.begin_import(name="users.csv", chunks=chunks(), at_once=True, actor="bench")
    before, began = _memory(), time.perf_counter()
    step: int | None = job.step
    slowest = adding = 0.0
    while step is not None:
        state = UserImport.objects.values_list("state", flat=True).get(pk=job.pk)
        at = time.perf_counter()
        step = imports.work(job_id=job.pk, step=step)
        took = time.perf_counter() - at
        if state == "importing":
            adding, total = took, time.perf_counter() - began
        else:
            slowest = max(slowest, took)
    aim = AIMS[database]
    what = f"{database}: import of {USERS:,} users"
    yield Figure(PART, what, f"{total:.1f} s", f"at most {aim} s", total <= aim)
    yield Figure(PART, f"{what}, the one transaction that adds them", f"{adding:.2f} s")
    yield Figure(PART, f"{what}, longest of the other steps", f"{slowest:.2f} s")
    peak = f"{_memory()} MB (before the import {before} MB)"
    yield Figure(PART, f"{what}, memory of the process at its peak", peak)


def _memory() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _client() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    from cucm_admin.stack import statics

    statics.collect()
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.create_superuser("bench"))
    return client


def _page(
    database: str, client: Any, what: str, url: str, *, aim: bool = False
) -> Iterator[Figure]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200, url
    # The next request forgets them.
    count = len(queries)
    taken, worked = [], time.process_time()
    for _ in range(REQUESTS):
        began = time.perf_counter()
        client.get(url)
        taken.append((time.perf_counter() - began) * 1000)
    # What this process itself worked: it tells of a busy machine, where the others are longer.
    processor = (time.process_time() - worked) * 1000 / REQUESTS
    p50, p95 = percentile(taken, 50), percentile(taken, 95)
    yield Figure(
        PART,
        f"{database}: {what}",
        f"p50 {p50:.0f} ms, p95 {p95:.0f} ms (processor {processor:.0f} ms), {count} queries",
        f"p95 at most {AIM_MS} ms" if aim else "",
        p95 <= AIM_MS if aim else None,
    )


def main() -> None:
    """Measure in this process, and tell the one that started it."""
    set_up()
    tell(_figures(sys.argv[1]))


if __name__ == "__main__":
    main()
