"""Trace levels and log collections: who may do what, and when."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from redundancy.catalog import SRM
from redundancy.errors import Refused
from redundancy.models import (
    CollectionPiece,
    CollectionState,
    EventKind,
    Incident,
    LogCollection,
    Machine,
    NodeRuntime,
    NodeService,
    RedundancyGroup,
    Server,
)
from redundancy.operations import events, locks
from redundancy.srm.trace import Level
from redundancy.srm.words import say, together
from redundancy.traces.reads import LONGEST

LEVELS = {
    Level.ERROR.name: say("Error"),
    Level.WARN.name: say("Warn"),
    Level.INFO.name: say("Info"),
    Level.DEBUG.name: say("Debug"),
}
# Wall time after which a step that nobody has ended is done again, from the beginning.
STALE = timedelta(minutes=2)
MOST_TURNS = 5
# Collections kept; older ones go, with their files.
KEPT = 20
# The largest file of a collection, and the pieces that it is kept in.
MAX_MB = 64
MAX_BYTES = MAX_MB * 1_000_000
PIECE_BYTES = 256 * 1024


def set_trace_level(*, server: Server, level: str, actor: str) -> None:
    """Set the level, the name of a ``Level``, from the next step on. Does nothing when it is set."""
    if level not in LEVELS:
        levels = together(LEVELS.values(), ", ")
        raise Refused(say("Trace level must be one of {levels}.", levels=levels), field="level")
    with transaction.atomic():
        locks.one_administrator()
        NodeRuntime.poke(server.pk)
        machine = locks.hold(Machine.objects.filter(server=server)).first()
        if machine is None:
            raise Refused(say("{server} has no SRM.", server=server.name), field="server")
        if machine.trace_level == level:
            return
        sentence = say(
            "SRM trace level of {server} was changed from {old} to {new}.",
            server=server.name,
            old=LEVELS[machine.trace_level],
            new=LEVELS[level],
        )
        machine.trace_level = level
        machine.save(update_fields=["trace_level"])
        service = NodeService.objects.get(server=server, name=SRM)
        events.record(
            kind=EventKind.ADMIN,
            sentence=sentence,
            node=server,
            actor=actor,
            changes=events.changed("service", service.pk, trace_level=level),
        )


def begin_collection(
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
        sentence = say("Log collection of {group} was begun.", group=group.name)
        events.record(kind=EventKind.ADMIN, sentence=sentence, group=group, actor=actor)
    return job


def claim_step(*, pk: int, step: int, turn: int) -> LogCollection | None:
    """Return the job if ``step`` of ``turn`` is still to be done, and hold it; else None."""
    held = LogCollection.objects.filter(
        pk=pk, step=step, turn=turn, state=CollectionState.WORKING
    ).update(touched_at=timezone.now())
    return LogCollection.objects.select_related("group", "incident").get(pk=pk) if held else None


def end_step(*, job: LogCollection, file: bytes, last: bool) -> bool:
    """Keep the file as the step left it, and note that it is done; ``last``: that it is ready.

    Return whether the job was still the caller's: else its worker was taken for gone, and another
    has begun anew.
    """
    if len(file) > MAX_BYTES:
        rule = say("The file would be larger than {size} MB; collect a shorter span.", size=MAX_MB)
        raise Refused(rule, field="until")
    ready = {"state": CollectionState.DONE, "size": len(file)} if last else {}
    mine = LogCollection.objects.filter(
        pk=job.pk, turn=job.turn, step=job.step, state=CollectionState.WORKING
    )
    with transaction.atomic():
        if not mine.update(step=F("step") + 1, touched_at=timezone.now(), **ready):
            return False
        job.pieces.all().delete()
        CollectionPiece.objects.bulk_create(
            (
                CollectionPiece(job=job, number=number, data=file[start : start + PIECE_BYTES])
                for number, start in enumerate(range(0, len(file), PIECE_BYTES))
            ),
            batch_size=8,
        )
    return True


def fail_collection(*, pk: int, why: str) -> None:
    """End the job without a file; ``why`` is the sentence that its row shows."""
    with transaction.atomic():
        if LogCollection.objects.filter(pk=pk, state=CollectionState.WORKING).update(
            state=CollectionState.FAILED, sentence=why, touched_at=timezone.now()
        ):
            CollectionPiece.objects.filter(job=pk).delete()


def restart_collections() -> list[tuple[int, int, int]]:
    """Begin the jobs anew that nobody works on; return key, step and turn of each."""
    restarted = []
    stale = LogCollection.objects.filter(
        state=CollectionState.WORKING, touched_at__lt=timezone.now() - STALE
    )
    for job in stale:
        if job.turn >= MOST_TURNS:
            why = say("Its worker was gone again and again; nothing was collected.")
            fail_collection(pk=job.pk, why=why)
        elif LogCollection.objects.filter(pk=job.pk, turn=job.turn, step=job.step).update(
            turn=job.turn + 1, step=0, touched_at=timezone.now()
        ):
            restarted.append((job.pk, 0, job.turn + 1))
    return restarted


def forget_old_collections() -> None:
    """Delete all but the last collections, with their files."""
    old = LogCollection.objects.exclude(state=CollectionState.WORKING)[KEPT:]
    LogCollection.objects.filter(pk__in=[job.pk for job in old.only("pk")]).delete()
