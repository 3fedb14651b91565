"""Whether the system itself can be trusted right now: beat, workers, queues, bus, database, audit."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.conf import settings
from django.db import DatabaseError, connection

from redundancy import bus, clock, pulse
from redundancy.models import NodeRuntime
from redundancy.selectors.live import is_blind
from redundancy.srm.states import NOT_RESPONDING
from redundancy.srm.words import say

# Canaries are sent once a minute: one that is missing for two and a half means a worker that is.
CANARY_SECONDS = 2.5 * bus.SLOW_LANE_SECONDS
# The verdict looks at the misses of so many seconds, and bears this share of them.
RECENT_SECONDS = 120.0
BORNE_MISSES = 0.25
# Fewer ticks than these are none to judge by.
LEAST_TICKS = 20
# An oldest message older than this means that the queue is not worked off.
OLD_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Beat:
    """How regularly sweeps ran, in seconds. Lateness: of a sweep's begin behind its tick.

    ``sweeps``: how many the figures are of. ``missed``: ticks without a sweep. ``doubled``: sweeps
    within half an interval of the one before. ``recent`` and ``recent_missed``: the same of the last
    two minutes.
    """

    age: float | None
    sweeps: int
    late_p50: float
    late_p99: float
    took_p50: float
    took_p99: float
    missed: int
    doubled: int
    recent: int
    recent_missed: int


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and the worker behind it. ``oldest``: age of the oldest message in seconds.

    ``canary_age``: since the last canary ran; ``canary_took``: how long it waited. In seconds.
    """

    name: str
    depth: int
    oldest: float | None
    canary_age: float | None
    canary_took: float | None
    worker: str

    @property
    def trouble(self) -> str:
        """Return what is wrong with it; empty when nothing is."""
        if self.canary_age is None:
            return say("No canary has run yet.")
        if self.canary_age > CANARY_SECONDS:
            return say(
                "No canary has run for {age:.0f} s: its worker does not work.",
                age=self.canary_age,
            )
        if self.oldest is not None and self.oldest > OLD_SECONDS:
            return say("The oldest message has waited for {age:.0f} s.", age=self.oldest)
        return ""


@dataclass(frozen=True, slots=True)
class Ear:
    """What a node's SRM last heard: ``age`` in lab seconds of its peer's heartbeat, None for never."""

    node: str
    group: str
    state: str
    age: float | None


@dataclass(frozen=True, slots=True)
class Monitor:
    """All of it at one moment. ``troubles``: what makes the system unfit to be trusted, in sentences."""

    beat: Beat | None
    queues: tuple[Queue, ...]
    bus_ms: float | None
    database_ms: float | None
    audit_age: float | None
    breaches: tuple[str, ...]
    lab_now: float
    rate: float
    ears: tuple[Ear, ...]
    troubles: tuple[str, ...]


def watch() -> Monitor:
    """Return how the system does. A bus or database that is away is a finding, not an error."""
    database_ms = _database()
    troubles = [] if database_ms is not None else [say("The database cannot be reached.")]
    lab_now, rate = (clock.lab_now(), clock.rate()) if database_ms is not None else (0.0, 1.0)
    ears = _ears(lab_now) if database_ms is not None else ()
    try:
        began = time.perf_counter()
        at = pulse.now()
        bus_ms = (time.perf_counter() - began) * 1000
        beat = measured(pulse.ticks(), settings.SWEEP_SECONDS, bus.sweep_age())
        queues = _queues(at)
        audited = pulse.last_audit()
    except bus.BusError:
        away = say("The heartbeat bus and broker cannot be reached.")
        return Monitor(
            None, (), None, database_ms, None, (), lab_now, rate, ears, (*troubles, away)
        )
    troubles += of_beat(beat)
    troubles += [
        say("Queue {queue}: {trouble}", queue=queue.name, trouble=queue.trouble)
        for queue in queues
        if queue.trouble
    ]
    breaches = audited.breaches if audited else ()
    if breaches:
        troubles.append(
            say("The last audit found breaches of the invariants: {count}.", count=len(breaches))
        )
    return Monitor(
        beat,
        queues,
        bus_ms,
        database_ms,
        max(0.0, at - audited.at) if audited else None,
        breaches,
        lab_now,
        rate,
        ears,
        tuple(troubles),
    )


def measured(ticks: Sequence[pulse.Tick], interval: float, age: float | None) -> Beat:
    """Return how regularly these sweeps, oldest first, ran; ``interval`` of beat in seconds. Pure."""
    fired = [tick for tick in ticks if not tick.asked]
    gaps = [after.began - before.began for before, after in pairwise(fired)]
    # A tick that is skipped altogether is missed; what is left over is lateness.
    late = [max(0.0, gap - interval * max(1, round(gap / interval))) for gap in gaps]
    took = [tick.took for tick in fired]
    recent = [tick for tick in fired if tick.began > fired[-1].began - RECENT_SECONDS]
    return Beat(
        age=age,
        sweeps=len(fired),
        late_p50=_percentile(late, 50),
        late_p99=_percentile(late, 99),
        took_p50=_percentile(took, 50),
        took_p99=_percentile(took, 99),
        missed=_missed(gaps, interval),
        doubled=sum(gap < interval / 2 for gap in gaps),
        recent=len(recent),
        recent_missed=_missed(gaps[len(fired) - len(recent) :], interval),
    )


def _missed(gaps: Iterable[float], interval: float) -> int:
    return sum(max(0, round(gap / interval) - 1) for gap in gaps)


def _percentile(values: Sequence[float], percent: float) -> float:
    if not values:
        return 0.0
    return sorted(values)[round(percent / 100 * (len(values) - 1))]


def of_beat(beat: Beat) -> list[str]:
    """Return what is wrong with beat, in sentences. Pure."""
    if beat.age is None:
        return [say("No sweep has run yet.")]
    if is_blind(beat.age):
        return [
            say(
                "The last sweep ran {age:.0f} s ago: beat or the sweep worker does not work.",
                age=beat.age,
            )
        ]
    ticks = beat.recent + beat.recent_missed
    if ticks >= LEAST_TICKS and beat.recent_missed > BORNE_MISSES * ticks:
        return [
            say(
                "{missed} of the last {ticks} ticks were missed: beat or the sweep worker does not "
                "keep up.",
                missed=beat.recent_missed,
                ticks=ticks,
            )
        ]
    return []


def _queues(at: float) -> tuple[Queue, ...]:
    waiting, canaries = pulse.waiting(settings.QUEUES), pulse.canaries()
    wall = time.time()
    found = []
    for name in settings.QUEUES:
        depth, sent = waiting[name]
        canary = canaries.get(name)
        found.append(
            Queue(
                name=name,
                depth=depth,
                oldest=None if sent is None else max(0.0, wall - sent),
                canary_age=max(0.0, at - canary.ran) if canary else None,
                canary_took=max(0.0, canary.ran - canary.sent) if canary else None,
                worker=canary.worker if canary else "",
            )
        )
    return tuple(found)


def _database() -> float | None:
    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return None
    return (time.perf_counter() - began) * 1000


def _ears(lab_now: float) -> tuple[Ear, ...]:
    rows = (
        NodeRuntime.objects.filter(server__group__ha_enabled=True)
        .order_by("server__group__name", "server__slot")
        .values_list(
            "server__name",
            "server__group__name",
            "state",
            "server__machine__powered",
            "server__machine__srm_running",
            "memory__peer_at",
            "memory__peer",
        )
    )
    return tuple(
        Ear(
            name,
            group,
            state if powered and runs else NOT_RESPONDING,
            max(0.0, lab_now - peer_at) if peer and peer_at else None,
        )
        for name, group, state, powered, runs, peer_at, peer in rows
    )
