"""The re-login limits that clients keep from their login on: a history for each node."""

from collections.abc import Sequence
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


def at_login(server: Server, login: Expression) -> tuple[Expression, Expression]:
    """Return the lower and the upper limit of the node as they were at the moment ``login``."""
    rows = list(server.relogin_limits.order_by("-at", "-pk"))
    lower, upper = (float(PARAMETER_BY_KEY[key].default) for key in KEYS)
    return (
        _then(login, [(row.at, float(row.lower)) for row in rows], lower),
        _then(login, [(row.at, float(row.upper)) for row in rows], upper),
    )


def _then(login: Expression, since: Sequence[tuple[float, float]], before: float) -> Expression:
    """Return the value that held at ``login``; ``since``: from when which held, the newest first."""
    if not since:
        return Value(before, FloatField())
    arms = (When(GreaterThanOrEqual(login, at), then=Value(value)) for at, value in since)
    return Case(*arms, default=Value(before), output_field=FloatField())


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
