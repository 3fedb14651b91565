"""What an action that moves sessions will do to people, reckoned from the sessions as they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from redundancy.clock import lab_now
from redundancy.models import (
    Forecast,
    HaEvent,
    PresenceSession,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.relogin import PERCENTS, LoginBand, peak_of, span_of, until_of
from redundancy.selectors import enterprise, limits
from redundancy.selectors.access import is_logged_in


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a move. ``disconnected``: of the moved, those who are logged in now.

    ``bands``: of users, whose clients log in together: ``per_user`` of each. ``pushed``: users with
    push clients, among the moved.
    """

    moved: int
    disconnected: int
    bands: tuple[LoginBand, ...]
    per_user: int = 1
    pushed: int = 0

    @property
    def sessions(self) -> int:
        """Return how many sessions are moved: one for each client."""
        return self.moved * self.per_user

    @property
    def peak(self) -> float:
        """Return the logins per second in the busiest span, as half of such moves stay below."""
        return self.per_user * peak_of(self.bands)

    @property
    def span(self) -> int:
        """Return the seconds of such a span."""
        return span_of(max((band.upper for band in self.bands), default=0.0))

    def until(self, percent: int) -> float:
        """Return after how many seconds so many percent of the moved are back."""
        return until_of(percent / 100, self.bands)

    @property
    def milestones(self) -> tuple[tuple[int, float], ...]:
        """Return after how many seconds 50, 95 and 100 % are back."""
        return tuple((percent, self.until(percent)) for percent in PERCENTS)


def of_takeover(group: RedundancyGroup, taker: Server) -> Expected:
    """Return what is expected when ``taker`` takes every user of the group."""
    sessions = PresenceSession.objects.filter(user__home__group=group)
    return _expected([(sessions.exclude(node=taker), taker)])


def of_homecoming(group: RedundancyGroup, but: Collection[int] = ()) -> Expected:
    """Return what is expected when every user of the group goes to the assigned node.

    ``but``: nodes, by their keys, at which nobody will log in; their users are left out.
    """
    nodes = list(group.servers.all())
    return _expected(
        [
            # By the other nodes, which have few of them: by the users it would be all sessions there are.
            (PresenceSession.objects.filter(user__home=node, node__in=set(nodes) - {node}), node)
            for node in nodes
            if node.pk not in but
        ]
    )


def _expected(ways: Sequence[tuple[QuerySet[PresenceSession], Server]]) -> Expected:
    now, clients = lab_now(), enterprise.clients()
    found = [
        band for sessions, node in ways for band in limits.bands(sessions, node, now, clients.push)
    ]
    disconnected = sum(sessions.filter(is_logged_in(now)).count() for sessions, _ in ways)
    pushed = 0
    if clients.push:
        theirs = limits.pushed(clients.push)
        pushed = sum(sessions.filter(theirs).count() for sessions, _ in ways)
    moved = sum(band.clients for band in found)
    return Expected(moved, disconnected, tuple(found), clients.per_user, pushed)


def forecast_of_move(move: SessionMove) -> Forecast | None:
    """Return what was forecast of a move; None when nobody asked for it beforehand."""
    if move.group_id is None:
        return None
    before = SessionMove.objects.filter(
        group=move.group_id, event__lt=move.event_id, moved__gt=0, again=False
    )
    previous = before.values_list("event_id", flat=True).first() or 0
    told = Forecast.objects.select_related("event").filter(
        group=move.group_id, event__gt=previous, event__lte=move.event_id
    )
    return told.first()


def forecast_of_event(event: HaEvent) -> Forecast | None:
    """Return what was forecast when ``event`` asked for a move; None when nothing was."""
    return Forecast.objects.select_related("event").filter(event=event).first()


def move_of(forecast: Forecast) -> SessionMove | None:
    """Return the move that a forecast was of; None while it has not come, or when it never did."""
    following = SessionMove.objects.select_related("event").filter(
        group=forecast.group_id, event__gte=forecast.event_id, moved__gt=0, again=False
    )
    move = following.order_by("pk").first()
    return move if move is not None and forecast_of_move(move) == forecast else None
