"""What an action that moves sessions will do to people, reckoned from the sessions as they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from redundancy.clock import lab_now
from redundancy.models import (
    Forecast,
    HaEvent,
    PresenceSession,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.relogin import PERCENTS, LoginBand, peak_of, until_of
from redundancy.selectors import limits
from redundancy.selectors.presence import serving_nodes


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a move. ``disconnected``: of the moved, those who are logged in now."""

    moved: int
    disconnected: int
    bands: tuple[LoginBand, ...]

    @property
    def peak(self) -> float:
        """Return the logins per second at the peak."""
        return peak_of(self.bands)

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


def of_homecoming(group: RedundancyGroup) -> Expected:
    """Return what is expected when every user of the group goes to the assigned node."""
    away = PresenceSession.objects.exclude(node=F("user__home"))
    return _expected([(away.filter(user__home=node), node) for node in group.servers.all()])


def _expected(ways: Sequence[tuple[QuerySet[PresenceSession], Server]]) -> Expected:
    now = lab_now()
    found = [band for sessions, node in ways for band in limits.bands(sessions, node, now)]
    disconnected = 0
    for sessions, _ in ways:
        active = sessions.values("node").annotate(active=Count("pk", filter=Q(relogin_at__lte=now)))
        counts = {row["node"]: row["active"] for row in active.order_by()}
        disconnected += sum(counts[node] for node in serving_nodes(list(counts)))
    return Expected(sum(band.clients for band in found), disconnected, tuple(found))


def forecast_of_move(move: SessionMove) -> Forecast | None:
    """Return what was forecast of a move; None when nobody asked for it beforehand."""
    if move.group_id is None:
        return None
    before = SessionMove.objects.filter(group=move.group_id, event__lt=move.event_id, moved__gt=0)
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
        group=forecast.group_id, event__gte=forecast.event_id, moved__gt=0
    )
    move = following.order_by("pk").first()
    return move if move is not None and forecast_of_move(move) == forecast else None
