"""The re-login limits that clients keep from their login on, as the database reckons with them."""

from dataclasses import dataclass

from django.db.models import Case, Count, Expression, F, FloatField, QuerySet, Value, When
from django.db.models.lookups import GreaterThanOrEqual

from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.models import PresenceSession, Server
from redundancy.relogin import LoginBand

KEYS = ("relogin_lower", "relogin_upper")


def last_login(now: float) -> Expression:
    """Return the login whose limits a client has: one that still waits has those of the login before."""
    return Case(
        When(relogin_at__lte=now, then=F("relogin_at")),
        default=F("limits_at"),
        output_field=FloatField(),
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the limits of a node. ``since``: from when which value held, the newest first."""

    before: float
    since: tuple[tuple[float, float], ...]

    @property
    def values(self) -> set[float]:
        """Return every value that a client may have."""
        # A row from the beginning of time leaves nobody with the default.
        first = () if self.since and self.since[-1][0] <= 0 else (self.before,)
        return {*first, *(value for _, value in self.since)}

    def at(self, login: Expression) -> Expression:
        """Return the value that held at the moment ``login``."""
        if not self.since:
            return Value(self.before, FloatField())
        arms = (When(GreaterThanOrEqual(login, at), then=Value(value)) for at, value in self.since)
        return Case(*arms, default=Value(self.before), output_field=FloatField())


def limits_of(server: Server) -> tuple[Limit, Limit]:
    """Return the lower and the upper limit of the node, those that clients still keep included."""
    rows = list(server.relogin_limits.order_by("-at", "-pk"))
    lower, upper = (float(PARAMETER_BY_KEY[key].default) for key in KEYS)
    return (
        Limit(lower, tuple((row.at, float(row.lower)) for row in rows)),
        Limit(upper, tuple((row.at, float(row.upper)) for row in rows)),
    )


def bands(sessions: QuerySet[PresenceSession], node: Server, now: float) -> list[LoginBand]:
    """Return how the clients of these sessions would wait, were they moved to ``node`` at ``now``.

    In one query besides that for the limits.
    """
    login = last_login(now)
    lower, upper = limits_of(node)
    rows = (
        sessions.annotate(low=lower.at(login), high=upper.at(login))
        .values_list("low", "high")
        .annotate(clients=Count("pk"))
        .order_by("low", "high")
    )
    return [LoginBand(low, high, clients) for low, high, clients in rows]
