"""Reads of servers."""

import ipaddress
from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.conf import settings
from django.db.models import Case, CharField, Count, Expression, F, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from redundancy.models import PresenceUser, RedundancyGroup, Server, ServerType
from redundancy.selectors import find
from redundancy.selectors.find import Criterion
from redundancy.selectors.loopback import RANGE, loopback_of, powered_nodes
from redundancy.srm.states import AWAY, TRANSITIONS
from redundancy.srm.words import mark

# Fields of *Find where*: name in the address -> column.
FIELDS: dict[str, str] = {
    "name": "name",
    "description": "description",
    "domain": "domain",
    "group": "group__name",
}
_COLUMNS: dict[str, F | Expression] = {
    "name": Lower("name"),
    "description": Lower("description"),
    "type": F("server_type"),
    "replication": F("replication"),
    "group": Lower("group__name"),
}


def find_servers(criteria: Iterable[Criterion] = (), sort: str = "name") -> QuerySet[Server]:
    """Return the servers that match, each with its group and ``replication``.

    ``replication`` is Publisher, Subscriber, or empty for a server without the IM&P database.
    """
    replication = Case(
        When(is_publisher=True, then=Value(mark("Publisher"))),
        When(server_type=ServerType.IMP, then=Value(mark("Subscriber"))),
        default=Value(""),
        output_field=CharField(),
    )
    servers = Server.objects.select_related("group").annotate(replication=replication)
    return find.order(find.apply(servers, criteria, FIELDS), sort, _COLUMNS)


def find_nodes(criteria: Iterable[Criterion] = (), sort: str = "name") -> QuerySet[Server]:
    """Return the IM and Presence servers that match, as ``find_servers`` does."""
    return find_servers(criteria, sort).filter(server_type=ServerType.IMP)


def ipv4_of(server: Server) -> str:
    """Return the IPv4 address of a server: what was entered, its name where that is one, or one made of its key.

    Made ones are of 10.0.0.0/8 and lead nowhere; with ``SSH_NODES`` or ``SOAP_NODES`` those of the servers that are
    reached so are where each is dialled.
    """
    with suppress(ValueError):
        return str(ipaddress.IPv4Address(server.ipv4_address or server.name))
    if _is_dialled(server) and (address := loopback_of(server.pk)):
        return address
    return str(ipaddress.IPv4Address("10.0.0.0") + server.pk % 2**24)


def _is_dialled(server: Server) -> bool:
    if server.server_type == ServerType.IMP:
        return settings.SSH_NODES or settings.SOAP_NODES
    return settings.SOAP_NODES and server == cucm_publisher()


def soap_servers(most: int) -> Sequence[tuple[int, str]]:
    """Return key and name of the servers that answer by SOAP, so many at most: CUCM's publisher, and nodes with power."""
    first = cucm_publisher()
    cucm = [(first.pk, first.name)] if first and first.pk < RANGE.num_addresses else []
    return [*cucm, *powered_nodes(most)][:most]


def publisher() -> Server | None:
    """Return the IM&P database publisher, if there is one yet."""
    return Server.objects.select_related("group").filter(is_publisher=True).first()


def cucm_publisher() -> Server | None:
    """Return the server of CUCM that counts as its database publisher: the first by name, as nobody says which."""
    return find_servers().filter(server_type=ServerType.CUCM).first()


def assignable_servers(group: RedundancyGroup | None = None) -> QuerySet[Server]:
    """Return the nodes that are in no group, and those of ``group``."""
    free = Q(group__isnull=True)
    if group is not None:
        free |= Q(group=group)
    return Server.objects.filter(free, server_type=ServerType.IMP).order_by(Lower("name"))


def users_of(node_ids: Iterable[int]) -> dict[int, int]:
    """Return how many users are assigned to each of these nodes, by its key; one query."""
    counts = dict.fromkeys(node_ids, 0)
    users = PresenceUser.objects.filter(home__in=list(counts)).order_by()
    return counts | dict(users.values_list("home").annotate(n=Count("pk")))


def assigned_users() -> int:
    """Return how many users are assigned to any node."""
    return PresenceUser.objects.filter(home__isnull=False).count()


def unsettled_nodes() -> list[Server]:
    """Return, with their memories and machines, the nodes that do not allow users to be added or assigned now.

    Their users are, or are being, served away from home; or their SRM is in another transition.
    """
    moving = Q(runtime__state__in=AWAY | TRANSITIONS)
    held = Q(group__holder__isnull=False)
    return list(
        Server.objects.select_related("runtime", "machine")
        .filter(Q(runtime__isnull=False), moving | held)
        .order_by(Lower("name"))
    )
