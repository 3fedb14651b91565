"""What the vendor's guide has looked at before High Availability is enabled, besides what SRM watches."""

from collections.abc import Iterator, Mapping, Sequence

from redundancy.catalog import (
    CLUSTER_USERS,
    GROUP_USERS,
    LOGIN_SERVICES,
    PROFILE_AGENT,
    SERVICE_BY_NAME,
    ServiceKind,
)
from redundancy.drivers import Observation
from redundancy.models import RedundancyGroup, Server, ServiceStatus
from redundancy.planned.reads.check import Check, Result, Where
from redundancy.planned.reads.sessions import SessionsBack
from redundancy.selectors import capacity, replication
from redundancy.selectors.access import nobody_logs_in
from redundancy.selectors.deployed import Conditional
from redundancy.selectors.servers import assigned_users
from redundancy.srm.words import listed, say, say_count, together

TOO_EARLY = say(
    "The presence of clients whose sessions are not there again is broken when High Availability is "
    "enabled before."
)


def replication_set_up(servers: Sequence[Server]) -> Check:
    """Return whether the database of both nodes is replicated."""
    label = say("Database replication")
    found = replication.of_nodes(servers)
    broken = [each.server for each in found if each.value == replication.NOT_SET_UP]
    silent = [each.server.name for each in found if each.value is None]
    if broken:
        sentence = say(
            "Not set up on {servers}: utils dbreplication runtimestate must show 2 on every node.",
            servers=listed(server.name for server in broken),
        )
        effect = say(
            "A node whose replication is not set up keeps its feature services at Starting after a "
            "restart, and fails over.",
        )
        return Check(label, Result.FAILED, sentence, effect, Where.FAULT_LAB)
    if silent:
        # What it means is said with the database.
        sentence = say("Cannot be read on {servers}.", servers=listed(silent))
        return Check(label, Result.UNKNOWN, sentence)
    sentence = say("Set up on both nodes (utils dbreplication runtimestate shows 2).")
    return Check(label, Result.PASSED, sentence)


def sessions_are_back(back: SessionsBack) -> Check:
    """Return whether the sessions of a node are back."""
    label = say("Sessions of {server}", server=back.node)
    if not back.missing:
        return Check(label, Result.PASSED, say("As many clients are logged in as should be."))
    return Check(label, Result.FAILED, together([back.sentence, back.advice]), TOO_EARLY)


_DOWN = frozenset({ServiceStatus.STOPPED, ServiceStatus.STARTING, ServiceStatus.STOPPING})
# What the vendor's guide looks at before High Availability, besides what SRM monitors and besides
# Cisco Client Profile Agent: a login needs that one, so that it is told with the logins.
GUIDE_SERVICES = ("Cisco Sync Agent", "Cisco SIP Proxy")


def guide_services(
    servers: Sequence[Server], services: Mapping[int, Sequence[Observation]]
) -> Check:
    """Return whether the services run that the guide names and SRM does not watch."""
    label = say("Other services that the guide checks")
    down = [
        (service.name, server)
        for server in servers
        for service in services[server.pk]
        if service.name in GUIDE_SERVICES and service.status in _DOWN
    ]
    off = [server.name for server in servers if not server.machine.powered]
    if off and not down:
        sentence = say_count(
            "They cannot be read: {nodes} is powered off.",
            "They cannot be read: {nodes} are powered off.",
            len(off),
            nodes=listed(off),
        )
        return Check(label, Result.UNKNOWN, sentence)
    if not down:
        return Check(
            label,
            Result.PASSED,
            say(
                "The vendor's guide names {services}, too. SRM does not monitor them; none is down. "
                "{agent}, which the guide also names, is checked with the logins.",
                services=listed(GUIDE_SERVICES),
                agent=PROFILE_AGENT,
            ),
        )
    named = [say("{service} on {node}", service=name, node=server.name) for name, server in down]
    sentence = say("Not running: {services}.", services=listed(named))
    effect = say(
        "SRM does not monitor these, so nothing fails over for them; what they do is missing on that node."
    )
    name, server = down[0]
    network = SERVICE_BY_NAME[name].kind is ServiceKind.NETWORK
    where = Where.NETWORK_SERVICES if network else Where.FEATURE_SERVICES
    return Check(label, Result.FAILED, sentence, effect, where, server.pk)


def capacity_for(servers: Sequence[Server], users: int) -> Iterator[Check]:
    """Yield of each node of a pair whether it can carry the ``users`` of both."""
    for server in servers:
        label = say("Capacity of {server}", server=server.name)
        if server.node_size is None:
            sentence = say("The node size of {server} is not set.", server=server.name)
            yield Check(label, Result.UNKNOWN, sentence, "", Where.LOGIN_PROFILE)
            continue
        sentence = say(
            "It is made for {size:,} users; the group has {users:,}.",
            size=server.node_size,
            users=users,
        )
        if users <= server.node_size:
            yield Check(label, Result.PASSED, sentence)
        else:
            yield Check(
                label,
                Result.FAILED,
                sentence,
                say(
                    "After a failover to {server} it carries {users:,} users, more than it is made for.",
                    server=server.name,
                    users=users,
                ),
                Where.LOGIN_PROFILE,
            )


def supported_users(group: RedundancyGroup, here: int) -> Check:
    """Return whether the users of the group (``here``), and those of its cluster, are no more than the vendor supports."""
    label = say("Users that the vendor supports")
    over = [say("{group} has {users:,}", group=group.name, users=here)] * (here > GROUP_USERS)
    if not capacity.several_clusters() and (users := assigned_users()) > CLUSTER_USERS:
        over.append(say("the cluster has {users:,}", users=users))
    names = {"group": GROUP_USERS, "cluster": CLUSTER_USERS}
    if not over:
        sentence = say(
            "At most {group:,} in a group with High Availability and {cluster:,} in a cluster.",
            **names,
        )
        return Check(label, Result.PASSED, sentence)
    sentence = say(
        "At most {group:,} in a group with High Availability and {cluster:,} in a cluster; {over}.",
        over=listed(over),
        **names,
    )
    effect = say(
        "More users are not supported by the vendor; how a failover goes with them is not known."
    )
    return Check(label, Result.FAILED, sentence, effect)


def logins_possible(server: Server, missing: Sequence[str]) -> Check:
    """Return whether the services run that a login at ``server`` needs; ``missing``: those that do not."""
    label = _logins_at(server)
    if not server.machine.powered:
        sentence = say("They cannot be read: {server} is powered off.", server=server.name)
        return Check(label, Result.UNKNOWN, sentence, "", Where.FEATURE_SERVICES, server.pk)
    if not missing:
        sentence = say("All {number} services run that a login needs.", number=len(LOGIN_SERVICES))
        return Check(label, Result.PASSED, sentence)
    effect = say("Users who come to {server} wait until they run.", server=server.name)
    network = any(SERVICE_BY_NAME[name].kind is ServiceKind.NETWORK for name in missing)
    where = Where.NETWORK_SERVICES if network else Where.FEATURE_SERVICES
    return Check(
        label, Result.FAILED, nobody_logs_in(server.name, missing), effect, where, server.pk
    )


def without_logins(server: Server) -> Check:
    """Return that nobody is to log in at ``server``: see ``access.without_clients``."""
    sentence = say(
        "Nobody is to log in here: nobody is signed in, and services that a login needs are activated on "
        "neither node."
    )
    return Check(_logins_at(server), Result.PASSED, sentence)


def _logins_at(server: Server) -> str:
    return say("Logins at {server}", server=server.name)


def deployed_evenly(service: Conditional) -> Check:
    """Return whether a service that is monitored in some deployments is so on both nodes or on none."""
    if not service.uneven:
        return Check(service.service, Result.PASSED, service.sentence)
    bare, name = service.off[0]
    effect = say(
        "After a failover to {node} its users are without {function}: {service} does not run there, and its "
        "SRM does not miss it.",
        node=name,
        function=service.function or service.service,
        service=service.service,
    )
    return Check(
        service.service, Result.FAILED, service.sentence, effect, Where.ACTIVATION, server_id=bare
    )
