"""Whose client is logged in, and where: the counts of sessions that pages, CLI and rehearsals show."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Count

from redundancy.catalog import PRESENCE_ENGINE
from redundancy.models import NodeService, PresenceSession
from redundancy.selectors import enterprise
from redundancy.selectors.access import (
    Access,
    access_of,
    has_logged_in,
    is_logged_in,
    without_clients,
)
from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class Presence:
    """The sessions on a node. ``active``: logged in; ``waiting``: not, or not any more.

    ``serves``: whether a client can log in there, or none is to. While it cannot, all others wait.
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
    """Return the sessions on each of these nodes at lab time ``now``, in five queries at most.

    Those who wait are counted for themselves: their part of the index is short, and mostly empty.
    """
    access = access_of(node_ids)
    sessions = PresenceSession.objects.filter(node__in=node_ids).values("node").order_by()
    # A session may come or go between the queries: the difference must not be negative.
    waits = sessions.filter(relogin_at__gt=now).annotate(n=Count("*"))
    later = {row["node"]: row["n"] for row in waits}
    # At these it is not the time alone that counts.
    shut = [pk for pk, each in access.items() if each.stopped_at is not None]
    if shut:
        failed = sessions.filter(node__in=shut).exclude(has_logged_in(now)).annotate(n=Count("*"))
        later |= {row["node"]: row["n"] for row in failed}
    closed = {pk for pk, each in access.items() if not each.serves}
    closed -= without_clients(closed) if closed else set()
    found = {pk: Presence(serves=pk not in closed) for pk in node_ids}
    for row in sessions.annotate(n=Count("*")):
        pk, everybody = row["node"], row["n"]
        here = access.get(pk, Access())
        waiting = everybody if here.lost_at is not None else min(everybody, later.get(pk, 0))
        found[pk] = Presence(everybody - waiting, waiting, pk not in closed)
    return found


def counted_sessions(
    node_ids: Collection[int], now: float, service: str = PRESENCE_ENGINE
) -> Mapping[int, int | None]:
    """Return how many sessions a service of each node counts, such as *ActiveJsmSessions* of the Presence Engine.

    One for each client of the users that are logged in. None where it does not run: nobody counts there.
    """
    found = presence(node_ids, now)
    counting = NodeService.objects.filter(
        server__in=node_ids, name=service, running=True, server__machine__powered=True
    )
    running = set(counting.values_list("server_id", flat=True))
    each = enterprise.clients().per_user
    return {pk: found[pk].active * each if pk in running else None for pk in node_ids}


def clients_at(node_id: int, now: float) -> Iterator[str]:
    """Yield the clients that are logged in at a node at lab time ``now``: IM addresses, each with a number."""
    each = enterprise.clients().per_user
    sessions = PresenceSession.objects.filter(is_logged_in(now), node=node_id)
    addresses = sessions.order_by("user_id").values_list("user__im_address", flat=True)
    for address in addresses.iterator(2000):
        yield from (f"{address}/{number}" for number in range(1, each + 1))
