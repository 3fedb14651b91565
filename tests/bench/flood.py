"""A site goes dark: many pairs lose a node at the same moment, and all of its users must be taken over.

The real tables and a real Valkey, one process that does the work of both workers one after the other;
lab time is given. All pairs beat in the same second, so that all of them are declared by one sweep. A
whole failover is declared, moved and heard of: the survivor runs in backup mode.
"""

import sys
import time
from collections.abc import Iterator

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure
from tests.bench.moves import fill, tidy
from tests.bench.sweep import INTERVAL, Lab, enable, valkey

PART = "flood"
SIZES = (1000, 5000)
USERS = 10
AIM = {"SQLite": 1200, "PostgreSQL": 800}
# Lab seconds after which every silent peer is declared.
LONGEST = 120


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.flood")


def go_dark(slot: int) -> int:
    """Take the power from all nodes of this slot; return how many they are."""
    from redundancy.clock import lab_now
    from redundancy.models import Machine

    now = lab_now()
    return Machine.objects.filter(server__slot=slot).update(
        powered=False, srm_running=False, logins_stopped_at=now, clients_lost_at=now
    )


def play(lab: Lab, pairs: int) -> tuple[float, float, float]:
    """Let the flood come; return the seconds until all was declared, moved, and heard of."""
    from redundancy import tasks
    from redundancy.live.sweep import sweep
    from redundancy.models import NodeRuntime, RedundancyGroup
    from redundancy.srm.states import State

    def states(state: State) -> int:
        return NodeRuntime.objects.filter(server__slot=2, state=state).count()

    asked: list[tuple[object, ...]] = []
    vars(tasks.move_sessions)["delay"] = lambda *told: asked.append(told)
    vars(tasks.sweep)["delay"] = lambda **_: None
    go_dark(1)
    for _ in range(LONGEST):
        lab.now += 1
        tidy()
        began = time.perf_counter()
        sweep(tasks.ask_for_moves)
        declared = time.perf_counter() - began
        if asked:
            break
    assert states(State.TAKING_OVER) == pairs, f"{states(State.TAKING_OVER)} were declared"
    began = time.perf_counter()
    while asked:
        asked.pop()
        tasks.move_sessions()
    moved = time.perf_counter() - began
    assert RedundancyGroup.objects.filter(holder__slot=2).count() == pairs
    began = time.perf_counter()
    sweep(tasks.ask_for_moves, asked=True)
    heard = time.perf_counter() - began
    assert states(State.BACKUP) == pairs, f"{states(State.BACKUP)} run in backup mode"
    return declared, moved, heard


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database."""
    from redundancy.models import (
        HaEvent,
        Incident,
        PresenceSession,
        PresenceUser,
        RedundancyGroup,
        Server,
    )

    for size in SIZES:
        lab = Lab()
        if RedundancyGroup.objects.exists():
            PresenceSession.objects.all().delete()
            PresenceUser.objects.all().delete()
            Incident.objects.all().delete()
            HaEvent.objects.all().delete()
            RedundancyGroup.objects.update(holder=None)
            Server.objects.all().delete()
            RedundancyGroup.objects.all().delete()
        enable(lab, size, at_once=True)
        fill(list(Server.objects.filter(server_type="imp").order_by("pk")), USERS * size)
        for _ in range(INTERVAL):
            lab.sweep()
        declared, moved, heard = play(lab, size)
        whole = size / (declared + moved + heard)
        aim = AIM[database]
        yield Figure(
            PART,
            f"{database}: {size:,} pairs lose a node at once",
            f"{whole:,.0f} whole failovers a second: declared in {declared:.2f} s "
            f"({size / declared:,.0f} a second), moved in {moved:.2f} s ({size / moved:,.0f}), "
            f"heard in {heard:.2f} s",
            f"≥ {aim:,} a second",
            whole >= aim,
        )


def main() -> None:
    """Measure in this process."""
    set_up()
    with valkey():
        tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
