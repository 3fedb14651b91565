"""Write down when nobody had looked at the nodes: the history must not look as if somebody had."""

from typing import Any

from django.db.models import Max

from redundancy import clock
from redundancy.models import EventKind, NodeRuntime
from redundancy.operations import events
from redundancy.selectors.observing import BLIND_AFTER, is_blind
from redundancy.shards import WHOLE, Shard
from redundancy.srm.words import say


def note_return(*, age: float | None, now: float, shard: Shard = WHOLE) -> None:
    """Note at ``now`` (lab seconds) that the nodes of the shard were looked at, if they long had not been.

    ``age``: wall seconds since the time before; None when the bus does not know.
    """
    if age is not None and is_blind(age):
        _record(now - age * clock.rate(), now, shard)


def note_start(*, now: float, interval: float, shard: Shard = WHOLE) -> None:
    """Note at ``now`` that a look at the nodes of the shard begins and the bus knows of none before.

    What the nodes remember tells it nearly as well: each is due within ``interval`` lab seconds.
    """
    found = NodeRuntime.objects.filter(
        shard.whose("server__group"), server__group__ha_enabled=True
    ).aggregate(last=Max("stepped_at"))
    last = found["last"]
    if last and now - last > interval + BLIND_AFTER * clock.rate():
        _record(last, now, shard)


def _record(since: float, now: float, shard: Shard) -> None:
    moment = f"{clock.lab_datetime(since):%Y-%m-%d %H:%M:%S}"
    sentence = say("Nobody could see the nodes since {moment} UTC.", moment=moment)
    inputs: dict[str, Any] = {"unseen_since": round(since, 3)}
    if shard.of > 1:
        sentence = say(
            "Nobody could see the nodes of shard {shard} of {shards} since {moment} UTC.",
            shard=shard.number + 1,
            shards=shard.of,
            moment=moment,
        )
        inputs["shard"] = [shard.number, shard.of]
    events.record(kind=EventKind.LAB, sentence=sentence, at=now, inputs=inputs)
