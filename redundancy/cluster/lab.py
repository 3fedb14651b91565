"""The lab as a snapshot, to be compared with one that was read: as its own command line would tell it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from redundancy.catalog import CLIENT_COUNTERS, PARAMETER_BY_KEY, SERVICES
from redundancy.clock import lab_datetime, lab_now
from redundancy.cluster.facts import Place
from redundancy.cluster.snapshot import NOWHERE, Group, Node, Snapshot, User, Value
from redundancy.drivers import Observation, get_driver
from redundancy.models import PresenceUser, RedundancyGroup, Server, ServerType, ServiceStatus
from redundancy.selectors import observing, parameters, presence
from redundancy.selectors.cluster import Face, outlines_of
from redundancy.selectors.servers import ipv4_of
from redundancy.srm.words import english

# What stands for a file: line 0 of it.
LAB = "lab"
_PLACE = Place(LAB, 0)
_PRODUCTS = {ServerType.IMP: "IM and Presence", ServerType.CUCM: "Voice/Video"}
# Made once: a large lab has tens of thousands of services.
_STATUS = {
    ServiceStatus.STARTED: Value("STARTED", _PLACE),
    ServiceStatus.STARTING: Value("STARTING", _PLACE),
    ServiceStatus.STOPPING: Value("STOPPING", _PLACE),
    ServiceStatus.STOPPED: Value("STOPPED  Commanded Out of Service", _PLACE),
    ServiceStatus.NOT_ACTIVATED: Value("STOPPED  Service Not Activated", _PLACE),
}


def lab_snapshot() -> Snapshot:
    """Return the lab now. States that nobody sees, and services that cannot be read, are not told."""
    servers = list(Server.objects.select_related("group", "machine").order_by("name"))
    members = defaultdict(list)
    for server in sorted(servers, key=lambda each: each.slot or 0):
        members[server.group_id].append(server.name)
    groups = {
        group.name: Group(
            group.name,
            _PLACE,
            _value("on" if group.ha_enabled else "off"),
            tuple(members[group.pk]),
        )
        for group in RedundancyGroup.objects.order_by("name")
    }
    faces = _faces(servers) if observing.sees() else {}
    imp = [server for server in servers if server.server_type == ServerType.IMP]
    keys = [server.pk for server in imp]
    services, own, counters = get_driver().observe(imp), parameters.of_nodes(keys), _counters(keys)
    users = {
        userid.lower(): User(userid, home or NOWHERE, _PLACE)
        for userid, home in PresenceUser.objects.values_list("userid", "home__name").iterator()
    }
    now = lab_datetime().replace(tzinfo=None, microsecond=0)
    return Snapshot(
        taken=now,
        files=(LAB,),
        groups=groups,
        nodes={
            server.name: _node(
                server,
                faces.get(server.pk),
                services.get(server.pk, ()),
                own.get(server.pk, {}),
                counters.get(server.pk, {}),
            )
            for server in servers
        },
        parameters=_parameters(parameters.texts()),
        users=users,
        all_users=_value(str(len(users))),
        disputes=(),
        loose=(),
        until=now,
        lab=True,
    )


def _faces(servers: Iterable[Server]) -> dict[int, Face]:
    """Return the states of those that are in a group, by the key of the node."""
    groups = {server.group_id for server in servers if server.group_id is not None}
    return {face.server_id: face for each in outlines_of(groups).values() for face in each.nodes}


def _node(
    server: Server,
    face: Face | None,
    observed: Collection[Observation],
    own: Mapping[str, str],
    counters: Mapping[str, Value],
) -> Node:
    product = _PRODUCTS[ServerType(server.server_type)]
    if server.server_type != ServerType.IMP:
        return Node(server.name, product=_value(product), address=_value(ipv4_of(server)))
    status = {each.name: each.status for each in observed}
    services = {
        each.name: _STATUS[status[each.name]]
        for each in SERVICES
        if status.get(each.name) in _STATUS
    }
    return Node(
        server.name,
        group=_value(server.group.name if server.group else NOWHERE),
        state=_value(face.state) if face is not None else None,
        reason=_value(face.reason) if face is not None and face.reason else None,
        version=_value(server.version) if server.version else None,
        address=_value(ipv4_of(server)),
        product=_value(product),
        role=_value("Publisher" if server.is_publisher else "Subscriber"),
        reached=_value("yes" if server.machine.powered else "no"),
        services=services,
        parameters=_parameters(own),
        counters=counters,
    )


def _counters(nodes: list[int]) -> dict[int, dict[str, Value]]:
    """Return the counters of clients, by the key of their node; a service that does not run counts nothing."""
    found: dict[int, dict[str, Value]] = {pk: {} for pk in nodes}
    now = lab_now()
    for counter, service in CLIENT_COUNTERS.items():
        for pk, number in presence.counted_sessions(nodes, now, service).items():
            if number is not None:
                found[pk][counter] = _value(str(number))
    return found


def _parameters(texts: Mapping[str, str]) -> dict[str, Value]:
    return {PARAMETER_BY_KEY[key].name: _value(text) for key, text in texts.items()}


def _value(text: str) -> Value:
    return Value(english(text), _PLACE)
