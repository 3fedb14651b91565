"""Where sessions of users are, and when their clients log in there."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

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
from redundancy.models.bulk import insert
from redundancy.operations import measured
from redundancy.operations.pairs import Pairs
from redundancy.operations.ways import Passed, Way, move_along
from redundancy.selectors import enterprise
from redundancy.selectors.enterprise import ClientSettings
from redundancy.selectors.limits import limits_of_all


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


def serve(
    goals: Sequence[tuple[RedundancyGroup, Server | None]],
    nodes: Collection[Server],
    now: float,
) -> dict[int, Placement]:
    """Let one node serve all users of a group, or (None) each node its own; move the sessions there.

    ``goals``: each group once. ``nodes``: of all these groups. The caller holds the lock on the groups'
    rows. Their epochs rise, even if nobody moves: a move that was decided before must not be done after.
    The number of statements does not grow with that of the groups. Return what was placed, by group.
    """
    clients = enterprise.clients()
    measured.overtake([group for group, _ in goals], now)
    ways = list(_ways(goals, nodes, now, clients.push))
    passed: dict[int, list[Passed]] = {group.pk: [] for group, _ in goals}
    for way, each in zip(ways, move_along(ways, now, clients), strict=True):
        passed[way.group].append(each)
    pairs = Pairs.of((group.pk, goal.pk if goal else None) for group, goal in goals)
    table = RedundancyGroup._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET epoch = epoch + 1, holder_id = p.node_id FROM {pairs.sql} p "
            f"WHERE {table}.id = p.item_id",
            [pairs.param],
        )
    for group, goal in goals:
        group.epoch += 1
        group.holder = goal
    return {group: _placed(each, now, clients) for group, each in passed.items()}


def _ways(
    goals: Sequence[tuple[RedundancyGroup, Server | None]],
    nodes: Collection[Server],
    now: float,
    push: int,
) -> Iterator[Way]:
    """Yield the ways that lead to these goals."""
    of_group: dict[int | None, list[Server]] = {}
    for node in nodes:
        of_group.setdefault(node.group_id, []).append(node)
    stopped = Machine.objects.filter(server__in=nodes, logins_stopped_at__lt=now)
    shut = dict(stopped.values_list("pk", "logins_stopped_at"))
    limits = limits_of_all(nodes, push)
    for group, goal in goals:
        # Where one node held everybody, nobody is on the way to it.
        homes = [node for node in of_group[group.pk] if node.pk != group.holder_id]
        for to in [goal] if goal is not None else homes:
            for start in of_group[group.pk]:
                if start.pk != to.pk:
                    # Who tried in vain has not logged in, and keeps the limits of the login before.
                    known = shut.get(start.pk) or now
                    yield Way(group.pk, start.pk, to.pk, goal is None, known, *limits[to.pk])


def _placed(passed: Sequence[Passed], now: float, clients: ClientSettings) -> Placement:
    # The limits of a node that nobody went to count only when nobody went anywhere.
    counting = [each for each in passed if each.moved] or passed
    return Placement(
        now,
        sum(each.moved for each in passed),
        min(each.lower for each in counting),
        max(each.upper for each in counting),
        clients,
        sum(each.pushed for each in passed),
    )


def send_home(group: RedundancyGroup, now: float) -> Placement:
    """Move every session of the group's users to its assigned node.

    The caller holds the lock on the group's row. The epoch rises, so that a move decided before is
    refused.
    """
    return serve([(group, None)], Server.objects.filter(group=group), now)[group.pk]


def remember_moves(
    moves: Iterable[tuple[HaEvent, RedundancyGroup, Placement]], nodes: Collection[Server]
) -> None:
    """Write down who serves the users of each group since its event; ``nodes``: of all these groups."""
    of_group: dict[int | None, list[Server]] = {}
    for node in sorted(nodes, key=lambda node: node.slot or 0):
        of_group.setdefault(node.group_id, []).append(node)
    insert(
        _move_of(event, group, placement, of_group[group.pk]) for event, group, placement in moves
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
    _move_of(event, group, placement, list(nodes.order_by("slot")), again=again is not None).save(
        force_insert=True
    )


def _move_of(
    event: HaEvent,
    group: RedundancyGroup | None,
    placement: Placement,
    nodes: Sequence[Server],
    *,
    again: bool = False,
) -> SessionMove:
    first, second, *_ = [*nodes, None, None]
    holder = group.holder if group is not None else None
    return SessionMove(
        event_id=event.pk,
        group_id=group.pk if group is not None else None,
        at=placement.at,
        epoch=group.epoch if group is not None else 0,
        holder_id=holder.pk if holder else None,
        holder_name=holder.name if holder else "",
        first_id=first.pk if first else None,
        first_name=first.name if first else "",
        second_id=second.pk if second else None,
        second_name=second.name if second else "",
        moved=placement.moved,
        clients_per_user=placement.clients.per_user,
        push_clients=placement.clients.push,
        lower=int(placement.lower),
        upper=int(placement.upper),
        again=again,
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
