"""Whose client is logged in, and where: the counts of sessions that pages, CLI and rehearsals show."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from redundancy.catalog import XCP_ROUTER
from redundancy.models import NodeService, PresenceSession, Server
from redundancy.srm.states import SERVES_NOBODY
from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class Presence:
    """The sessions on a node. ``active``: logged in; ``waiting``: not, or not any more.

    ``serves``: whether a client can be logged in there. While it cannot, everybody waits.
    """

    active: int = 0
    waiting: int = 0
    serves: bool = True

    @property
    def sessions(self) -> int:
        """Return how many sessions are on the node."""
        return self.active + self.waiting

    @property
    def why_waiting(self) -> str:
        """Return what those wait for who are not logged in, for people."""
        return say("waiting to log in") if self.serves else say("not served")

    def __str__(self) -> str:
        if not self.waiting:
            return say("{active:,}", active=self.active)
        return say(
            "{active:,} ({waiting:,} {why})",
            active=self.active,
            waiting=self.waiting,
            why=self.why_waiting,
        )


def presence(node_ids: Collection[int], now: float) -> Mapping[int, Presence]:
    """Return the sessions on each of these nodes at lab time ``now``, in three queries.

    Those who wait are counted for themselves: their part of the index is short, and mostly empty.
    """
    serving = serving_nodes(node_ids)
    sessions = PresenceSession.objects.filter(node__in=node_ids).values("node").order_by()
    # A session may come or go between the two queries: the difference must not be negative.
    waits = sessions.filter(relogin_at__gt=now).annotate(n=Count("*"))
    later = {row["node"]: row["n"] for row in waits}
    found = {pk: Presence(serves=pk in serving) for pk in node_ids}
    for row in sessions.annotate(n=Count("*")):
        pk, everybody = row["node"], row["n"]
        waiting = min(everybody, later.get(pk, 0)) if pk in serving else everybody
        found[pk] = Presence(everybody - waiting, waiting, pk in serving)
    return found


def serving_nodes(node_ids: Iterable[int]) -> set[int]:
    """Return those of the nodes at which clients can be logged in.

    One is powered, its XCP Router runs, where the connections of clients end, and it is in no state
    in which it serves nobody.
    """
    router = NodeService.objects.filter(server=OuterRef("pk"), name=XCP_ROUTER, running=True)
    nodes = Server.objects.filter(Exists(router), pk__in=node_ids, machine__powered=True)
    idle = Q(group__ha_enabled=True, runtime__state__in=SERVES_NOBODY)
    return set(nodes.exclude(idle).values_list("pk", flat=True))
