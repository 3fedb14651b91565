"""Write down what a look at the real cluster brought: a snapshot where something is different, or why it failed."""

from datetime import datetime, timedelta

from django.db import transaction

from redundancy.cluster import writes as clusters
from redundancy.cluster.reader.reading import Reading
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import ClusterSnapshot, ClusterWatch, EventKind
from redundancy.operations import events
from redundancy.srm.words import say
from redundancy.watch import reads
from redundancy.watch.configured import Watched
from redundancy.watch.differing import differs

# Who keeps the snapshots, in the history.
ACTOR = "watch_cluster"
# By how much a look may begin too early: beat asks once a minute, and not to the second.
EARLY = timedelta(seconds=5)


def begin_look(
    watched: Watched, now: datetime, *, due_only: bool
) -> tuple[ClusterWatch | None, bool]:
    """Begin a look at ``now`` (wall time); return the row, and whether this is the one that looks.

    By compare-and-set, so that of two who ask one looks. ``due_only``: only when the interval is over.
    """
    row, _ = ClusterWatch.objects.get_or_create(
        source=watched.label, defaults={"name": watched.name or watched.source.host}
    )
    if due_only and row.asked_at is not None:
        wait = timedelta(minutes=watched.minutes) - EARLY
        if timedelta() <= now - row.asked_at < wait:
            return row, False
    return row, _claim(row, watched, now)


def _claim(row: ClusterWatch, watched: Watched, now: datetime) -> bool:
    """Return whether nobody else began a look since ``row`` was read."""
    held = ClusterWatch.objects.filter(pk=row.pk, asked_at=row.asked_at)
    named = {"name": watched.name} if watched.name else {}
    return bool(
        held.update(asked_at=now, minutes=watched.minutes, verified=watched.verified, **named)
    )


def note_seen(
    *,
    watched: Watched,
    began: datetime,
    reading: Reading,
    snapshot: Snapshot,
    now: datetime,
) -> ClusterWatch | None:
    """Note that the cluster was seen, and keep ``snapshot`` where it differs from the last one; return the row.

    None: the watch was forgotten meanwhile, or a later look began, whose word counts.

    Raises:
        Refused: The snapshot is too large, or too many are kept.

    """
    row = ClusterWatch.objects.filter(source=watched.label).first()
    if row is None:
        return None
    last = reads.last_seen(row)
    drafts = []
    if last is None or differs(last, snapshot):
        drafts = clusters.draft(
            reading=reading, snapshots=[snapshot], name=watched.name, actor=ACTOR
        )
    with transaction.atomic():
        seen = ClusterWatch.objects.select_for_update().filter(pk=row.pk, asked_at=began).first()
        if seen is None:
            return None
        if drafts:
            _let_go(seen, watched.keep - 1)
            (kept,) = clusters.keep(rows=drafts, actor=ACTOR)
            ClusterSnapshot.objects.filter(pk=kept.pk).update(watch=seen)
            seen.snapshot, seen.name = kept, kept.name
        seen.seen_at, seen.failing_since, seen.failure = now, None, ""
        seen.save(update_fields=["seen_at", "failing_since", "failure", "snapshot", "name"])
    return seen


def note_failure(*, watched: Watched, began: datetime, why: str, now: datetime) -> None:
    """Note why a look failed; since when it does is kept of the first one. Nothing where a later one began."""
    with transaction.atomic():
        rows = ClusterWatch.objects.select_for_update()
        row = rows.filter(source=watched.label, asked_at=began).first()
        if row is not None:
            row.failing_since, row.failure = row.failing_since or now, why
            row.save(update_fields=["failing_since", "failure"])


def forget(*, row: ClusterWatch, actor: str) -> None:
    """Forget a watch; its snapshots stay, as others that are kept."""
    sentence = say("The watched cluster {cluster} was forgotten.", cluster=str(row))
    with transaction.atomic():
        ClusterWatch.objects.filter(pk=row.pk).delete()
        events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)


def _let_go(row: ClusterWatch, most: int) -> None:
    """Delete the oldest snapshots of a watch beyond ``most``; a baseline is kept, and does not count."""
    own = ClusterSnapshot.objects.filter(watch=row, baseline=False).order_by("-pk")
    surplus = list(own.values_list("pk", flat=True)[max(0, most) :])
    ClusterSnapshot.objects.filter(pk__in=surplus).delete()
