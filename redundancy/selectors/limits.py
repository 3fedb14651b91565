"""The re-login limits that clients keep from their login on, as the database reckons with them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import Case, Count, Expression, F, FloatField, Q, QuerySet, Value, When
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.models import PresenceSession, ReloginLimits, Server
from redundancy.relogin import LoginBand
from redundancy.srm.clients import PUSH_MARKS, PUSH_STEP, PUSH_WAIT, push_below

KEYS = ("relogin_lower", "relogin_upper")
# Stands for a moment after all others, and its negative for one before.
END = 1e15
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
    return limits_of_all([server], push)[server.pk]


def limits_of_all(servers: Collection[Server], push: int = 0) -> dict[int, tuple[Limit, Limit]]:
    """Return the same of several nodes, by their keys, in one query."""
    rows: dict[int, list[ReloginLimits]] = {server.pk: [] for server in servers}
    for row in ReloginLimits.objects.filter(server__in=rows).order_by("-at", "-pk"):
        rows[row.server_id].append(row)
    lower, upper = (float(PARAMETER_BY_KEY[key].default) for key in KEYS)
    return {
        pk: (
            Limit(lower, tuple((row.at, float(row.lower)) for row in its), push, PUSH_WAIT[0]),
            Limit(upper, tuple((row.at, float(row.upper)) for row in its), push, PUSH_WAIT[1]),
        )
        for pk, its in rows.items()
    }


def spans(lower: Limit, upper: Limit) -> Iterator[tuple[float, float, float, float]]:
    """Yield from when until when (lab seconds) a login got which two limits, of a node as ``limits_of`` tells.

    The last one first; they leave no gap.
    """
    until = END
    for (at, low), (_, high) in zip(lower.since, upper.since, strict=True):
        # Of two at one moment the newer one counts.
        if at < until:
            yield at, until, low, high
            until = at
    yield -END, until, lower.before, upper.before


def bands(
    sessions: QuerySet[PresenceSession], node: Server, now: float, push: int = 0
) -> list[LoginBand]:
    """Return how the clients of these sessions would wait, were they moved to ``node`` at ``now``.

    ``push``: of the users, how many percent have push clients. In one query besides that for the
    limits.
    """
    return bands_of(sessions, *limits_of(node, push), now)


def bands_of(
    sessions: QuerySet[PresenceSession], lower: Limit, upper: Limit, now: float
) -> list[LoginBand]:
    """Return the same where the limits are known, in one query."""
    login = last_login(now)
    rows = (
        sessions.annotate(low=lower.at(login), high=upper.at(login))
        .values_list("low", "high")
        .annotate(clients=Count("pk"))
        .order_by("low", "high")
    )
    return [LoginBand(low, high, clients) for low, high, clients in rows]
