"""Keep how clients logged in after a move, while their sessions still tell."""

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import Case, Exists, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Greatest

from redundancy.models import PresenceSession, RedundancyGroup, SessionMove
from redundancy.selectors.access import has_logged_in
from redundancy.selectors.measuring import measure_all
from redundancy.selectors.real_clients import measure_real
from redundancy.srm.clients import PUSH_WAIT

# Moves recorded at a time: the task of a minute must end.
MOST = 200


def overtake(groups: Collection[RedundancyGroup], now: float) -> None:
    """Record what is known of the moves of these groups before the next one, at lab time ``now``.

    The caller holds the locks on the groups' rows, and moves sessions next.
    """
    _keep(list(_unmeasured().filter(group__in=groups)), now)


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
    _keep(done, now)
    return len(done)


def _unmeasured() -> QuerySet[SessionMove]:
    return SessionMove.objects.filter(logins__isnull=True, moved__gt=0).order_by("pk")


def _keep(moves: Sequence[SessionMove], now: float) -> None:
    if not moves:
        return
    table, logins = SessionMove._meta.db_table, SessionMove._meta.get_field("logins")
    records = measure_all(moves, now)
    rows = [(logins.get_db_prep_save(records[move.pk], connection), move.pk) for move in moves]
    with connection.cursor() as cursor:
        # Whoever was first saw the sessions as they were.
        cursor.executemany(
            f"UPDATE {table} SET logins = %s WHERE event_id = %s AND logins IS NULL", rows
        )
    nodes = {pk for move in moves for pk in (move.first_id, move.second_id) if pk}
    real = set(
        PresenceSession.objects.filter(node__in=nodes, by_client=True)
        .order_by()
        .values_list("node", flat=True)
        .distinct()
    )
    for move in moves:
        if real & {move.first_id, move.second_id}:
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
