"""Write down when nobody had looked at the nodes: the history must not look as if somebody had."""

from django.db.models import Max

from redundancy import clock
from redundancy.models import EventKind, NodeRuntime
from redundancy.operations import events
from redundancy.selectors.live import BLIND_AFTER, is_blind
from redundancy.srm.words import say


def note_return(*, age: float | None, now: float) -> None:
    """Note at ``now`` (lab seconds) that the nodes were looked at, if they long had not been.

    ``age``: wall seconds since the time before; None when the bus does not know.
    """
    if age is not None and is_blind(age):
        _record(now - age * clock.rate(), now)


def note_start(*, now: float, interval: float) -> None:
    """Note at ``now`` that a look at the nodes begins and the bus knows of none before.

    What the nodes remember tells it nearly as well: each is due within ``interval`` lab seconds.
    """
    found = NodeRuntime.objects.filter(server__group__ha_enabled=True).aggregate(
        last=Max("stepped_at")
    )
    last = found["last"]
    if last and now - last > interval + BLIND_AFTER * clock.rate():
        _record(last, now)


def _record(since: float, now: float) -> None:
    events.record(
        kind=EventKind.LAB,
        sentence=say(
            "Nobody could see the nodes since {moment} UTC.",
            moment=f"{clock.lab_datetime(since):%Y-%m-%d %H:%M:%S}",
        ),
        at=now,
        inputs={"unseen_since": round(since, 3)},
    )
