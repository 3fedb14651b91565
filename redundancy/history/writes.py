"""Let go of old history, a bounded piece at a time.

Kept whatever its age: every event of an incident that is open, or was closed within the time; of each
node the last change of state, and of each group the last session move, from before, which tell what
was the case when the kept history begins; and each move that sessions still tell of.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from redundancy.models import EventKind, HaEvent, Incident, PresenceSession, SessionMove

# Events looked at in one transaction, and transactions of one run.
CHUNK = 1000
CHUNKS = 50


def prune(*, days: float, now: datetime | None = None) -> tuple[int, bool]:
    """Delete what was recorded more than ``days`` ago (wall time; 0: nothing), the oldest first.

    Return how many events were deleted, and whether there may be more.
    """
    if not days:
        return 0, False
    before = (now or timezone.now()) - timedelta(days=days)
    _forget_incidents(before)
    deleted, last = 0, 0
    for _ in range(CHUNKS):
        # By key and not by age: the oldest keys are the oldest events, and this needs no index.
        rows = list(
            HaEvent.objects.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", "recorded_at")[:CHUNK]
        )
        old = [pk for pk, recorded_at in rows if recorded_at < before]
        deleted += _delete(old, before)
        if len(old) < CHUNK:
            return deleted, False
        last = old[-1]
    return deleted, True


def _forget_incidents(before: datetime) -> None:
    """Delete the incidents that were closed so long ago, which frees their events."""
    old = Incident.objects.filter(last_event__recorded_at__lt=before)
    Incident.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:CHUNK])).delete()


def _delete(old: Sequence[int], before: datetime) -> int:
    """Delete those of these events that nothing keeps; return how many."""
    aged = HaEvent.objects.filter(recorded_at__lt=before, pk__gt=OuterRef("pk"))
    later_state = aged.filter(kind=EventKind.STATE, node=OuterRef("node"))
    later_move = SessionMove.objects.filter(
        group=OuterRef("group"), event__gt=OuterRef("pk"), event__recorded_at__lt=before
    )
    # The moments between which its clients log in are an index's business, too.
    sessions = PresenceSession.objects.filter(
        Q(node=OuterRef("move__first")) | Q(node=OuterRef("move__second")),
        relogin_at__gte=OuterRef("move__at"),
        relogin_at__lte=OuterRef("move__at") + OuterRef("move__upper") + 1,
        since=OuterRef("at"),
    )
    incidents = Incident.objects.filter(
        Q(last_event=None) | Q(last_event__gte=OuterRef("pk")),
        group=OuterRef("group"),
        first_event__lte=OuterRef("pk"),
    )
    of_deleted_group = Incident.objects.filter(
        Q(last_event=None) | Q(last_event__gte=OuterRef("pk")),
        group=None,
        group_name=OuterRef("group_name"),
        first_event__lte=OuterRef("pk"),
    )
    free = (
        HaEvent.objects.filter(pk__in=old)
        .exclude(Q(kind=EventKind.STATE, node__isnull=False) & ~Exists(later_state))
        .exclude(Q(move__isnull=False) & (~Exists(later_move) | Exists(sessions)))
        .exclude(Exists(incidents) | Exists(of_deleted_group))
    )
    with transaction.atomic():
        gone = list(free.values_list("pk", flat=True))
        HaEvent.objects.filter(pk__in=gone).delete()
    return len(gone)
