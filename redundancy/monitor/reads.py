"""Whether the system itself can be trusted right now: beat, workers, queues, bus, database, audit."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from redundancy import bus, clock, own_clock, pulse, workers
from redundancy.models import NodeRuntime
from redundancy.monitor import processes as behind
from redundancy.selectors.observing import blind_after, is_blind
from redundancy.srm.states import NOT_RESPONDING
from redundancy.srm.words import say

# Beat is in trouble when more than this share of the ticks of the last seconds was missed,
RECENT_SECONDS = 120.0
BORNE_MISSES = 0.25
# and they were of so many seconds: a short pause just after a start is none of its troubles.
LEAST_SECONDS = 20.0
# After an outage so many ticks say that it is over.
LEAST_TICKS = 20
# A queue is in trouble when its oldest message is older than this.
OLD_SECONDS = 30.0
# The queue of the sweeps. One that waits longer than the nodes may go unseen is old.
SWEEPS = settings.QUEUES[0]


@dataclass(frozen=True, slots=True)
class Beat:
    """How regularly sweeps ran, in seconds. Lateness: of a sweep's begin behind its tick.

    ``sweeps``: how many the figures are of. ``missed``: ticks without a sweep. ``doubled``: sweeps
    within half an interval of the one before. ``recent`` and ``recent_missed``: the same of the last
    two minutes, or since an outage in them that is over. ``interval``: between two ticks. ``trouble``:
    what is wrong with it, in a sentence; empty when nothing is.
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
    interval: float = 1.0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and the worker behind it. ``oldest``: age of the oldest message in seconds.

    ``canary_age``: since the last canary ran; ``canary_took``: how long it waited. In seconds.
    ``limit``: how old its oldest message may become. ``idle``: why nobody knows whether its worker
    works, though its canary ran a while ago: a sentence, empty when there is no such reason.
    """

    name: str
    depth: int
    oldest: float | None
    canary_age: float | None
    canary_took: float | None
    worker: str
    limit: float = OLD_SECONDS
    idle: str = ""

    @property
    def trouble(self) -> str:
        """Return what is wrong with it; empty when nothing is."""
        if self.canary_age is None:
            return say("No canary has run yet.")
        if self.canary_age > behind.CANARY_SECONDS:
            age = self.canary_age
            return say("No canary has run for {age:.0f} s: its worker does not work.", age=age)
        if self.oldest is not None and self.oldest > self.limit:
            return say("The oldest message has waited for {age:.0f} s.", age=self.oldest)
        return ""


@dataclass(frozen=True, slots=True)
class LastHeard:
    """What a node's SRM last heard: ``age`` in lab seconds of its peer's heartbeat, None for never."""

    node: str
    group: str
    state: str
    age: float | None


@dataclass(frozen=True, slots=True)
class Monitor:
    """All of it at one moment.

    ``troubles``: what makes the system unfit to be trusted, in sentences. ``warnings``: what somebody
    should see to, though it works. ``reasons``: the sorts of both, each a word for programs. ``beat``: of
    all sweeps together; ``shards``: of those of each shard, the first first.

    Of a database or a bus that is away there are no figures: None, or the defaults.
    """

    database_ms: float | None
    troubles: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    processes: tuple[behind.Process, ...] = ()
    bus_ms: float | None = None
    beat: Beat | None = None
    shards: tuple[Beat, ...] = ()
    queues: tuple[Queue, ...] = ()
    audit_age: float | None = None
    breaches: tuple[str, ...] = ()
    lab_now: float = 0.0
    rate: float = 1.0
    ears: tuple[LastHeard, ...] = ()

    @property
    def quiet(self) -> bool:
        """Whether nobody knows of some process whether it works."""
        return any(process.idle for process in self.processes)


def look_at_system() -> Monitor:
    """Return how the system does. A bus or database that is away is a finding, not an error."""
    database_ms = _database()
    own = own_clock.OWN.sentence
    troubles = [] if database_ms is not None else [say("The database cannot be reached.")]
    reasons = ["database"] if troubles else []
    lab: dict[str, Any] = {}
    if database_ms is not None:
        try:
            now = clock.lab_now()
            lab = {"lab_now": now, "rate": clock.rate(), "ears": _ears(now)}
        except DatabaseError as error:
            troubles.append(say("The database cannot be read: {why}", why=str(error)[:200]))
            reasons.append("database")
    try:
        began = time.perf_counter()
        at = pulse.now()
        bus_ms = (time.perf_counter() - began) * 1000
        ticks, ages, outages = pulse.last_sweeps(), bus.sweep_ages(), bus.outages()
        of_shards = beats_of(ticks, settings.SWEEP_SECONDS, ages, outages)
        beat = all_of(of_shards)
        audit = pulse.last_audit()
        swept = beat.age is not None and not is_blind(beat.age)
        # Whichever shard is swept, canaries are sent.
        sent = any(age is not None and not is_blind(age) for age in ages)
        processes = behind.look_at_processes(workers.signs(), at, swept=sent)
        queues = _queues(at, processes, swept=swept)
    except bus.BusError:
        troubles.append(say("The heartbeat bus and broker cannot be reached."))
        return Monitor(database_ms, tuple(troubles), reasons=(*reasons, "bus"), **lab)
    breaches = audit.breaches if audit else ()
    of_sweeps = told_of(of_shards)
    of_queues = [
        say("Queue {queue}: {trouble}", queue=queue.name, trouble=queue.trouble)
        for queue in queues
        if queue.trouble
    ]
    of_processes, warnings = behind.told(processes)
    if own:
        (of_processes if own_clock.OWN.far_off else warnings).append(own)
    of_audit = (
        [say("The last audit found breaches of the invariants: {count}.", count=len(breaches))]
        if breaches
        else []
    )
    sorts = {
        "sweep": of_sweeps,
        "queue": of_queues,
        "clock": of_processes,
        "audit": of_audit,
        "process": warnings,
    }
    return Monitor(
        database_ms,
        (*troubles, *of_sweeps, *of_queues, *of_processes, *of_audit),
        warnings=tuple(warnings),
        reasons=(*reasons, *(sort for sort, told in sorts.items() if told)),
        processes=processes,
        bus_ms=bus_ms,
        beat=beat,
        shards=of_shards,
        queues=queues,
        audit_age=max(0.0, at - audit.at) if audit else None,
        breaches=breaches,
        **lab,
    )


def beats_of(
    ticks: Sequence[pulse.SweepTick],
    interval: float,
    ages: Sequence[float | None],
    outages: Sequence[str],
) -> tuple[Beat, ...]:
    """Return how regularly the sweeps of each shard ran, and what is wrong with them; as ``beat_of``. Pure."""
    beats = []
    for shard, (age, outage) in enumerate(zip(ages, outages, strict=False)):
        beat = beat_of([tick for tick in ticks if tick.shard == shard], interval, age)
        beats.append(replace(beat, trouble=trouble_of(beat, outage)))
    return tuple(beats)


def all_of(beats: Sequence[Beat]) -> Beat:
    """Return the figures of all shards as one: of times those of the worst shard, of numbers the sums. Pure."""
    ages = [beat.age for beat in beats if beat.age is not None]
    return Beat(
        age=max(ages) if len(ages) == len(beats) else None,
        sweeps=sum(beat.sweeps for beat in beats),
        late_p50=max(beat.late_p50 for beat in beats),
        late_p99=max(beat.late_p99 for beat in beats),
        took_p50=max(beat.took_p50 for beat in beats),
        took_p99=max(beat.took_p99 for beat in beats),
        missed=sum(beat.missed for beat in beats),
        doubled=sum(beat.doubled for beat in beats),
        recent=sum(beat.recent for beat in beats),
        recent_missed=sum(beat.recent_missed for beat in beats),
        interval=beats[0].interval,
    )


def told_of(beats: Sequence[Beat]) -> list[str]:
    """Return what is wrong with the sweeps of these shards, in sentences, each of which names its shard. Pure."""
    if len(beats) == 1:
        return [beats[0].trouble] if beats[0].trouble else []
    return [
        say(
            "Shard {shard} of {shards}: {trouble}",
            shard=number,
            shards=len(beats),
            trouble=beat.trouble,
        )
        for number, beat in enumerate(beats, 1)
        if beat.trouble
    ]


def beat_of(ticks: Sequence[pulse.SweepTick], interval: float, age: float | None) -> Beat:
    """Return how regularly these sweeps, oldest first, ran; ``interval`` of beat in seconds. Pure."""
    fired = [tick for tick in ticks if not tick.asked]
    gaps = [after.began - before.began for before, after in pairwise(fired)]
    # Whole intervals in a gap are missed ticks; the rest of it is lateness.
    late = [max(0.0, gap - interval * max(1, round(gap / interval))) for gap in gaps]
    took = [tick.took for tick in fired]
    lately = (n for n, tick in enumerate(fired) if tick.began > fired[-1].began - RECENT_SECONDS)
    begin = next(lately, 0)
    # An outage was told while it lasted. Once sweeps run again these are what is judged.
    back = max((n for n, gap in enumerate(gaps, start=1) if is_blind(gap)), default=0)
    if len(fired) - back >= LEAST_TICKS:
        begin = max(begin, back)
    return Beat(
        age=age,
        sweeps=len(fired),
        late_p50=_percentile(late, 50),
        late_p99=_percentile(late, 99),
        took_p50=_percentile(took, 50),
        took_p99=_percentile(took, 99),
        missed=_missed(gaps, interval),
        doubled=sum(gap < interval / 2 for gap in gaps),
        recent=len(fired) - begin,
        recent_missed=_missed(gaps[begin:], interval),
        interval=interval,
    )


def _missed(gaps: Iterable[float], interval: float) -> int:
    return sum(max(0, round(gap / interval) - 1) for gap in gaps)


def _percentile(values: Sequence[float], percent: float) -> float:
    if not values:
        return 0.0
    return sorted(values)[round(percent / 100 * (len(values) - 1))]


def trouble_of(beat: Beat, outage: str = "") -> str:
    """Return what is wrong with the sweeps, in a sentence; empty for nothing. ``outage``: why the last one failed. Pure."""
    if outage:
        return say(
            "The last sweep failed: what SRM decides cannot be stored ({why}). The pages show what "
            "was seen before.",
            why=outage,
        )
    if beat.age is None:
        return say("No sweep has run yet.")
    if is_blind(beat.age):
        return say(
            "The last sweep ran {age:.0f} s ago: beat or the sweep worker does not work.",
            age=beat.age,
        )
    ticks = beat.recent + beat.recent_missed
    if ticks * beat.interval >= LEAST_SECONDS and beat.recent_missed > BORNE_MISSES * ticks:
        return say(
            "{missed} of the last {ticks} ticks were missed: beat or the sweep worker does not "
            "keep up.",
            missed=beat.recent_missed,
            ticks=ticks,
        )
    return ""


def _queues(at: float, processes: Sequence[behind.Process], *, swept: bool) -> tuple[Queue, ...]:
    """Return the queues at ``at`` by the clock of the bus; ``swept``: whether sweeps run."""
    waiting, canaries = pulse.waiting(settings.QUEUES), pulse.canaries()
    # As the processes have it that send messages, though this one's may be wrong.
    wall = time.time() - own_clock.OWN.ahead

    def queue(name: str) -> Queue:
        depth, sent = waiting[name]
        canary = canaries.get(name)
        return Queue(
            name=name,
            depth=depth,
            oldest=None if sent is None else max(0.0, wall - sent),
            canary_age=max(0.0, at - canary.ran) if canary else None,
            canary_took=max(0.0, canary.ran - canary.sent) if canary else None,
            worker=canary.worker if canary else "",
            limit=blind_after() if name == SWEEPS else OLD_SECONDS,
            idle=unswept if name == SWEEPS and not swept else behind.idle_queue(name, processes),
        )

    unswept = say("Not known: no sweep has run to its end lately.")
    return tuple(queue(name) for name in settings.QUEUES)


def database_answers() -> bool:
    """Return whether this process reaches its database."""
    return _database() is not None


def _database() -> float | None:
    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return None
    return (time.perf_counter() - began) * 1000


def _ears(lab_now: float) -> tuple[LastHeard, ...]:
    rows = (
        NodeRuntime.objects.filter(server__group__ha_enabled=True)
        .order_by("server__group__name", "server__slot")
        .values_list(
            "server__name",
            "server__group__name",
            "state",
            "server__machine__powered",
            "server__machine__srm_running",
            "peer_at",
            "peer_hears",
        )
    )
    return tuple(
        LastHeard(
            name,
            group,
            state if powered and runs else NOT_RESPONDING,
            max(0.0, lab_now - peer_at) if peer_at and hears is not None else None,
        )
        for name, group, state, powered, runs, peer_at, hears in rows
    )
