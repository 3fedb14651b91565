"""Where sessions of users are, and when their clients log in there."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, Expression, F, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Random

from redundancy.clock import lab_datetime, lab_now
from redundancy.models import (
    WHEN_IT_COMES,
    HaEvent,
    Machine,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.operations import measured
from redundancy.operations.pairs import Pairs
from redundancy.selectors import enterprise, limits
from redundancy.selectors.enterprise import ClientSettings


def session_at_login(user: PresenceUser, node_id: int, now: float) -> PresenceSession:
    """Return the session, not saved yet, of a user whose client logs in at a node now."""
    return PresenceSession(
        user=user, node_id=node_id, since=lab_datetime(now), relogin_at=now, limits_at=now
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """Sessions moved at lab time ``at``; their clients log in ``lower`` to ``upper`` seconds later.

    ``moved``: users, whose clients are as ``clients`` says. ``pushed``: those of them with push
    clients, which wait for longer.
    """

    at: float
    moved: int
    lower: float
    upper: float
    clients: ClientSettings
    pushed: int = 0

    @property
    def sessions(self) -> int:
        """Return how many sessions were moved: one for each client."""
        return self.moved * self.clients.per_user


def logs_in_at(played: Expression) -> Expression:
    """Return when the client of a session that is sent to log in does so: a played one at ``played``."""
    real = When(by_client=True, then=Value(WHEN_IT_COMES))
    return Case(real, default=played, output_field=FloatField())


def move_sessions_to(
    users: QuerySet[PresenceUser], node: Server, now: float, clients: ClientSettings
) -> Placement:
    """Move the sessions of these users that are elsewhere to ``node``.

    One statement. Each client waits a time of its own between the limits that it keeps from its
    last login, or between those of push clients, and logs in then; a real one when it does.
    """
    login = limits.last_login(now)
    lower, upper = limits.limits_of(node, clients.push)
    low, high = lower.at(login), upper.at(login)
    elsewhere = PresenceSession.objects.filter(user__in=users).exclude(node=node)
    # Only where the node had several limits does it depend on the sessions which ones count.
    several = len(lower.values) > 1 or len(upper.values) > 1
    theirs = limits.pushed(clients.push)
    others = elsewhere.exclude(theirs) if clients.push else elsewhere
    pushed = elsewhere.filter(theirs).count() if clients.push else 0
    bands = limits.bands(others, node, now) if several else []
    moved = elsewhere.update(
        node=node,
        since=lab_datetime(now),
        relogin_at=logs_in_at(now + low + (high - low) * Random()),
        limits_at=login,
    )
    return Placement(
        now,
        moved,
        min((band.lower for band in bands), default=min(lower.values)),
        max((band.upper for band in bands), default=max(upper.values)),
        clients,
        pushed,
    )


def begin_move(group: RedundancyGroup, now: float, to: Server | None) -> None:
    """Keep what is known of the group's earlier moves, before sessions are moved at ``now``.

    ``to``: where everybody goes; None: each to the node of its own. The caller holds the lock on the
    group's row.
    """
    measured.overtake(group, now)
    shut = Machine.objects.filter(server__group=group, logins_stopped_at__lt=now)
    for node, stopped_at in shut.values_list("pk", "logins_stopped_at"):
        # Who tried in vain has not logged in, and keeps the limits of the login before.
        tried = PresenceSession.objects.filter(
            node=node, relogin_at__gt=stopped_at, relogin_at__lte=now
        )
        # Who stays goes on waiting for this node, as if nobody had moved.
        stays = Q(node=to) if to is not None else Q(node=F("user__home"))
        tried.exclude(stays).update(relogin_at=now + 1)


def send_home(group: RedundancyGroup, now: float) -> Placement:
    """Move every session of the group's users to its assigned node.

    The caller holds the lock on the group's row. The epoch rises, so that a move decided before is
    refused.
    """
    begin_move(group, now, None)
    clients = enterprise.clients()
    placed = [
        move_sessions_to(PresenceUser.objects.filter(home=node), node, now, clients)
        for node in Server.objects.filter(group=group)
    ]
    group.epoch += 1
    group.holder = None
    group.save(update_fields=["epoch", "holder"])
    # The limits of a node that nobody went to count only when nobody went anywhere.
    counting = [each for each in placed if each.moved] or placed
    return Placement(
        now,
        sum(each.moved for each in placed),
        min(each.lower for each in counting),
        max(each.upper for each in counting),
        clients,
        sum(each.pushed for each in placed),
    )


def remember_move(
    event: HaEvent,
    group: RedundancyGroup | None,
    placement: Placement,
    *,
    again: Server | None = None,
) -> None:
    """Write down who serves the group's users since ``event``: its holder, or each node its own.

    ``again``: nobody moved, but clients log in again at this node.
    """
    nodes = Server.objects.filter(pk=again.pk) if again else Server.objects.none()
    if group is not None:
        nodes = Server.objects.filter(group=group)
    first, second, *_ = [*nodes.order_by("slot"), None, None]
    holder = group.holder if group is not None else None
    SessionMove.objects.create(
        event=event,
        group=group,
        at=placement.at,
        epoch=group.epoch if group is not None else 0,
        holder=holder,
        holder_name=holder.name if holder else "",
        first=first,
        first_name=first.name if first else "",
        second=second,
        second_name=second.name if second else "",
        moved=placement.moved,
        clients_per_user=placement.clients.per_user,
        push_clients=placement.clients.push,
        lower=int(placement.lower),
        upper=int(placement.upper),
        again=again is not None,
    )


def log_in(users: QuerySet[PresenceUser], now: float) -> None:
    """Let the clients of these users, who have no session, log in at the nodes that serve them now.

    Who is assigned to no node is left out. One statement.
    """
    serving = Coalesce("home__group__holder_id", "home_id")
    rows = users.filter(home__isnull=False).order_by().values_list("pk", serving)
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {PresenceSession._meta.db_table} "
            "(user_id, node_id, since, relogin_at, limits_at) "
            f"SELECT u.*, {_MOMENTS} FROM ({sql}) u",
            [*_moments(now), *params],
        )


def follow_assignment(pairs: Pairs) -> None:
    """Let sessions follow users who are about to be assigned to another node each, or to none.

    Call it before the users' own rows change, with the lock on the groups of all nodes concerned.
    A user who had no node is logged in at the new one, unless signed out; a session moves along, its
    client logs in there at once, a real one when it does; who is unassigned is logged out. Three
    statements, whatever the number of users.
    """
    moments = _moments(lab_now())
    sessions, users = PresenceSession._meta.db_table, PresenceUser._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {sessions} (user_id, node_id, since, relogin_at, limits_at) "
            f"SELECT u.id, p.node_id, {_MOMENTS} FROM {pairs.sql} p JOIN {users} u ON u.id = p.item_id "
            f"LEFT JOIN {sessions} s ON s.user_id = u.id "
            "WHERE u.home_id IS NULL AND s.user_id IS NULL AND p.node_id IS NOT NULL "
            "AND NOT u.signed_out",
            [*moments, pairs.param],
        )
        cursor.execute(
            f"UPDATE {sessions} SET node_id = p.node_id, since = %s, "
            "relogin_at = CASE WHEN by_client THEN %s ELSE %s END, "
            "limits_at = CASE WHEN by_client AND relogin_at > %s THEN limits_at "
            "WHEN by_client THEN relogin_at ELSE %s END "
            f"FROM {pairs.sql} p "
            f"WHERE {sessions}.user_id = p.item_id AND {sessions}.node_id <> p.node_id",
            [moments[0], WHEN_IT_COMES, moments[1], moments[1], moments[2], pairs.param],
        )
        cursor.execute(
            f"DELETE FROM {sessions} WHERE user_id IN "
            f"(SELECT item_id FROM {pairs.sql} p WHERE node_id IS NULL)",
            [pairs.param],
        )


# Since when a session is at its node, when its client logged in there, and got its limits.
_MOMENTS = "%s, %s, %s"


def _moments(now: float) -> list[Any]:
    since = PresenceSession._meta.get_field("since").get_db_prep_save(lab_datetime(now), connection)
    return [since, now, now]
