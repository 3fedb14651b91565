"""How many sessions the users of each node have, and where."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce

from redundancy.clock import lab_now
from redundancy.models import PresenceUser, Server
from redundancy.selectors.access import missing_services, nobody_logs_in
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


def why_no_login(home: int | None) -> str:
    """Return why a client of who is assigned to the node ``home`` cannot log in now; empty when it can."""
    if home is None:
        return ""
    found = Server.objects.filter(pk=home).annotate(serves=Coalesce("group__holder", "pk"))
    server = Server.objects.filter(pk__in=found.values("serves")).first()
    missing = missing_services([server.pk]) if server else {}
    return nobody_logs_in(server.name, missing[server.pk]) if server and missing else ""
