"""The jobs that collect logs: begin, go on step by step, end."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from redundancy.errors import Refused
from redundancy.models import CollectionState, EventKind, Incident, LogCollection, RedundancyGroup
from redundancy.operations import events
from redundancy.srm.words import say
from redundancy.traces.reads.collections import LONGEST

# Wall time after which a step that nobody has ended is done again, from the beginning.
STALE = timedelta(minutes=2)
MOST_TURNS = 5
# Collections kept; older ones go, with their files.
KEPT = 20


def begin(
    *,
    group: RedundancyGroup,
    since: float,
    until: float,
    actor: str,
    incident: Incident | None = None,
) -> LogCollection:
    """Begin to collect the logs of ``group`` from ``since`` to ``until`` (lab seconds); return the job.

    With the report of ``incident``, which is one of the group.
    """
    if until <= since:
        raise Refused(say("To must be later than From."), field="until")
    if until - since > LONGEST:
        raise Refused(say("The span must not be longer than 7 days of lab time."), field="until")
    with transaction.atomic():
        job = LogCollection.objects.create(
            group=group,
            group_name=group.name,
            incident=incident,
            since=since,
            until=until,
            actor=actor,
        )
        events.record(
            kind=EventKind.ADMIN,
            sentence=say("Log collection of {group} was begun.", group=group.name),
            group=group,
            actor=actor,
        )
    return job


def claim(*, pk: int, step: int, turn: int) -> LogCollection | None:
    """Return the job if ``step`` of ``turn`` is still to be done, and hold it; else None."""
    held = LogCollection.objects.filter(
        pk=pk, step=step, turn=turn, state=CollectionState.WORKING
    ).update(touched_at=timezone.now())
    return LogCollection.objects.select_related("group", "incident").get(pk=pk) if held else None


def stepped(*, job: LogCollection) -> None:
    """Note that the step the job is at is done."""
    LogCollection.objects.filter(pk=job.pk, step=job.step, turn=job.turn).update(
        step=F("step") + 1, touched_at=timezone.now()
    )


def finish(*, job: LogCollection, size: int) -> None:
    """Note that the file is there, of ``size`` bytes."""
    LogCollection.objects.filter(pk=job.pk, turn=job.turn).update(
        state=CollectionState.DONE, size=size, touched_at=timezone.now()
    )


def fail(*, pk: int, why: str) -> None:
    """Give the job up."""
    LogCollection.objects.filter(pk=pk, state=CollectionState.WORKING).update(
        state=CollectionState.FAILED, sentence=why, touched_at=timezone.now()
    )


def take_up() -> list[tuple[int, int, int]]:
    """Begin anew the jobs nobody works on; return key, step and turn of each."""
    found = []
    stale = LogCollection.objects.filter(
        state=CollectionState.WORKING, touched_at__lt=timezone.now() - STALE
    )
    for job in stale:
        if job.turn >= MOST_TURNS:
            fail(pk=job.pk, why=say("Its worker was gone again and again; nothing was collected."))
        elif LogCollection.objects.filter(pk=job.pk, turn=job.turn, step=job.step).update(
            turn=job.turn + 1, step=0, touched_at=timezone.now()
        ):
            found.append((job.pk, 0, job.turn + 1))
    return found


def forget_old() -> list[LogCollection]:
    """Delete all but the last collections; return those that went."""
    old = list(LogCollection.objects.exclude(state=CollectionState.WORKING)[KEPT:])
    LogCollection.objects.filter(pk__in=[job.pk for job in old]).delete()
    return old
