"""Keep how clients logged in after a move, while their sessions still tell."""

from django.db.models import F, QuerySet

from redundancy.models import RedundancyGroup, SessionMove
from redundancy.selectors.logins import measure

# Moves recorded at a time: the task of a minute must end.
MOST = 200


def overtake(group: RedundancyGroup, now: float) -> None:
    """Record what is known of the group's moves before the next one, at lab time ``now``.

    The caller holds the lock on the group's row, and moves sessions next.
    """
    for move in _unmeasured().filter(group=group):
        _keep(move, now)


def keep_complete(now: float) -> int:
    """Record the moves whose clients have all logged in by ``now``; return how many."""
    done = list(_unmeasured().filter(at__lte=now - F("upper"))[:MOST])
    for move in done:
        _keep(move, now)
    return len(done)


def _unmeasured() -> QuerySet[SessionMove]:
    return (
        SessionMove.objects.filter(logins__isnull=True, moved__gt=0)
        .select_related("event")
        .order_by("pk")
    )


def _keep(move: SessionMove, now: float) -> None:
    # Whoever was first saw the sessions as they were.
    SessionMove.objects.filter(pk=move.pk, logins__isnull=True).update(logins=measure(move, now))
