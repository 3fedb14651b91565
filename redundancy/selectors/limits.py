"""The re-login limits that clients keep from their login on, as the database reckons with them."""

from dataclasses import dataclass

from django.db.models import Case, Count, Expression, F, FloatField, Q, QuerySet, Value, When
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.models import PresenceSession, Server
from redundancy.relogin import LoginBand
from redundancy.srm.clients import PUSH_MARKS, PUSH_STEP, PUSH_WAIT, push_below

KEYS = ("relogin_lower", "relogin_upper")
# The mark of a session's user: who is below a certain one has push clients.
PUSH_MARK = F("user_id") * PUSH_STEP % PUSH_MARKS


def last_login(now: float) -> Expression:
    """Return the login whose limits a client has: one that still waits has those of the login before."""
    return Case(
        When(relogin_at__lte=now, then=F("relogin_at")),
        default=F("limits_at"),
        output_field=FloatField(),
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the limits of a node. ``since``: from when which value held, the newest first.

    ``percent``: of the users, how many have push clients; these have the limit ``push``.
    """

    before: float
    since: tuple[tuple[float, float], ...]
    percent: int = 0
    push: float = 0.0

    @property
    def values(self) -> set[float]:
        """Return every value that a client may have that is no push client."""
        # A row from the beginning of time leaves nobody with the default.
        first = () if self.since and self.since[-1][0] <= 0 else (self.before,)
        return {*first, *(value for _, value in self.since)}

    @property
    def newest(self) -> float:
        """Return what a client gets that logs in now and is no push client."""
        return self.since[0][1] if self.since else self.before

    def at(self, login: Expression | F) -> Expression:
        """Return the value that held at the moment ``login``; that of push clients holds always."""
        others = self._at(login)
        if not self.percent:
            return others
        push = When(pushed(self.percent), then=Value(self.push))
        return Case(push, default=others, output_field=FloatField())

    def _at(self, login: Expression | F) -> Expression:
        if not self.since:
            return Value(self.before, FloatField())
        arms = (When(GreaterThanOrEqual(login, at), then=Value(value)) for at, value in self.since)
        return Case(*arms, default=Value(self.before), output_field=FloatField())


def pushed(percent: int) -> Q:
    """Return the condition for sessions of users with push clients: see ``has_push_clients``."""
    return Q(LessThan(PUSH_MARK, push_below(percent)))


def limits_of(server: Server, push: int = 0) -> tuple[Limit, Limit]:
    """Return the lower and the upper limit of the node, those that clients still keep included.

    ``push``: of the users, how many percent have push clients.
    """
    rows = list(server.relogin_limits.order_by("-at", "-pk"))
    lower, upper = (float(PARAMETER_BY_KEY[key].default) for key in KEYS)
    return (
        Limit(lower, tuple((row.at, float(row.lower)) for row in rows), push, PUSH_WAIT[0]),
        Limit(upper, tuple((row.at, float(row.upper)) for row in rows), push, PUSH_WAIT[1]),
    )


def bands(
    sessions: QuerySet[PresenceSession], node: Server, now: float, push: int = 0
) -> list[LoginBand]:
    """Return how the clients of these sessions would wait, were they moved to ``node`` at ``now``.

    ``push``: of the users, how many percent have push clients. In one query besides that for the
    limits.
    """
    login = last_login(now)
    lower, upper = limits_of(node, push)
    rows = (
        sessions.annotate(low=lower.at(login), high=upper.at(login))
        .values_list("low", "high")
        .annotate(clients=Count("pk"))
        .order_by("low", "high")
    )
    return [LoginBand(low, high, clients) for low, high, clients in rows]
