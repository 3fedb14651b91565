"""One line of alarms in the banner of every page: the worst that holds, or that all are cleared."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from redundancy import clock
from redundancy.alarms import reads
from redundancy.models import Alarm, AlarmKind
from redundancy.selectors import observing
from redundancy.srm.words import say
from redundancy.views.chrome import BannerLine, BannerLines

# From what needs somebody most; what took the service away stands before what came of it.
BY_URGENCY = (
    AlarmKind.FAILED,
    AlarmKind.SERVER_DOWN,
    AlarmKind.SERVICE_DOWN,
    AlarmKind.PEER_FAILURE,
    AlarmKind.SERVICE_STOPPED,
    AlarmKind.FAILOVER,
    AlarmKind.WATCH_FAILED,
    AlarmKind.HA_OFF,
    AlarmKind.CROWDED,
    AlarmKind.REPORT,
)
# Lab seconds for which it is said that all are cleared.
CALM_FOR = 600.0
COUNTED = 100


def banner_lines() -> BannerLines:
    """Return the line of the alarms and how many more there are; none when there is nothing to tell.

    One query, and a look at the clock and the bus when all are cleared: while nobody sees the nodes
    nothing is raised either, and that is not calm.
    """
    alarms = list(reads.to_tell()[:COUNTED])
    holding = [alarm for alarm in alarms if alarm.cleared_at is None]
    new = [alarm for alarm in holding if alarm.acknowledged_at is None]
    if new:
        worst = min(new, key=lambda alarm: BY_URGENCY.index(AlarmKind(alarm.kind)))
        # The sentence names what it is about.
        told = say("{kind}: {sentence}", kind=worst.kind, sentence=worst.sentence)
        return BannerLines((BannerLine(told, "bad"),), len(new) - 1)
    if holding or not alarms:
        return BannerLines((), 0)
    return _cleared(alarms, clock.lab_now() - CALM_FOR)


def _cleared(alarms: list[Alarm], since: float) -> BannerLines:
    fresh = [alarm for alarm in alarms if (alarm.cleared_at or 0) > since]
    if not fresh or not observing.sees():
        return BannerLines((), 0)
    last = max(fresh, key=lambda alarm: alarm.cleared_at or 0)
    told = say("All alarms are cleared. The last was {alarm}.", alarm=str(last))
    return BannerLines((BannerLine(told, "ok"),), len(fresh) - 1)


def context(_: HttpRequest) -> dict[str, object]:
    """Return the banner of every page; nothing is asked where it is not shown."""
    return {"alarm_lines": SimpleLazyObject(banner_lines)}
