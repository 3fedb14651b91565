"""How many real clients there are at nodes, beside those that the lab plays, and how they came back after a move.

``SessionMove.real_logins`` keeps the latter as JSON when the sessions will tell it no more::

    {"clients": 500, "back": 480, "until": {"50": 203.4, "95": 508.1, "100": null},
     "lower": 120, "upper": 537, "expected": {"50": 328.5, "95": 516.2, "100": 537}}

``until``: lab seconds after the move until so many percent of ``clients`` had logged in; null: they never had.
``lower`` and ``upper``: the widest limits that they kept, and when they are back, spread evenly between their own.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet

from redundancy.models import PresenceSession, Server, SessionMove
from redundancy.relogin import PERCENTS, LoginBand, until_of
from redundancy.selectors.access import Access, access_of, has_logged_in, is_logged_in
from redundancy.selectors.forecast import forecast_of_move
from redundancy.selectors.limits import limits_of
from redundancy.selectors.login_counts import at_nodes, of_move
from redundancy.selectors.presence import Presence


@dataclass(frozen=True, slots=True)
class RealClients:
    """The users of real clients whose sessions are on a node; they are among its ``Presence``, too."""

    node: str
    presence: Presence


def real_clients(node_ids: Collection[int], now: float) -> tuple[RealClients, ...]:
    """Return them for each of these nodes that has some, in one query, in two where there are any."""
    rows = list(
        PresenceSession.objects.filter(node__in=node_ids, by_client=True)
        .order_by("node__name")
        .values_list("node", "node__name")
        .annotate(all=Count("pk"), active=Count("pk", filter=is_logged_in(now)))
    )
    access = access_of({row[0] for row in rows}) if rows else {}
    return tuple(
        RealClients(name, Presence(active, every - active, access.get(pk, Access()).serves))
        for pk, name, every, active in rows
    )


@dataclass(frozen=True, slots=True)
class RealReturn:
    """How the real clients among the moved came back, beside what was to be expected.

    ``back`` of ``clients`` have logged in; ``moved``: all users that were moved, to whom a forecast belongs. ``rows``: a
    percentage, after how many lab seconds so many were expected back, and were. ``forecast``: whether an administrator
    was told so beforehand; else it is what the limits that the clients kept (``lower`` to ``upper``) make of an even
    spread. ``over``: nobody is to come any more.
    """

    clients: int
    back: int
    moved: int
    rows: tuple[tuple[int, float, float | None], ...]
    forecast: bool
    lower: float
    upper: float
    over: bool


def real_return(move: SessionMove, now: float) -> RealReturn | None:
    """Return how the real clients of a move came back by lab time ``now``; None where there were none."""
    telling = measure_real(move, now)
    record = telling or move.real_logins
    if not record:
        return None
    told = forecast_of_move(move)
    return RealReturn(
        clients=record["clients"],
        back=record["back"],
        moved=move.moved,
        rows=tuple(
            (
                percent,
                getattr(told, f"until_{percent}") if told else record["expected"][str(percent)],
                record["until"][str(percent)],
            )
            for percent in PERCENTS
        ),
        forecast=told is not None,
        lower=record["lower"],
        upper=record["upper"],
        over=telling is None or record["back"] == record["clients"],
    )


def measure_real(move: SessionMove, now: float) -> dict[str, Any] | None:
    """Return the record of a move's real clients as their sessions tell; None where none tells of it."""
    sessions = at_nodes(move).filter(of_move(move), by_client=True)
    clients = sessions.count()
    if not clients:
        return None
    done = sessions.filter(has_logged_in(now)).order_by("relogin_at")
    back = done.count()
    moments = done.values_list("relogin_at", flat=True)

    def until(percent: int) -> float | None:
        needed = math.ceil(clients * percent / 100)
        return round(moments[needed - 1] - move.at, 1) if needed <= back else None

    kept = _bands(move, sessions)
    return {
        "clients": clients,
        "back": back,
        "until": {str(percent): until(percent) for percent in PERCENTS},
        "lower": min(band.lower for band in kept),
        "upper": max(band.upper for band in kept),
        "expected": {str(each): round(until_of(each / 100, kept), 1) for each in PERCENTS},
    }


def _bands(move: SessionMove, sessions: QuerySet[PresenceSession]) -> list[LoginBand]:
    """Return between which limits the real clients of a move wait: those of the node that they were logged in at.

    They got them at that login, which stands in ``limits_at``.
    """
    found: list[LoginBand] = []
    nodes = Server.objects.filter(pk__in=[pk for pk in (move.first_id, move.second_id) if pk])
    for node in nodes:
        before = node if move.again else next((each for each in nodes if each != node), node)
        lower, upper = limits_of(before)
        login = F("limits_at")
        rows = (
            sessions.filter(node=node)
            .annotate(low=lower.at(login), high=upper.at(login))
            .values_list("low", "high")
            .annotate(clients=Count("pk"))
            .order_by("low", "high")
        )
        found += [LoginBand(*row) for row in rows]
    return found
