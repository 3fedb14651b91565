"""How many sessions the users of each node have, and where."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Q

from redundancy.clock import lab_now
from redundancy.models import PresenceUser, Server
from redundancy.selectors.presence import Presence, presence


@dataclass(frozen=True, slots=True)
class Home:
    """The users assigned to a node. ``signed_in``: have a session; ``away``: have it elsewhere."""

    assigned: int = 0
    signed_in: int = 0
    away: int = 0

    @property
    def signed_out(self) -> int:
        """Return how many have no session."""
        return self.assigned - self.signed_in


@dataclass(frozen=True, slots=True)
class NodeSessions:
    """A node: the users assigned to it, and the sessions on it."""

    name: str
    home: Home
    presence: Presence


def of_homes(node_ids: Collection[int]) -> Mapping[int, Home]:
    """Return the users of each of these nodes, in one query."""
    away = Q(session__isnull=False) & ~Q(session__node=F("home"))
    rows = (
        PresenceUser.objects.filter(home__in=node_ids)
        .values("home")
        .annotate(all=Count("pk"), here=Count("session"), there=Count("pk", filter=away))
        .order_by()
    )
    found = dict.fromkeys(node_ids, Home())
    found |= {row["home"]: Home(row["all"], row["here"], row["there"]) for row in rows}
    return found


def by_node(servers: Iterable[Server]) -> list[NodeSessions]:
    """Return the users and sessions of each of these nodes, in three queries."""
    names = {server.pk: server.name for server in servers}
    homes, here = of_homes(names), presence(names, lab_now())
    return [NodeSessions(name, homes[pk], here[pk]) for pk, name in names.items()]
