"""The weekly report on a watched cluster: when it is due, and who sends it, through the channels of alarms."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cucm_admin.env import DAYS
from redundancy import clock
from redundancy.alarms import writes as alarm_writes
from redundancy.alarms.reads import AlarmCondition
from redundancy.cluster import reads as clusters
from redundancy.cluster.document import Unusable
from redundancy.models import AlarmKind, ClusterSnapshot, ClusterWatch
from redundancy.operations import locks
from redundancy.srm.words import english, say
from redundancy.watch import reads
from redundancy.watch.conditions import subject_of
from redundancy.watch.configured import watched
from redundancy.watch.readiness_report import Report, Sort, report

# Characters of the report in a message.
LONGEST = 20_000
# For how long after its hour a report is still sent, where nobody was there to send it.
LATE = timedelta(days=1)


def due_on(now: datetime, day: str, hour: int) -> date | None:
    """Return the day for which a report is due at ``now``; None where none is.

    ``now``: in the time zone in which ``day`` and ``hour`` are meant. Pure.
    """
    if day not in DAYS:
        return None
    back = (now.weekday() - DAYS.index(day)) % 7
    moment = (now - timedelta(days=back)).replace(hour=hour, minute=0, second=0, microsecond=0)
    if moment > now:
        moment -= timedelta(days=7)
    return moment.date() if now - moment < LATE else None


def send_due(now: datetime) -> bool:
    """Let the channels of alarms be told the report on what the settings name, if it is due; return whether they are.

    ``now``: wall time. Of several who ask at once one sends, by compare-and-set on the day of the last report.
    """
    at = watched()
    local = now.astimezone(timezone.get_default_timezone())
    day = due_on(local, settings.WATCH_REPORT_DAY, settings.WATCH_REPORT_HOUR)
    row = None if at is None or day is None else reads.watches().filter(source=at.label).first()
    if row is None or day is None or (row.reported_on is not None and row.reported_on >= day):
        return False
    text, summary = text_of(row, now)
    with transaction.atomic():
        locks.one_administrator()
        if not claim(row, day):
            return False
        condition = AlarmCondition(
            kind=AlarmKind.REPORT,
            subject=subject_of(row.pk, "report"),
            group=None,
            group_name="",
            node_name="",
            sentence=say("{cluster} (real): {what}", cluster=row.name, what=summary),
            cluster=row.name,
        )
        alarm_writes.tell_once(condition, text=text, now=clock.lab_now())
    return True


def claim(row: ClusterWatch, day: date) -> bool:
    """Return whether nobody else has sent a report since ``row`` was read."""
    held = ClusterWatch.objects.filter(pk=row.pk, reported_on=row.reported_on)
    return bool(held.update(reported_on=day))


def made(row: ClusterWatch) -> Report | None:
    """Return the report on how a cluster was last seen; None where nothing is kept that can be used."""
    seen = reads.last_seen(row)
    if seen is None:
        return None
    base = ClusterSnapshot.objects.filter(name=row.name, kept=True, baseline=True).first()
    if base is None:
        return report(seen, None)
    try:
        return report(seen, (english(base.title), clusters.whole(base)))
    except Unusable:
        return report(seen, (english(base.title), None))


def text_of(row: ClusterWatch, now: datetime) -> tuple[str, str]:
    """Return the report as text, in English, and in one sentence."""
    found, standing = made(row), reads.standing(row, now)
    if found is None:
        summary = say("Nothing is kept of how it was seen: nothing is known of it.")
        return english(summary), summary
    when = say("Seen {age} ago.", age=reads.age_in_words(standing.age or 0))
    summary = found.summary
    if not standing.fresh:
        when = say(
            "It was not seen for too long: how it is now is not known. What follows is of then."
        )
        summary = when
    text = "\n".join([f"{row.name} (real): {row.source}", english(when), "", *found.lines()])
    return text[:LONGEST], summary


def verdict(row: ClusterWatch, now: datetime) -> int:
    """Return 0 where nothing is to be seen to, 1 where something is, 2 where that cannot be told."""
    found = made(row)
    if found is not None and found.count(Sort.BAD):
        return 1
    if found is None or found.count(Sort.UNTOLD) or not reads.standing(row, now).fresh:
        return 2
    return 0
