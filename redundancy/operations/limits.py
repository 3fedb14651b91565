"""The re-login limits that clients keep from their login on: a history for each node."""

from dataclasses import dataclass
from itertools import pairwise

from django.db.models import Case, Count, Expression, F, FloatField, Q, Value, When
from django.db.models.lookups import GreaterThanOrEqual

from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.clock import lab_now
from redundancy.models import PresenceSession, ReloginLimits, Server
from redundancy.selectors import parameters

KEYS = ("relogin_lower", "relogin_upper")


def remember(server: Server) -> None:
    """Write down the node's limits, which hold from now on; forget those that no client has.

    To be called in the transaction that changes one of them.
    """
    now = lab_now()
    values = parameters.of_node(server)
    lower, upper = (int(values[key]) for key in KEYS)
    ReloginLimits.objects.create(server=server, at=now, lower=lower, upper=upper)
    _forget(server, now)


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


def _forget(server: Server, now: float) -> None:
    """Delete the node's limits that held at no client's login; the newest are those of the next ones.

    So a move's statement does not grow with the number of changes.
    """
    rows = list(server.relogin_limits.order_by("at", "pk"))
    logins = PresenceSession.objects.annotate(login=last_login(now))
    counts = {
        f"row{row.pk}": Count("pk", filter=Q(login__gte=row.at, login__lt=after.at))
        for row, after in pairwise(rows)
    }
    kept = logins.aggregate(**counts) if counts else {}
    unused = [row.pk for row in rows[:-1] if not kept[f"row{row.pk}"]]
    ReloginLimits.objects.filter(pk__in=unused).delete()
