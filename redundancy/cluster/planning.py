"""Plan a lab from a snapshot: what it will be, what is assumed, what is not carried over, or why it cannot be. Pure.

What is not told, or disputed, is taken as on a new lab, and each time that is a note of the plan.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from redundancy.catalog import (
    DEFAULT_VERSION,
    ENTERPRISE_PARAMETERS,
    PARAMETER_BY_KEY,
    PARAMETER_PAIRS,
    PARAMETERS,
    SERVICE_BY_NAME,
)
from redundancy.cluster.beginning import beginning
from redundancy.cluster.lab_plan import (
    Judged,
    Judges,
    Limits,
    Plan,
    PlannedGroup,
    PlannedServer,
    Sort,
)
from redundancy.cluster.machines import machine_of
from redundancy.cluster.noting import DISPUTED, NOT_TOLD, Notes, told_as
from redundancy.cluster.people import domain_of, planned_users
from redundancy.cluster.snapshot import Group, Node, Snapshot, Value
from redundancy.functions import FUNCTION_OF_SERVICE
from redundancy.srm.words import english, listed, say

_PRESENCE, _VOICE = "IM and Presence", "Voice/Video"
_BOOLEAN = {"t": "True", "1": "True", "true": "True", "f": "False", "0": "False", "false": "False"}


def plan(snapshot: Snapshot, judges: Judges, limits: Limits) -> Plan:
    """Return the lab that a snapshot tells of; with refusals where none can be made."""
    return _Planner(snapshot, judges, limits).plan()


class _Planner:
    """Makes one plan."""

    def __init__(self, snapshot: Snapshot, judges: Judges, limits: Limits) -> None:
        self._snapshot = snapshot
        self._judges = judges
        self._limits = limits
        self._notes = Notes()
        self._domain = domain_of(snapshot, judges)

    def plan(self) -> Plan:
        """Return the plan."""
        presence, voice = self._sorted_nodes()
        place = self._places()
        self._count(presence)
        publisher = self._publisher(presence)
        parameters = self._parameters(
            "", self._snapshot.parameters, {p.key for p in PARAMETERS if not p.per_node}
        )
        servers = {node.name: self._server(node, place, publisher, parameters) for node in presence}
        groups, begun = self._groups(servers)
        servers |= begun
        names = {told: server.name for told, server in servers.items()}
        users = planned_users(self._snapshot, names, self._domain, self._judges, self._notes)
        for node in voice:
            name = self._name(node)
            servers[node.name] = PlannedServer(name, False, address=self._address(node))
        self._notes.unique("server", [server.name for server in servers.values()])
        functions = self._functions(servers.values())
        enterprise = self._enterprise()
        self._left_out()
        return Plan(
            servers=tuple(servers.values()),
            groups=groups,
            parameters=parameters,
            enterprise=enterprise,
            functions=functions,
            users=users,
            notes=self._notes.notes,
            refusals=self._notes.refusals,
        )

    # --- servers -----------------------------------------------------------------------------------

    def _sorted_nodes(self) -> tuple[list[Node], list[Node]]:
        """Return the nodes of IM and Presence, and the servers of CUCM."""
        members = {name for group in self._snapshot.groups.values() for name in group.nodes}
        presence, voice, others = [], [], []
        for node in self._snapshot.nodes.values():
            product = node.product.text if node.product is not None else ""
            if node.is_presence or node.name in members:
                presence.append(node)
            elif product == _VOICE:
                voice.append(node)
            elif not product and any(name in SERVICE_BY_NAME for name in node.services):
                self._notes.assume(say("Server Type"), node.name, NOT_TOLD, _PRESENCE)
                presence.append(node)
            else:
                others.append(node.name)
        told = {node.name for node in presence}
        presence += [Node(name) for name in sorted(members - told)]
        self._notes.leave_out(say("Servers whose product is another or not told"), others)
        return presence, voice

    def _count(self, presence: list[Node]) -> None:
        most = self._limits
        if not presence:
            self._notes.refuse("servers", say("No IM and Presence server is told."))
        if not self._snapshot.groups:
            self._notes.refuse(
                "groups",
                say("No presence redundancy group is told; utils ha status tells them."),
            )
        if len(presence) > most.servers:
            rule = say("There must not be more than {most:,} nodes.", most=most.servers)
            self._notes.refuse("servers", rule)
        if len(self._snapshot.groups) > most.groups:
            rule = say("There must not be more than {most:,} groups.", most=most.groups)
            self._notes.refuse("groups", rule)

    def _name(self, node: Node) -> str:
        name, rule = self._judges.server_name(node.name)
        if rule:
            self._notes.refuse(node.name, rule)
        return name or node.name

    def _address(self, node: Node) -> str:
        if node.address is None:
            return ""
        address, why = told_as(node.address, self._judges.ipv4_address)
        if address is None:
            value = say("one made by the lab")
            self._notes.assume(say("IPv4 Address"), node.name, why, value, node.address.place)
        return address or ""

    def _publisher(self, presence: list[Node]) -> str:
        """Return the name of the database publisher of IM and Presence."""
        told = [
            node.name
            for node in presence
            if node.role is not None and not node.role.disputed and node.role.text == "Publisher"
        ]
        if len(told) > 1:
            rule = say(
                "There is one IM&P database publisher; told are {nodes}.", nodes=listed(told)
            )
            self._notes.refuse("publisher", rule)
        if told or not presence:
            return told[0] if told else ""
        members = [name for group in self._snapshot.groups.values() for name in group.nodes]
        assumed = next(iter(members), presence[0].name)
        what = say("IM&P database publisher")
        self._notes.assume(what, say("the cluster"), NOT_TOLD, assumed)
        return assumed

    def _server(
        self,
        node: Node,
        place: Mapping[str, tuple[str, int]],
        publisher: str,
        clusterwide: Mapping[str, str],
    ) -> PlannedServer:
        name = self._name(node)
        group, slot = place.get(node.name, (None, None))
        if group is None and node.group is None:
            what = say("Presence Redundancy Group")
            self._notes.assume(what, name, NOT_TOLD, say("none"))
        version, why = told_as(node.version, self._judges.version)
        if version is None:
            places = () if node.version is None else (node.version.place,)
            self._notes.assume(say("Installed Version"), name, why, DEFAULT_VERSION, *places)
        machine = machine_of(node)
        for what, why, value in machine.assumed:
            self._notes.assume(what, name, why, value)
        self._notes.leave_out(
            say("Services of {node} that the lab does not have", node=name), machine.unknown
        )
        own = self._parameters(
            node.name, node.parameters, {p.key for p in PARAMETERS if p.per_node}
        )
        self._judge_pairs(name, own, {**clusterwide, **own})
        return PlannedServer(
            name,
            True,
            publisher=node.name == publisher,
            group=group,
            slot=slot,
            version=version or DEFAULT_VERSION,
            address=self._address(node),
            domain=self._domain,
            powered=machine.powered,
            srm_running=machine.srm_running,
            services=machine.services,
            parameters=own,
        )

    # --- groups ------------------------------------------------------------------------------------

    def _places(self) -> dict[str, tuple[str, int]]:
        """Return of each node its group and its place in it; refuse where that cannot be."""
        found: dict[str, tuple[str, int]] = {}
        for group in self._snapshot.groups.values():
            if len(group.nodes) > 2:
                rule = say(
                    "A group has one or two servers; told are {nodes}.", nodes=listed(group.nodes)
                )
                self._notes.refuse(group.name, rule)
            for slot, name in enumerate(group.nodes, start=1):
                if name in found:
                    both = listed([found[name][0], group.name])
                    rule = say("A server is in at most one group; told are {groups}.", groups=both)
                    self._notes.refuse(name, rule)
                found[name] = group.name, slot
        return found

    def _groups(
        self, servers: Mapping[str, PlannedServer]
    ) -> tuple[tuple[PlannedGroup, ...], dict[str, PlannedServer]]:
        """Return the groups, and their servers, by the names that are told, with how they may begin."""
        self._notes.unique("group", self._snapshot.groups)
        made: list[PlannedGroup] = []
        begun: dict[str, PlannedServer] = {}
        for group in self._snapshot.groups.values():
            _, rule = self._judges.group_name(group.name)
            if rule:
                self._notes.refuse(group.name, rule)
            members = [servers[name] for name in group.nodes]
            ha = self._ha(group)
            if ha and len(members) != 2:
                rule = say(
                    "High Availability is on, and it needs two servers; told are: {nodes}.",
                    nodes=", ".join(group.nodes) or say("none"),
                )
                self._notes.refuse(group.name, rule)
            pair = [self._snapshot.nodes.get(name) for name in group.nodes]
            begins = beginning(group.name, pair, members, ha=ha)
            self._notes.add(Sort.BEGINS, begins.sentence, group.place)
            begun |= dict(zip(group.nodes, begins.servers, strict=True))
            names = tuple(server.name for server in members)
            made.append(PlannedGroup(group.name, ha, names, begins.as_told, begins.holder))
        return tuple(made), begun

    def _ha(self, group: Group) -> bool:
        if group.ha is None or group.ha.disputed:
            why = NOT_TOLD if group.ha is None else DISPUTED
            self._notes.assume(say("High Availability"), group.name, why, say("off"), group.place)
            return False
        return group.ha.text == "on"

    # --- parameters and functions --------------------------------------------------------------------

    def _parameters(self, node: str, told: Mapping[str, Value], keys: set[str]) -> dict[str, str]:
        """Return the parameters of a node, or those of the cluster, that are not their defaults."""
        whose = node or say("the cluster")
        by_name = {name.lower(): value for name, value in told.items()}
        found: dict[str, str] = {}
        absent = []
        for parameter in (PARAMETER_BY_KEY[key] for key in sorted(keys)):
            value = by_name.pop(parameter.name.lower(), None)
            if value is None:
                absent.append(parameter.name)
                continue
            key = parameter.key
            text, why = told_as(value, partial(self._parameter, key))
            if text is None:
                self._notes.assume(parameter.name, whose, why, parameter.default, value.place)
            elif text != parameter.default:
                found[key] = text
        if absent:
            self._notes.assume(", ".join(absent), whose, NOT_TOLD, say("the defaults"))
        others = {parameter.name.lower() for parameter in ENTERPRISE_PARAMETERS}
        rest = [name for name in told if name.lower() in by_name and name.lower() not in others]
        self._notes.leave_out(
            say("Parameters of {whose} that the lab does not have", whose=whose), rest
        )
        if not node:
            self._judge_pairs(whose, found, found)
        return found

    def _parameter(self, key: str, text: str) -> Judged:
        if PARAMETER_BY_KEY[key].unit == "bool":
            text = _BOOLEAN.get(text.lower(), text)
        return self._judges.parameter(key, text)

    def _judge_pairs(self, whose: str, own: Mapping[str, str], changed: Mapping[str, str]) -> None:
        values = {each.key: changed.get(each.key, each.default) for each in PARAMETERS}
        for key, other, holds, rule in PARAMETER_PAIRS:
            if not {key, other} & own.keys():
                continue
            if not holds(int(values[key]), int(values[other])):
                words = {"parameter": PARAMETER_BY_KEY[key].name, "value": values[key]}
                words |= {"other": PARAMETER_BY_KEY[other].name, "limit": values[other]}
                self._notes.refuse(whose, say(english(rule), **words))

    def _enterprise(self) -> dict[str, str]:
        told = {name.lower(): value for name, value in self._snapshot.parameters.items()}
        found = {}
        for parameter in ENTERPRISE_PARAMETERS:
            value = told.get(parameter.name.lower())
            if value is None:
                continue
            key = parameter.key
            text, why = told_as(value, partial(self._judges.enterprise, key))
            if text is None:
                whose = say("the cluster")
                self._notes.assume(parameter.name, whose, why, parameter.default, value.place)
            elif text != parameter.default:
                found[key] = text
        return found

    def _functions(self, servers: Iterable[PlannedServer]) -> tuple[str, ...]:
        active = {
            name
            for server in servers
            for name, service in server.services.items()
            if service.activated
        }
        functions = [each for name, each in FUNCTION_OF_SERVICE.items() if name in active]
        value = listed(each.name for each in functions) if functions else say("none")
        self._notes.assume(say("Configured functions"), say("the cluster"), NOT_TOLD, value)
        return tuple(each.key for each in functions)

    # --- the rest ----------------------------------------------------------------------------------------

    def _left_out(self) -> None:
        nodes = self._snapshot.nodes.values()
        counters = [f"{name} ({node.name})" for node in nodes for name in node.counters]
        self._notes.leave_out(say("Counters of clients"), counters)
        clocks = [node.name for node in nodes if node.clock or node.up or node.connected_since]
        self._notes.leave_out(say("Clocks, uptimes and connections of servers"), clocks)
        loose = [each.what for each in self._snapshot.loose]
        self._notes.leave_out(say("Values of which it is not told whose they are"), loose)
        disputes = [each for each in self._snapshot.disputes if not each.changed]
        shown = [f"{each.field} ({each.what})" for each in disputes]
        self._notes.leave_out(say("Disputed values"), shown)
