"""Write down the re-login limits of the nodes: clients keep those of their login."""

from itertools import pairwise

from django.db.models import Count, Q

from redundancy.clock import lab_now
from redundancy.models import PresenceSession, ReloginLimits, Server
from redundancy.selectors import parameters
from redundancy.selectors.limits import KEYS, last_login


def remember(server: Server) -> None:
    """Write down the node's limits, which hold from now on; forget those that no client has.

    To be called in the transaction that changes one of them.
    """
    now = lab_now()
    values = parameters.of_node(server)
    lower, upper = (int(values[key]) for key in KEYS)
    ReloginLimits.objects.create(server=server, at=now, lower=lower, upper=upper)
    _forget(server, now)


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
