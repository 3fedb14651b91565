"""Who served a user, and when: from the records of what was done to users, and of the moves of groups.

Nothing is stored for a user and a move. What node a user was assigned to, and whether signed in, is
in the records that name the user; where that node's users were served is in its group's moves.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q

from redundancy.keys import unpack
from redundancy.models import (
    WHEN_IT_COMES,
    PresenceSession,
    PresenceUser,
    RecordKind,
    SessionMove,
    UserRecord,
)
from redundancy.srm.clients import has_push_clients
from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in which nothing changed for a user; lab seconds.

    ``end``: None while it lasts. ``server``: who served; empty for nobody. ``why``: what began it.
    ``earliest`` and ``latest``: between these the client logged in; equal where it is known to the
    moment, None where there is no session. A real client that is to log in comes at ``WHEN_IT_COMES``.
    """

    begin: float
    end: float | None
    server: str
    home: str
    why: str
    group: str = ""
    epoch: int | None = None
    event: int | None = None
    earliest: float | None = None
    latest: float | None = None

    @property
    def comes_by_itself(self) -> bool:
        """Return whether a real client is to log in, of which nobody knows when."""
        return self.latest == WHEN_IT_COMES

    def client(self, moment: float) -> str:
        """Return what the client did at ``moment``, as far as it is known."""
        if self.earliest is None or self.latest is None:
            return say("no session")
        if moment >= self.latest:
            return say("logged in")
        if moment < self.earliest:
            return say("waiting to log in")
        return say("waiting to log in, or logged in")


@dataclass(frozen=True, slots=True)
class _Node:
    """A node, by key and name: the key is empty when the server was deleted."""

    pk: int | None
    name: str


@dataclass(frozen=True, slots=True)
class _Life:
    """What was done to a user: from ``begin`` on assigned to ``home``, and signed in or not."""

    begin: float
    home: _Node | None
    signed_in: bool
    why: str


def stays(user: PresenceUser) -> list[Stay]:
    """Return every stay of the user, the oldest first. What was before the first is not recorded.

    Where a session is now and when its client logs in there is known to the moment.
    """
    lives = list(_lives(user))
    moves = {life.home: _moves(life.home) for life in lives if life.home is not None}
    found: list[Stay] = []
    for number, life in enumerate(lives):
        end = lives[number + 1].begin if number + 1 < len(lives) else None
        for stay in _of_life(user.pk, life, end, moves[life.home] if life.home else ()):
            last = found[-1] if found else None
            here = (stay.server, stay.home, stay.begin)
            if (
                last
                and stay.server
                and stay.event is None
                and (last.server, last.home, last.end) == here
            ):
                # To be assigned again to the same node is no change.
                found[-1] = replace(last, end=stay.end)
            elif stay.end is None or stay.end > stay.begin:
                found.append(stay)
    session = PresenceSession.objects.filter(user=user).first()
    if found and session is not None and found[-1].latest is not None:
        found[-1] = replace(found[-1], earliest=session.relogin_at, latest=session.relogin_at)
    return found


def stay_at(all_stays: Sequence[Stay], moment: float) -> Stay | None:
    """Return the stay at lab time ``moment``; None before the first one."""
    number = bisect_right(all_stays, moment, key=lambda stay: stay.begin)
    return all_stays[number - 1] if number else None


def _lives(user: PresenceUser) -> Iterator[_Life]:
    home: _Node | None = None
    signed_in = True
    naming = UserRecord.objects.filter(first__lte=user.pk, last__gte=user.pk).order_by("at", "pk")
    for record in naming:
        if user.pk not in unpack(record.keys):
            continue
        match record.kind:
            case RecordKind.ASSIGNED:
                home = _Node(record.node_id, record.node_name)
                why = say("assigned to {node}", node=record.node_name)
            case RecordKind.UNASSIGNED:
                home, why = None, say("unassigned")
            case RecordKind.SIGNED_IN:
                signed_in, why = True, say("signed in")
            case _:
                signed_in, why = False, say("signed out")
        yield _Life(record.at, home, signed_in, why)


def _moves(home: _Node) -> list[SessionMove]:
    """Return the moves of the groups that the node was in, the oldest first."""
    if home.pk is not None:
        concerned = Q(first=home.pk) | Q(second=home.pk)
    else:
        concerned = Q(first=None, first_name=home.name) | Q(second=None, second_name=home.name)
    moves = SessionMove.objects.filter(concerned).select_related("event")
    return list(moves.order_by("at", "pk"))


def _of_life(
    user: int, life: _Life, end: float | None, moves: Sequence[SessionMove]
) -> Iterator[Stay]:
    """Yield the stays of a user from ``life`` to ``end``, where nothing but the moves changes."""
    if life.home is None or not life.signed_in:
        home = life.home.name if life.home else ""
        yield Stay(life.begin, end, "", home, life.why)
        return
    before = [move for move in moves if move.at <= life.begin]
    later = [move for move in moves if move.at > life.begin and (end is None or move.at < end)]
    server = _server(life.home, before[-1]) if before else life.home.name
    stay = Stay(
        life.begin, None, server, life.home.name, life.why, earliest=life.begin, latest=life.begin
    )
    for move in later:
        push = has_push_clients(user, move.push_clients)
        earliest, latest = move.window(push=push)
        server = _server(life.home, move)
        logs_in_again = move.again and move.event.node_name == server
        if server == stay.server and not logs_in_again:
            continue
        yield replace(stay, end=move.at)
        stay = Stay(
            move.at,
            None,
            server,
            life.home.name,
            move.event.sentence,
            move.event.group_name,
            move.epoch,
            move.event_id,
            move.at + earliest,
            move.at + latest,
        )
    yield replace(stay, end=end)


def _server(home: _Node, move: SessionMove) -> str:
    return move.holder_name or home.name
