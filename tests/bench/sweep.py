"""How long one sweep takes, and how often it talks to the database and to Valkey.

The real tables and a real Valkey, one process; lab time is given, so that each sweep is one second
after the last. HA of the pairs was enabled over fifteen seconds, as heartbeats of pairs that do not
know each other are spread.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile

PART = "sweep"
SIZES = (10, 100, 1000, 5000)
SECONDS = 30
INTERVAL = 15
AIM_MS = 250


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.sweep")


class Lab:
    """Sweeps by hand: the lab time, and what a sweep costs."""

    def __init__(self) -> None:
        from django.db import connection
        from redis.connection import AbstractConnection

        from redundancy import clock
        from redundancy.operations.moves import MoveRequest

        self.now = 1_800_000_000.0
        self.wanted: list[MoveRequest] = []
        self.queries = self.trips = 0
        self._connection = connection
        clock.look = lambda: (lambda: self.now, 1.0)
        send = AbstractConnection.send_packed_command

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.trips += 1
            return send(*args, **kwargs)

        AbstractConnection.send_packed_command = counted  # type: ignore[method-assign]

    def sweep(self, number: int = 0, of: int = 1) -> tuple[float, int, int, int]:
        """Sweep a shard one second later; return milliseconds, steps, queries and round trips to Valkey."""
        from redundancy.live.sweep import sweep
        from redundancy.shards import Shard

        self.now += 1
        self.queries = self.trips = 0
        with self._connection.execute_wrapper(self._count):
            began = time.perf_counter()
            steps = sweep(self.wanted.extend, shard=Shard(number, of))
            took = (time.perf_counter() - began) * 1000
        return took, steps, self.queries, self.trips

    def move(self) -> None:
        """Carry out the session moves that were asked for."""
        from redundancy.operations.moves import move_sessions

        while self.wanted:
            move_sessions(self.wanted.pop())

    def _count(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.queries += 1
        return execute(sql, params, many, context)


@contextmanager
def valkey() -> Iterator[None]:
    """Run a Valkey for this process."""
    from django.conf import settings

    from cucm_admin import env
    from cucm_admin.stack import valkey as embedded
    from redundancy import bus

    if os.environ.get("REDIS_URL"):
        yield
        return
    address, folder = env.valkey_socket(settings.VAR_DIR), Path(settings.VAR_DIR) / "valkey"
    embedded.make_room(address, folder)
    server = subprocess.Popen(embedded.command(address, folder), stdout=subprocess.DEVNULL)
    try:
        while not embedded.answers(address):
            time.sleep(0.01)
        yield
        bus.client().close()
    finally:
        server.kill()
        server.wait()


def enable(lab: Lab, count: int, *, at_once: bool = False) -> None:
    """Add ``count`` pairs and switch HA on, a share of them each second or ``at_once``, until all are Normal."""
    from redundancy.models import NodeRuntime, RedundancyGroup
    from redundancy.srm.states import State
    from tests.bench.population import add_pairs

    groups = [group.pk for group in add_pairs(count)]
    for second in range(INTERVAL):
        some = groups[second::INTERVAL] if not at_once else groups[: None if second == 0 else 0]
        RedundancyGroup.objects.filter(pk__in=some).update(ha_enabled=True, ha_generation=1)
        lab.sweep()
    for _ in range(INTERVAL):
        lab.sweep()
        lab.move()
    left = NodeRuntime.objects.filter(server__group__in=groups).exclude(state=State.NORMAL).count()
    assert left == 0, f"{left} nodes are not Normal"


def change(share: float) -> None:
    """Ask ``share`` of the healthy pairs for a manual failover."""
    from redundancy.models import MessageKind, NodeRuntime, SrmMessage
    from redundancy.srm.states import State

    healthy = NodeRuntime.objects.filter(state=State.NORMAL, server__slot=1)
    count = max(1, round(NodeRuntime.objects.count() / 2 * share))
    SrmMessage.objects.bulk_create(
        SrmMessage(node_id=pk, kind=MessageKind.FAILOVER)
        for pk in healthy.values_list("pk", flat=True)[:count]
    )


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database, for one size after the other."""
    lab = Lab()
    there = 0
    for size in SIZES:
        enable(lab, size - there)
        there = size
        for changing in (False, True):
            seen = []
            for _ in range(SECONDS):
                if changing:
                    change(0.01)
                seen.append(lab.sweep())
                lab.move()
            took, steps, queries, trips = ([row[i] for row in seen] for i in range(4))
            held = None
            if size == 1000 and not changing:
                held = percentile(took, 50) <= AIM_MS
            what = "1 % changing each second" if changing else "quiet"
            yield Figure(
                PART,
                f"{database}, {size:,} pairs, {what}",
                f"p50 {percentile(took, 50):.0f} ms, max {max(took):.0f} ms; {percentile(steps, 50):.0f} steps; "
                f"{percentile(queries, 50)} statements (max {max(queries)}), "
                f"{percentile(trips, 50)} Valkey (max {max(trips)})",
                "" if held is None else f"≤ {AIM_MS} ms",
                held,
            )


def main() -> None:
    """Measure in this process."""
    set_up()
    with valkey():
        tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
