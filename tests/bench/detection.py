"""How long after its limit a fault is declared, on the real path at lab rate 1.

Celery's beat and workers, Valkey and the database run as in the product. A peer's silence is over
its limit so many seconds after the survivor last heard it; a critical service so many seconds after
it stopped. A fault is declared when its change of state can be read in the events table, at which
this process looks every 20 ms. The times are those of the faults' own pair: one waits while others
are found.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.databases import on_each, tell
from tests.bench.figures import Figure, percentile
from tests.live.lab import running

if TYPE_CHECKING:
    from redundancy.models import RedundancyGroup

PART = "detection"
# Pairs, and how many of them break for each cause: of one shard, and of two with a worker for each. Those
# are measured on PostgreSQL, after the others.
SIZES = ((1, 1), (100, 50), (1000, 100))
SHARDED = ((int(os.environ.get("BENCH_PAIRS", "5000")), 100),)
# One pair breaks again and again; its limits are the shortest there are, the waiting is not measured.
ROUNDS = 6
SHORT = {"heartbeat_interval": "5", "heartbeat_timeout": "15", "critical_service_delay": "15"}
SILENCE, SERVICE = "peer silence", "critical service"
# Wall seconds over which the faults are spread, and after which a fault is given up.
SPREAD, PATIENCE = 30.0, 60.0
LOOK = 0.02
# A heartbeat that is under way when the SRM stops has arrived by then.
ARRIVED = 4.0
AIM_P50, AIM_P99 = 0.15, 0.4


@dataclass(slots=True)
class Broken:
    """A fault: the node that will declare it, when it may (lab seconds), and when it did."""

    cause: str
    node: int
    began: float
    limit: float | None = None
    at: float | None = None
    seen: float | None = None


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.detection")


def figures(database: str, sizes: Sequence[tuple[int, int]], shards: int) -> Iterator[Figure]:
    """Yield the figures of this process's database, for one number of pairs after the other."""
    from redundancy.models import RedundancyGroup
    from redundancy.parameters.writes import parameters
    from tests.bench.population import add_pairs

    for size, sample in sizes:
        switch_on(add_pairs(size - RedundancyGroup.objects.count()))
        groups = list(RedundancyGroup.objects.order_by("pk"))
        found: list[Broken] = []
        if size == 1:
            for key, value in SHORT.items():
                parameters.set_parameter(key=key, value=value, actor="")
            for cause in (SILENCE, SERVICE) * ROUNDS:
                found += watch([(cause, groups[0])], spread=1.0)
                repair(groups)
            parameters.reset_parameters(keys=SHORT, actor="")
        else:
            some = random.sample(groups, 2 * sample)
            causes = (SILENCE, SERVICE) * sample
            found = watch(list(zip(causes, some, strict=True)), SPREAD)
        for cause in (SILENCE, SERVICE):
            yield told(database, size, shards, cause, [b for b in found if b.cause == cause])
        if size > 1:
            repair(some)


def told(database: str, size: int, shards: int, cause: str, found: Sequence[Broken]) -> Figure:
    """Return what was found of one cause among so many pairs."""
    pairs = "1 pair" if size == 1 else f"{size:,} pairs"
    if shards > 1:
        pairs += f" in {shards} shards"
    what = f"{database}, {pairs}, {cause}: declared − limit"
    late = [b.seen - b.limit for b in found if b.seen is not None and b.limit is not None]
    if not late:
        return Figure(PART, what, "nothing was declared", held=False)
    earliest = min(b.at - b.limit for b in found if b.at is not None and b.limit is not None)
    median, worst = percentile(late, 50), percentile(late, 99)
    return Figure(
        PART,
        what,
        f"p50 {median:.2f} s, p99 {worst:.2f} s, max {max(late):.2f} s;"
        f" earliest {earliest:.2f} s; {len(late)} of {len(found)} faults",
        f"p50 ≤ {AIM_P50:g} s, p99 ≤ {AIM_P99:g} s, never early",
        median <= AIM_P50 and worst <= AIM_P99 and earliest >= 0 and len(late) == len(found),
    )


def watch(what: Sequence[tuple[str, "RedundancyGroup"]], spread: float) -> list[Broken]:
    """Break one thing in each group at random times within ``spread``; return all when declared."""
    from redundancy import clock
    from redundancy.models import HaEvent

    now, last = clock.reader(), HaEvent.objects.order_by("pk").last()
    before = last.pk if last else 0
    plan = sorted((now() + random.random() * spread, n) for n in range(len(what)))
    made: list[Broken] = []
    deadline = plan[-1][0] + _limit(SERVICE) + _limit(SILENCE) + PATIENCE
    while len(made) < len(what) or any(b.seen is None for b in made):
        if plan and plan[0][0] <= now():
            cause, group = what[plan.pop(0)[1]]
            made.append(break_it(cause, group))
        learn_limits(made, now())
        note_declared(made, before, now)
        if now() > deadline:
            break
        time.sleep(LOOK)
    return made


def break_it(cause: str, group: "RedundancyGroup") -> Broken:
    """Stop the SRM of the second node, or a critical service of the first."""
    from redundancy import clock
    from redundancy.catalog import SRM, XCP_ROUTER
    from redundancy.operations import services

    first, second = group.servers.order_by("slot")
    if cause == SILENCE:
        services.stop_service(server=second, name=SRM, actor="")
        return Broken(cause, first.pk, clock.lab_now())
    services.stop_service(server=first, name=XCP_ROUTER, actor="")
    since = first.services.get(name=XCP_ROUTER).since.timestamp()
    return Broken(cause, first.pk, since, limit=since + _limit(SERVICE))


def learn_limits(made: Sequence[Broken], now: float) -> None:
    """Look up when the survivors last heard their peers, who have been silent for some seconds."""
    from redundancy.models import NodeRuntime

    new = {b.node: b for b in made if b.limit is None and now - b.began > ARRIVED}
    if new:
        for runtime in NodeRuntime.objects.filter(pk__in=new):
            new[runtime.pk].limit = runtime.memory["peer_at"] + _limit(SILENCE)


def note_declared(made: Sequence[Broken], before: int, now: Callable[[], float]) -> None:
    """Look whether more was declared."""
    from redundancy.models import EventKind, HaEvent
    from redundancy.srm.states import State

    left = {b.node: b for b in made if b.seen is None}
    said = HaEvent.objects.filter(
        pk__gt=before,
        kind=EventKind.STATE,
        node__in=left,
        new_state__in=(State.TAKING_OVER, State.FAILING_OVER),
    )
    for node, at in said.values_list("node", "at"):
        left[node].at, left[node].seen = at.timestamp(), now()


def switch_on(groups: Sequence["RedundancyGroup"]) -> None:
    """Enable HA and wait until all are Normal, and the last moves are done."""
    from redundancy import bus
    from redundancy.models import NodeRuntime
    from redundancy.operations.groups import enable_ha
    from redundancy.srm.states import State

    for group in groups:
        enable_ha(group=group, actor="")
    waiting = NodeRuntime.objects.filter(server__group__ha_enabled=True).exclude(state=State.NORMAL)
    deadline = time.monotonic() + 300
    while waiting.exists() or bus.client().llen("moves"):
        if time.monotonic() > deadline:
            queue = bus.client().llen("moves")
            text = f"after five minutes {waiting.count()} nodes are not Normal, {queue} tasks wait"
            raise RuntimeError(text)
        time.sleep(1)
    # Each node has heard its peer some times.
    time.sleep(_limit(SILENCE) / 2)


def repair(groups: Sequence["RedundancyGroup"]) -> None:
    """Start what was stopped, and switch HA off and on."""
    from redundancy.operations import services
    from redundancy.operations.groups import disable_ha

    for group in groups:
        disable_ha(group=group, actor="")
        for server in group.servers.all():
            stopped = server.services.filter(activated=True, running=False)
            names = sorted(stopped.values_list("name", flat=True), key=lambda n: "Router" not in n)
            for name in names:
                services.start_service(server=server, name=name, actor="")
        group.refresh_from_db()
    switch_on(groups)


def _limit(cause: str) -> float:
    from redundancy.selectors import policy

    values = policy.current()
    return values.heartbeat_timeout if cause == SILENCE else values.critical_service_delay


def main(database: str) -> None:
    """Run systems of its own on this process's database, one after the other, and measure there."""
    import django

    plans: list[tuple[Sequence[tuple[int, int]], int]] = [(SIZES, 1)]
    if database == "PostgreSQL":
        plans.append((SHARDED, 2))
    for sizes, shards in plans:
        variables = dict(os.environ) | {"SWEEP_SHARDS": str(shards)}
        with (
            tempfile.TemporaryDirectory(prefix="cucm-admin-bench-") as logs,
            running(variables, Path(logs), rate=1) as lab,
        ):
            if shards > 1:
                lab.processes.start("sweep-2")
            django.setup()
            tell(figures(database, sizes, shards))


if __name__ == "__main__":
    main(sys.argv[1])
