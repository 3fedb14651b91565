"""How many real clients there are at nodes, beside those that the lab plays."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from redundancy.models import PresenceSession
from redundancy.selectors.access import Access, access_of, is_logged_in
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
