"""Whose client is logged in, and where: the counts of sessions that pages, CLI and rehearsals show."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, Max, QuerySet

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
from redundancy.selectors.as_read import as_read
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


class OnNode(NamedTuple):
    """The sessions on a node. ``last``: the lab time at which the last of their clients logs in."""

    sessions: int
    last: float


def presence(node_ids: Collection[int], now: float) -> Mapping[int, Presence]:
    """Return the sessions on each of these nodes at lab time ``now``, in five queries at most."""
    known = access_of(node_ids)
    access = {pk: known.get(pk, Access()) for pk in node_ids}
    sessions = PresenceSession.objects.filter(node__in=node_ids)
    return presence_of(access, sessions, now)


def on_nodes(sessions: QuerySet[PresenceSession]) -> dict[int, OnNode]:
    """Return how many of these sessions each node has that has any, logged in or not; one query."""
    rows = sessions.order_by().values_list("node")
    counts = as_read(rows.annotate(n=Count("*"), last=Max("relogin_at")))
    return {node: OnNode(number, last) for node, number, last in counts}


def presence_of(
    access: Mapping[int, Access],
    sessions: QuerySet[PresenceSession],
    now: float,
    everybody: Mapping[int, OnNode] | None = None,
    closed: Collection[int] | None = None,
) -> dict[int, Presence]:
    """Return the sessions on each of the nodes whose ``access`` this is, in four queries at most.

    ``sessions``: those on these nodes; ``everybody``: what ``on_nodes`` says of them, and ``closed``: which nodes are
    not served, where it is known. Those who wait are counted for themselves, and only where any can: mostly nowhere.
    """
    rows = sessions.order_by().values_list("node")
    if everybody is None:
        everybody = on_nodes(sessions)
    waiting = {}
    if any(each.last > now for each in everybody.values()):
        waiting = dict(rows.filter(relogin_at__gt=now).annotate(n=Count("*")))
    # A session may come or go between two looks: the difference must not be negative.
    counts = {pk: (n, min(n, waiting.get(pk, 0))) for pk, (n, _) in everybody.items()}
    # At these it is not the time alone that counts.
    shut = [pk for pk, each in access.items() if each.stopped_at is not None]
    failed: dict[int, int] = {}
    if shut:
        late = rows.filter(node__in=shut).exclude(has_logged_in(now))
        failed = dict(late.annotate(n=Count("*")))
    if closed is None:
        closed = not_served(access)
    found = {}
    for pk, here in access.items():
        here_now, waits = counts.get(pk, (0, 0))
        if here.lost_at is not None:
            waits = here_now
        elif here.stopped_at is not None:
            waits = min(here_now, failed.get(pk, 0))
        found[pk] = Presence(here_now - waits, waits, pk not in closed)
    return found


def not_served(access: Mapping[int, Access]) -> set[int]:
    """Return those of these nodes at which nobody can log in who is to, in one query at most."""
    closed = {pk for pk, each in access.items() if not each.serves}
    return closed - without_clients(closed) if closed else closed


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
