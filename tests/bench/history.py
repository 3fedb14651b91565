"""The HA event history with a million events: pages and export."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile

PART = "history"
EVENTS = 1_000_000
GROUPS = 1000
AIM = 0.1


def measure() -> Iterator[Figure]:
    """Yield the figures of each database."""
    yield from on_each("tests.bench.history")


def _fill() -> None:
    from django.db import connection

    from redundancy.clock import lab_datetime
    from redundancy.models import EventKind, HaEvent, Server
    from tests.bench.population import add_pairs

    groups = add_pairs(GROUPS)
    nodes = {server.group_id: server for server in Server.objects.all()}
    began = lab_datetime(1_800_000_000.0)
    kinds = [EventKind.STATE] * 7 + [EventKind.LAB, EventKind.MOVE, EventKind.ADMIN]

    def made(number: int) -> HaEvent:
        group = groups[number % GROUPS]
        node = nodes[group.pk]
        # One in a hundred thousand has the rare text.
        rare = " Somebody tripped over a cable." if number % 100_000 == 7 else ""
        return HaEvent(
            at=began + timedelta(seconds=number),
            kind=kinds[number // GROUPS % len(kinds)],
            group=group,
            node=node,
            group_name=group.name,
            node_name=node.name,
            sentence=f"No heartbeat from its peer for 60 s; it takes the users of the peer.{rare}",
            old_state="Normal",
            new_state="Taking Over",
            new_reason="Peer Down",
        )

    for start in range(0, EVENTS, 10_000):
        HaEvent.objects.bulk_create(made(number) for number in range(start, start + 10_000))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE redundancy_haevent")


def _timed(what: Callable[[], object], times: int = 15) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        taken.append(time.perf_counter() - began)
    return percentile(taken, 95)


def _figures(database: str) -> Iterator[Figure]:
    from redundancy.clock import lab_datetime
    from redundancy.history.reads import events as history
    from redundancy.history.reads.events import Place, Wanted

    middle = lab_datetime(1_800_000_000.0 + EVENTS / 2)
    name = f"Group-{GROUPS // 2:05}"
    pages: dict[str, Callable[[], object]] = {
        "newest": lambda: history.events_page(Wanted()),
        "half a million back": lambda: history.events_page(Wanted(), before=Place(middle, EVENTS)),
        "of one group": lambda: history.events_page(Wanted(group=name)),
        "of one kind, from a moment back": lambda: history.events_page(
            Wanted(kind="move", until=middle)
        ),
        "of one node and kind": lambda: history.events_page(
            Wanted(node=f"imp-{GROUPS // 2:05}b", kind="admin")
        ),
        "with a rare text": lambda: history.events_page(Wanted(text="tripped")),
    }
    for what, run in pages.items():
        took = _timed(run)
        yield Figure(
            PART,
            f"{database}: page of {EVENTS:,} events, {what}, p95",
            f"{took * 1000:.1f} ms",
            f"below {AIM * 1000:.0f} ms",
            took < AIM,
        )
    began = time.perf_counter()
    count = sum(1 for _ in islice(history.everything(Wanted()), 200_000))
    rate = count / (time.perf_counter() - began)
    yield Figure(PART, f"{database}: export, events read a second", f"{rate:,.0f}")


def main() -> None:
    """Measure in this process, and tell the one that started it."""
    set_up()
    _fill()
    tell(_figures(sys.argv[1]))


if __name__ == "__main__":
    main()
