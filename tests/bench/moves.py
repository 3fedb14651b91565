"""Failovers of many sessions against a bare UPDATE of the same rows, and the group page of a full system."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile
from tests.bench.sweep import Lab, enable, valkey

if TYPE_CHECKING:
    from redundancy.models import RedundancyGroup, Server

PART = "moves"
SIZES = (15_000, 75_000)
ROUNDS = 5
RATIO = 1.3
SECONDS = 1.0
GROUPS = 1000
REQUESTS = 60
PAGE_MS = 60
# Of the polled region of a group that has everybody.
REGION_MS = 30


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.moves")


def fill(nodes: "list[Server]", users: int) -> None:
    """Assign ``users`` users to the nodes in turn, all of them logged in at home."""
    from redundancy.clock import lab_now
    from redundancy.models import PresenceSession, PresenceUser
    from redundancy.operations.sessions import session_at_login

    now, first = lab_now(), PresenceUser.objects.count()
    made = PresenceUser.objects.bulk_create(
        PresenceUser(
            userid=f"user{number:06}",
            im_address=f"user{number:06}@example.com",
            home=nodes[number % len(nodes)],
        )
        for number in range(first, first + users)
    )
    PresenceSession.objects.bulk_create(
        session_at_login(user, user.home_id, now) for user in made if user.home_id
    )


def tidy() -> None:
    """Throw away what the last round left behind, as the database does by itself in the field."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE redundancy_presencesession")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def seconds(what: Callable[[], object]) -> float:
    """Return how long it takes, in seconds."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def failovers(group: "RedundancyGroup", database: str, lab: Lab) -> Iterator[Figure]:
    """Yield what moves of all sessions of the group cost."""
    from django.db import connection

    from redundancy.models import PresenceSession
    from redundancy.operations.measured import keep_complete
    from redundancy.operations.moves import MoveRequest, move_sessions
    from redundancy.srm.types import MoveKind

    first, second = group.servers.order_by("slot")
    number = PresenceSession.objects.filter(node=first).count()

    def move(node: "Server", kind: MoveKind) -> float:
        group.refresh_from_db()
        request = MoveRequest(node.pk, kind, group.epoch, group.ha_generation)
        return seconds(lambda: move_sessions(request))

    def bare(goal: "Server", start: "Server") -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE redundancy_presencesession SET node_id = %s WHERE node_id = %s",
                [goal.pk, start.pk],
            )

    def everybody_logs_in() -> None:
        lab.now += 1000
        # As the task of each minute does.
        keep_complete(lab.now)

    taken: dict[str, list[float]] = {"failover": [], "fallback": [], "bare": []}
    for _ in range(ROUNDS):
        tidy()
        taken["failover"].append(move(second, MoveKind.TAKE_OVER))
        everybody_logs_in()
        tidy()
        taken["fallback"].append(move(first, MoveKind.HOME))
        everybody_logs_in()
        tidy()
        taken["bare"].append(seconds(lambda: bare(second, first)))
        bare(first, second)
    assert PresenceSession.objects.filter(node=first).count() == number
    plain = statistics.median(taken["bare"])
    for what in ("failover", "fallback"):
        took = statistics.median(taken[what])
        aims = f"ratio ≤ {RATIO}" + (f", ≤ {SECONDS:g} s" if number == SIZES[0] else "")
        held = took / plain <= RATIO and (number != SIZES[0] or took <= SECONDS)
        yield Figure(
            PART,
            f"{database}: {what} of {number:,} sessions",
            f"{took:.3f} s; bare UPDATE {plain:.3f} s; ratio {took / plain:.2f}",
            aims,
            held,
        )


def pages(
    groups: "list[RedundancyGroup]", what: str, database: str, region_ms: int = PAGE_MS
) -> Iterator[Figure]:
    """Yield what the page of a group costs, whole and polled; ``region_ms``: the aim of the latter."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    queries: list[int] = []

    def count(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        queries[-1] += 1
        return execute(sql, params, many, context)

    for kind, query, aim in (
        ("whole page", "", PAGE_MS),
        ("polled region", "?fragment=1&v=old", region_ms),
    ):
        taken = []
        queries.clear()
        for number in range(REQUESTS):
            address = reverse("group_edit", args=[groups[number % len(groups)].pk]) + query
            queries.append(0)
            with connection.execute_wrapper(count):
                began = time.perf_counter()
                answer = client.get(address)
                taken.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200
        slow = percentile(taken, 95)
        yield Figure(
            PART,
            f"{database}: group, {kind}, {what}",
            f"p50 {percentile(taken, 50):.0f} ms, p95 {slow:.0f} ms; "
            f"{min(queries)} to {max(queries)} statements",
            f"p95 ≤ {aim} ms",
            slow <= aim,
        )


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database."""
    from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup, Server

    lab = Lab()
    enable(lab, 1)
    alone = RedundancyGroup.objects.get()
    (first, _) = alone.servers.order_by("slot")
    for size in SIZES:
        fill([first], size - PresenceUser.objects.count())
        yield from failovers(alone, database, lab)
    yield from pages([alone], "all 75,000 users in one group", database, REGION_MS)
    PresenceSession.objects.all().delete()
    PresenceUser.objects.all().delete()
    enable(lab, GROUPS - 1)
    fill(list(Server.objects.filter(server_type="imp")), SIZES[-1])
    tidy()
    groups = list(RedundancyGroup.objects.order_by("pk"))
    yield from pages(groups, f"75,000 users in {GROUPS:,} groups", database)


def main() -> None:
    """Measure in this process."""
    from django.core.management import call_command

    set_up()
    call_command("collectstatic", interactive=False, verbosity=0)
    with valkey():
        tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
