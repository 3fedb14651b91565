"""What the vendor's table of re-login limits says for a pair, and whether it applies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from redundancy import login_profiles
from redundancy.catalog import CLUSTER_GROUPS, CLUSTER_SERVERS, PARAMETER_BY_KEY, PUSH_LIMITS
from redundancy.login_profiles import ASSUMED_DELAY, LOWER_LIMIT, Mode, ProfileRow
from redundancy.models import RedundancyGroup, Server, ServerType
from redundancy.selectors import enterprise, parameters
from redundancy.selectors.enterprise import ONE_CLIENT, ClientSettings
from redundancy.selectors.servers import users_of
from redundancy.srm.words import listed, say

_DELAY = PARAMETER_BY_KEY["critical_service_delay"]
# What the guide says of the Lower Limit in two places does not agree.
CONTRADICTION = say(
    "The vendor's guide contradicts itself on the Lower Limit: it is to be as long as the {parameter}, "
    "{default} s by default, and the {lower} s of every row are said to assume a delay of {assumed} s. The "
    "table is followed here.",
    parameter=_DELAY.name,
    default=_DELAY.default,
    lower=LOWER_LIMIT,
    assumed=ASSUMED_DELAY,
)


@dataclass(frozen=True, slots=True)
class ProfileNode:
    """A node of the pair: its assigned users, the size chosen for it, and its limits as stored."""

    server: Server
    users: int
    size: int
    limits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Profile:
    """The recommendation for a pair. ``row`` is None when the table has none for that many users."""

    mode: Mode
    nodes: tuple[ProfileNode, ...]
    row: ProfileRow | None
    warnings: tuple[str, ...]
    clients: ClientSettings = ONE_CLIENT

    @property
    def for_push(self) -> dict[str, str]:
        """The limits of a push deployment, by the keys of the parameters; empty without push clients."""
        if not self.clients.push:
            return {}
        lower, upper = PUSH_LIMITS
        return {"relogin_lower": str(lower), "relogin_upper": str(upper)}

    @property
    def size(self) -> int:
        """The size whose rows are used: that of the smaller node."""
        return min(node.size for node in self.nodes)

    @property
    def hardware(self) -> str:
        """What a node of that size has."""
        return login_profiles.NODE_SIZES[self.size]

    @property
    def users(self) -> int:
        """The users that count."""
        return users_that_count(self.mode, [node.users for node in self.nodes])

    @property
    def values(self) -> dict[str, str]:
        """The recommended limits, by the keys of the parameters; empty when there are none."""
        if self.row is None:
            return {}
        return {"relogin_lower": str(LOWER_LIMIT), "relogin_upper": str(self.row.upper)}


def users_that_count(mode: Mode, users: list[int]) -> int:
    """Return how many users count: of the fuller node, or of both."""
    return max(users) if mode is Mode.ACTIVE_ACTIVE else sum(users)


def likely_mode(group: RedundancyGroup) -> Mode:
    """Return the mode in which users are assigned now: one empty node is a standby."""
    users = users_of(server.pk for server in group.servers.all()).values()
    return Mode.ACTIVE_STANDBY if any(users) and not all(users) else Mode.ACTIVE_ACTIVE


def profile(group: RedundancyGroup, mode: Mode, sizes: Mapping[int, int]) -> Profile:
    """Return the recommendation for the two nodes of ``group``; ``sizes`` by their keys."""
    servers = list(group.servers.order_by("slot"))
    users = users_of(server.pk for server in servers)
    limits = parameters.of_nodes(users)
    nodes = tuple(
        ProfileNode(server, users[server.pk], sizes[server.pk], limits[server.pk])
        for server in servers
    )
    number = users_that_count(mode, list(users.values()))
    size = min(node.size for node in nodes)
    row = login_profiles.row_for(size, mode, number)
    warnings = tuple(_warnings(mode, nodes, number, row))
    return Profile(mode, nodes, row, warnings, enterprise.clients())


def _warnings(
    mode: Mode, nodes: tuple[ProfileNode, ...], number: int, row: ProfileRow | None
) -> Iterator[str]:
    """Yield why the table does not apply, or not as it is."""
    size = min(node.size for node in nodes)
    if row is None:
        last = login_profiles.rows(size, mode)[-1].users
        yield say(
            "{number:,} users are more than the table has for {mode} on nodes for {size:,} users: "
            "its last row is for {last:,}. There is no recommendation.",
            number=number,
            mode=mode,
            size=size,
            last=last,
        )
    delay = parameters.value("critical_service_delay")
    if delay not in {int(_DELAY.default), ASSUMED_DELAY}:
        yield say(
            "{parameter} is {delay} s. When it is changed the Lower Limit must change, too: the guide "
            "wants both to be the same, and the table has {lower} s in every row.",
            parameter=_DELAY.name,
            delay=delay,
            lower=LOWER_LIMIT,
        )
    if len({node.size for node in nodes}) > 1:
        yield say(
            "The two nodes are of unequal size. The table is for pairs of equal nodes; the rows of "
            "the smaller one are used."
        )
    servers = Server.objects.filter(server_type=ServerType.IMP).count()
    groups = RedundancyGroup.objects.count()
    if servers > CLUSTER_SERVERS or groups > CLUSTER_GROUPS:
        yield say(
            "The table is for single-cluster deployments only. Here are {servers:,} IM and "
            "Presence servers in {groups:,} groups; one cluster has at most {cluster_servers} in "
            "{cluster_groups}.",
            servers=servers,
            groups=groups,
            cluster_servers=CLUSTER_SERVERS,
            cluster_groups=CLUSTER_GROUPS,
        )
    busy = [node.server.name for node in nodes if node.users]
    if mode is Mode.ACTIVE_STANDBY and len(busy) > 1:
        yield say(
            "{mode} is chosen, but users are assigned to {busy}.", mode=mode, busy=listed(busy)
        )
    if mode is Mode.ACTIVE_ACTIVE and len(busy) == 1:
        yield say(
            "{mode} is chosen, but users are assigned to {busy} only.", mode=mode, busy=busy[0]
        )
    if not busy:
        yield say("No user is assigned to this group yet.")
