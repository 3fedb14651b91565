"""The alarms that nobody acknowledged, in the banner of every page."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from redundancy.alarms import reads
from redundancy.models import Alarm
from redundancy.srm.words import say
from redundancy.views.chrome import BannerLine, BannerLines

SHOWN, COUNTED = 3, 100


def banner_lines() -> BannerLines:
    """Return the alarms that nobody acknowledged, as every page shows them; one query."""
    alarms = list(reads.unacknowledged()[:COUNTED])
    # What is over must not keep what holds from being shown.
    alarms.sort(key=lambda alarm: alarm.cleared_at is not None)
    lines = tuple(_line(alarm) for alarm in alarms[:SHOWN])
    return BannerLines(lines, len(alarms) - len(lines))


def _line(alarm: Alarm) -> BannerLine:
    names = {"alarm": str(alarm), "sentence": alarm.sentence}
    if alarm.cleared_at is None:
        return BannerLine(say("{alarm}: {sentence}", **names), "bad")
    return BannerLine(say("{alarm}: cleared; it was: {sentence}", **names), "ok")


def context(_: HttpRequest) -> dict[str, object]:
    """Return the banner of every page; nothing is asked where it is not shown."""
    return {"alarm_lines": SimpleLazyObject(banner_lines)}
