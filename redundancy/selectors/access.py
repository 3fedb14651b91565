"""Whether clients can log in at nodes, and which services they lack there.

A client logs in only at a node where all of ``catalog.LOGIN_SERVICES`` run, and stays logged in while
its ``CONNECTION_SERVICES`` do. SRM monitors one of them, so a node may be Normal and let nobody in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q

from redundancy.catalog import CONNECTION_SERVICES, LOGIN_SERVICES, XCP_ROUTER, XCP_SERVICES
from redundancy.models import Machine, NodeService, PresenceSession
from redundancy.srm.states import SERVES_NOBODY
from redundancy.srm.words import listed, say, say_count, together

UNSEEN = say(
    "Server Recovery Manager does not monitor that: no failover follows, and users wait until "
    "somebody starts them."
)


@dataclass(frozen=True, slots=True)
class Access:
    """Since when (lab seconds) clients cannot log in at a node; None while they can.

    ``lost_at``: since when those who were logged in are disconnected. ``again_at``: since when logins
    are possible again; the next sweep lets the clients in.
    """

    stopped_at: float | None = None
    lost_at: float | None = None
    again_at: float | None = None

    @classmethod
    def of(cls, machine: Machine) -> "Access":
        """Return the access to the node of a machine that was read."""
        return cls(machine.logins_stopped_at, machine.clients_lost_at, machine.logins_again_at)

    @property
    def serves(self) -> bool:
        """Whether a client can log in now."""
        return self.stopped_at is None or self.again_at is not None

    def is_logged_in(self, relogin_at: float, now: float) -> bool:
        """Return whether a client that was to log in at ``relogin_at`` is logged in at ``now``."""
        if self.lost_at is not None:
            return False
        return relogin_at <= (now if self.stopped_at is None else min(now, self.stopped_at))


@dataclass(frozen=True, slots=True)
class Ability:
    """What a node can do for clients: hold their connections, and let them log in."""

    holds: bool
    logs_in: bool


def access_of(node_ids: Iterable[int]) -> dict[int, Access]:
    """Return the access to each of these nodes that has a machine, in one query."""
    rows = Machine.objects.filter(pk__in=node_ids)
    columns = ("pk", "logins_stopped_at", "clients_lost_at", "logins_again_at")
    return {pk: Access(*times) for pk, *times in rows.values_list(*columns)}


def has_logged_in(now: float, session: str = "") -> Q:
    """Return the condition for sessions whose client did log in by ``now``; it may be lost since.

    ``session``: the way to the session, as in ``session__``, where others are asked for.
    """
    stopped = f"{session}node__machine__logins_stopped_at"
    at = f"{session}relogin_at__lte"
    return Q(**{at: now}) & (Q(**{f"{stopped}__isnull": True}) | Q(**{at: F(stopped)}))


def is_logged_in(now: float, session: str = "") -> Q:
    """Return the condition for sessions whose client is logged in at ``now``; ``session`` as above."""
    lost = f"{session}node__machine__clients_lost_at__isnull"
    return has_logged_in(now, session) & Q(**{lost: True})


def abilities(node_ids: Collection[int]) -> Mapping[int, Ability]:
    """Return what each of these nodes can do for clients by its services, in two queries."""
    idle = Q(server__group__ha_enabled=True, server__runtime__state__in=SERVES_NOBODY)
    up = set(
        Machine.objects.filter(pk__in=node_ids, powered=True)
        .exclude(idle)
        .values_list("pk", flat=True)
    )
    counts = (
        NodeService.objects.filter(server__in=up, name__in=LOGIN_SERVICES, running=True)
        .values_list("server")
        .annotate(all=Count("pk"), held=Count("pk", filter=Q(name__in=CONNECTION_SERVICES)))
        .order_by()
    )
    running = {pk: (every, held) for pk, every, held in counts}
    found = {}
    for pk in node_ids:
        every, held = running.get(pk, (0, 0))
        found[pk] = Ability(held == len(CONNECTION_SERVICES), logs_in=every == len(LOGIN_SERVICES))
    return found


def missing_services(node_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the services that clients lack on each of these nodes, in the order of the catalogue.

    Only of nodes with power: of the others nothing is said. In one query.
    """
    rows = NodeService.objects.filter(
        server__in=node_ids,
        server__machine__powered=True,
        name__in=LOGIN_SERVICES,
        running=False,
    ).values_list("server", "name")
    stopped: dict[int, set[str]] = {}
    for pk, name in rows:
        stopped.setdefault(pk, set()).add(name)
    return {
        pk: tuple(name for name in LOGIN_SERVICES if name in names) for pk, names in stopped.items()
    }


def not_activated(node_id: int, names: Collection[str]) -> tuple[str, ...]:
    """Return which of the services ``names`` are not activated on the node, in their order."""
    rows = NodeService.objects.filter(server=node_id, name__in=names, activated=False)
    found = set(rows.values_list("name", flat=True))
    return tuple(name for name in names if name in found)


def without_clients(node_ids: Collection[int]) -> set[int]:
    """Return those of these nodes that serve, but nobody is to log in at them, in one query.

    That is a deployment without clients, as for remote call control only: a service that a login needs
    is activated on no node of the group, and nobody of it is signed in.
    """
    group = OuterRef("server__group")
    elsewhere = NodeService.objects.filter(
        server__group=group, name=OuterRef("name"), activated=True
    )
    signed_in = PresenceSession.objects.filter(Q(node=OuterRef("server")) | Q(node__group=group))
    never = NodeService.objects.filter(
        server__in=node_ids,
        server__machine__powered=True,
        name__in=LOGIN_SERVICES,
        activated=False,
    ).exclude(server__group__ha_enabled=True, server__runtime__state__in=SERVES_NOBODY)
    rows = never.filter(~Exists(elsewhere), ~Exists(signed_in))
    return set(rows.order_by().values_list("server_id", flat=True))


def missed_services(node_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the same as ``missing_services``, where clients are to log in; in two queries at most."""
    missing = missing_services(node_ids)
    unused = without_clients(list(missing)) if missing else set()
    return {pk: names for pk, names in missing.items() if pk not in unused}


def still_missing(stopped: Collection[str], action: str, *, router_runs: bool) -> tuple[str, ...]:
    """Return which of the services that ``stopped`` at a node clients lack there after ``action``.

    A fallback to a node starts what runs in the Cisco XCP Router where that is stopped; nothing else
    is started by what moves users. ``action``: a key of ``wording.ACTIONS``.
    """
    started = XCP_SERVICES if action == "fallback" and not router_runs else ()
    return tuple(name for name in LOGIN_SERVICES if name in stopped and name not in started)


def nobody_logs_in(node: str, services: Sequence[str]) -> str:
    """Return that nobody can log in at ``node`` for want of these services, and what SRM does, for people."""
    lacking = say_count(
        "Nobody can log in at {node}: {services} does not run there.",
        "Nobody can log in at {node}: {services} do not run there.",
        len(services),
        node=node,
        services=listed(services),
    )
    if XCP_ROUTER in services:
        return lacking
    return together([lacking, UNSEEN])


def unmonitored(services: Iterable[str]) -> list[str]:
    """Return those of ``services`` that a login needs and SRM does not monitor."""
    return [name for name in services if name in LOGIN_SERVICES and name != XCP_ROUTER]
