"""Whether the nodes are being looked at: what nobody sees is shown as last seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings

from redundancy import bus, clock
from redundancy.fingerprint import PASSING
from redundancy.shards import shard_of
from redundancy.srm.words import say

# Real seconds without a sweep after which we say that we do not see the nodes.
BLIND_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class ObserverView:
    """Whether the nodes are being looked at. ``sentence`` says since when they are not.

    ``unseen_since``: lab seconds; None while they are, and where it is not known. Reckoned anew at
    each look, as is the sentence.
    """

    ok: bool
    sentence: str = field(metadata=PASSING)
    lab_now: float = field(metadata=PASSING)
    rate: float
    unseen_since: float | None = field(default=None, metadata=PASSING)


def blind_after() -> float:
    """Return after how many wall seconds without a sweep nobody sees the nodes."""
    return float(BLIND_AFTER + 3 * settings.SWEEP_SECONDS)


def is_blind(age: float) -> bool:
    """Return whether a last sweep of ``age`` wall seconds ago means that nobody sees the nodes."""
    return age > blind_after()


def sees() -> bool:
    """Return whether sweeps run, as ``observer`` says; asks the bus alone."""
    try:
        age = bus.sweep_age()
    except bus.BusError:
        return False
    return age is not None and not is_blind(age)


def observer(group: int | None = None) -> ObserverView:
    """Return whether sweeps run, by the mark the last one left on the bus.

    With several shards by the one that waits longest, so that nothing is called seen where one stands
    still; with ``group`` (a key) by the shard of this group.
    """
    reader, rate = clock.look()
    lab_now = reader()
    of = settings.SWEEP_SHARDS
    try:
        if of == 1:
            age, still = bus.sweep_age(), None
        else:
            ages = bus.sweep_ages()
            of = len(ages)
            age, still = _longest(ages) if group is None else (ages[shard_of(group, of)], None)
    except bus.BusError:
        sentence = say(
            "We cannot see the nodes: the heartbeat bus cannot be reached. What is shown is the "
            "last we saw."
        )
        return ObserverView(False, sentence, lab_now, rate)
    if age is None:
        sentence = (
            say("We cannot see the nodes: no sweep has run yet.")
            if still is None
            else say(
                "We cannot see all nodes: no sweep of shard {shard} of {shards} has run yet.",
                shard=still + 1,
                shards=of,
            )
        )
        return ObserverView(False, sentence, lab_now, rate)
    if not is_blind(age):
        return ObserverView(True, "", lab_now, rate)
    since = lab_now - age * rate
    moment = f"{clock.lab_datetime(since):%Y-%m-%d %H:%M:%S}"
    try:
        why = bus.outage()
    except bus.BusError:
        why = ""
    if why:
        sentence = say(
            "We could not see the nodes since {since} UTC: what SRM decides cannot be stored ({why}). "
            "What is shown is from then.",
            since=moment,
            why=why,
        )
    elif still is not None:
        sentence = say(
            "We could not see all nodes since {since} UTC: shard {shard} of {shards} was not swept. "
            "What is shown of its nodes is from then.",
            since=moment,
            shard=still + 1,
            shards=of,
        )
    else:
        sentence = say(
            "We could not see the nodes since {since} UTC: no sweep has "
            "run. What is shown is from then.",
            since=moment,
        )
    return ObserverView(False, sentence, lab_now, rate, since)


def _longest(ages: Sequence[float | None]) -> tuple[float | None, int | None]:
    """Return the age of the shard that waits longest, and its number where others do not stand still as it does."""
    slowest = max(
        range(len(ages)), key=lambda shard: math.inf if (age := ages[shard]) is None else age
    )
    moving = any(age is not None and not is_blind(age) for age in ages)
    return ages[slowest], slowest if moving else None
