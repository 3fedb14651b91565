"""Keep how clients logged in after a move, while their sessions still tell."""

from django.db.models import Case, Exists, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Greatest

from redundancy.models import PresenceSession, RedundancyGroup, SessionMove
from redundancy.selectors.access import has_logged_in
from redundancy.selectors.logins import measure
from redundancy.selectors.real_clients import measure_real
from redundancy.srm.clients import PUSH_WAIT

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
    # Whose client tried in vain, or is a real one that did not come yet, is still to come.
    failed = (
        PresenceSession.objects.exclude(has_logged_in(now))
        .filter(Q(node=OuterRef("first")) | Q(node=OuterRef("second")), since=OuterRef("event__at"))
        .filter(Q(relogin_at__lte=now) | Q(by_client=True))
    )
    # As ``SessionMove.latest``.
    upper = Cast("upper", FloatField())
    last = Case(When(push_clients=0, then=upper), default=Greatest(upper, Value(PUSH_WAIT[1])))
    late = _unmeasured().filter(at__lte=now - last)
    done = list(late.filter(~Exists(failed))[:MOST])
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
    _keep_real(move, now)


def keep_real(sessions: QuerySet[PresenceSession], now: float) -> None:
    """Record how real clients came back after the last move of their groups, while they are real ones.

    ``sessions``: some of theirs, that the lab is to play next.
    """
    nodes = sessions.values_list("node", flat=True).distinct()
    for group in set(RedundancyGroup.objects.filter(servers__in=list(nodes))):
        last = SessionMove.objects.filter(group=group, moved__gt=0).select_related("event").first()
        if last is not None:
            _keep_real(last, now)


def _keep_real(move: SessionMove, now: float) -> None:
    record = measure_real(move, now)
    # Of clients that are given back one after the other the first time tells of most.
    if record and record["clients"] >= (move.real_logins or record)["clients"]:
        SessionMove.objects.filter(pk=move.pk).update(real_logins=record)
