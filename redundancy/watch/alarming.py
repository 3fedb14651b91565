"""Alarms of real clusters, by how they were last seen: raised, changed and cleared like those of the lab."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from redundancy import clock
from redundancy.alarms import reads as alarm_reads
from redundancy.alarms import writes as alarm_writes
from redundancy.alarms.reads import AlarmCondition
from redundancy.cluster import reads as clusters
from redundancy.cluster.document import Unusable
from redundancy.models import Alarm, AlarmKind, ClusterSnapshot, ClusterWatch
from redundancy.operations import locks
from redundancy.srm.words import say
from redundancy.watch import reads
from redundancy.watch.conditions import Finding, Judgement, judged, subject_of, watch_of

# Characters of names in an alarm; those of a text may be longer.
_LONGEST = {"cluster": 100, "group_name": 128, "node_name": 63}


def reconcile(now: datetime, *, since: datetime | None = None) -> int:
    """Bring the alarms of real clusters in line with how they were last seen; return how many changed.

    What was seen too long ago changes nothing: then only that nobody sees the cluster is an alarm. ``now``: wall time.
    ``since``: when this process began: for what nobody could look before it, nobody is to be called.
    """
    if not (ClusterWatch.objects.exists() or alarm_reads.open_alarms(real=True).exists()):
        return 0
    with transaction.atomic():
        locks.one_administrator()
        rows = {row.pk: row for row in reads.watches()}
        judgements = {pk: _judgement(row, now, since) for pk, row in rows.items()}
        untold = {
            (kind.value, subject_of(watch, name))
            for watch, (found, _) in judgements.items()
            for kind, name in found.untold
        }
        blind = {watch for watch, (_, seen) in judgements.items() if not seen}

        def stays(alarm: Alarm) -> bool:
            if alarm.kind != AlarmKind.WATCH_FAILED and watch_of(alarm.subject) in blind:
                return True
            return (alarm.kind, alarm.subject) in untold

        return alarm_writes.bring_in_line(
            [
                _condition(rows[watch], each)
                for watch, (found, _) in judgements.items()
                for each in found.holding
            ],
            now=clock.lab_now(),
            real=True,
            untold=stays,
        )


def _judgement(row: ClusterWatch, now: datetime, since: datetime | None) -> tuple[Judgement, bool]:
    """Return which alarms hold of a watch, and whether its cluster is seen."""
    standing = reads.standing(row, now)
    found = Judgement()
    seen = False
    if standing.fresh:
        kept = (
            ClusterSnapshot.objects.defer("people", "rest").filter(pk=row.snapshot_id or 0).first()
        )
        try:
            if kept is not None:
                found, seen = judged(clusters.face(kept)[0]), True
        except Unusable:
            # As good as not seen: the next look that differs keeps one that can be used.
            pass
    found.holding += _blindness(row, standing.fresh, now, since)
    return found, seen


def _blindness(
    row: ClusterWatch, fresh: bool, now: datetime, since: datetime | None
) -> Iterator[Finding]:
    """Yield the alarm that nobody sees the cluster: looks fail for an interval, or it was not seen for too long."""
    failing, last = row.failing_since, row.seen_at or row.asked_at
    why = ""
    if failing is not None:
        if now - failing >= timedelta(minutes=row.minutes):
            moment = f"{failing:%Y-%m-%d %H:%M}"
            why = say(
                "It cannot be seen since {moment} (UTC): {why}", moment=moment, why=row.failure
            )
    elif row.minutes and not fresh and last is not None:
        # A look that is under way, or that could not be begun before, is waited for.
        waited = max(filter(None, (last, since)))
        if now < last or now - waited > reads.fresh_for(row):
            why = say("It was not seen since {moment} (UTC).", moment=f"{last:%Y-%m-%d %H:%M}")
    if why:
        # The reasons of failures may alternate: the one that it began with stands.
        yield Finding(AlarmKind.WATCH_FAILED, "", "", "", why, settled=False)


def _condition(row: ClusterWatch, found: Finding) -> AlarmCondition:
    names = {"cluster": row.name, "group_name": found.group, "node_name": found.node}
    cut = {name: text[: _LONGEST[name]] for name, text in names.items()}
    sentence = say("{cluster} (real): {what}", cluster=row.name, what=found.sentence)
    return AlarmCondition(
        kind=found.kind,
        subject=subject_of(row.pk, found.name),
        group=None,
        sentence=sentence,
        settled=found.settled,
        **cut,
    )
