"""Judge a snapshot: states, services, versions, users, parameters, and what contradicts itself. Pure."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from redundancy.catalog import (
    CLUSTER_USERS,
    GROUP_USERS,
    LOGIN_SERVICES,
    PARAMETER_BY_KEY,
    PARAMETER_PAIRS,
    SERVICE_BY_NAME,
    Watch,
)
from redundancy.cluster.explaining import NOT_ACTIVATED, no_pair, policy_of, side_of, unreadable
from redundancy.cluster.facts import Place, called
from redundancy.cluster.findings import Finding, Kind, Risk
from redundancy.cluster.reader.reading import GAP
from redundancy.cluster.snapshot import NOWHERE, Group, Node, Snapshot, Value
from redundancy.srm.advice import explain
from redundancy.srm.states import (
    FAILED_OVER_STATES,
    NOT_RESPONDING,
    TRANSITIONS,
    State,
)
from redundancy.srm.words import english, listed, say

# Of one kind, shown at most; all are counted in what they say of users.
_MOST_DISPUTES = 50


def findings(snapshot: Snapshot) -> list[Finding]:
    """Return what is found, what puts most at risk first."""
    found = [
        *_groups(snapshot),
        *_nodes(snapshot),
        *_users(snapshot),
        *_parameters(snapshot),
        *_contradictions(snapshot),
    ]
    return sorted(found, key=lambda finding: finding.risk)


# --- groups --------------------------------------------------------------------------------------


def _groups(snapshot: Snapshot) -> Iterator[Finding]:
    for group in snapshot.groups.values():
        pair = snapshot.pair(group)
        ha = group.ha
        if odd := no_pair(group, pair):
            yield Finding(Kind.NO_PAIR, Risk.KNOWLEDGE, {"what": odd}, (group.place,))
        elif len(pair) == 1:
            fields = {"group": group.name, "node": pair[0].name}
            yield Finding(Kind.ALONE, Risk.FAILOVER, fields, (group.place,))
        if ha is not None and ha.text == "off" and not ha.disputed:
            fields = {"group": group.name}
            yield Finding(Kind.HA_OFF, Risk.FAILOVER, fields, (ha.place,))
        if ha is not None and ha.text == "on":
            yield from _states(snapshot, group, pair)
        yield from _versions(pair, Risk.FAILOVER)
    firsts = [
        next((node for node in snapshot.pair(group) if node.version is not None), None)
        for group in snapshot.groups.values()
    ]
    yield from _versions([node for node in firsts if node is not None], Risk.ORDER)


def _states(snapshot: Snapshot, group: Group, pair: list[Node]) -> Iterator[Finding]:
    told = [node for node in pair if node.state is not None and not node.state.disputed]
    for node in pair:
        if node.state is None or node.state.disputed:
            fields = {"group": group.name, "node": node.name}
            yield Finding(Kind.STATE_NOT_TOLD, Risk.KNOWLEDGE, fields, (group.place,))
    if len(pair) != 2 or len(told) != 2:
        return
    (one, state), (two, state2) = [(node, node.state.text) for node in told if node.state]
    if state == state2 == State.NORMAL:
        return
    places = tuple(node.state.place for node in told if node.state)
    risk = _risk_of(state, state2)
    first, second = (side_of(node) for node in told)
    if first is None or second is None:
        fields = {
            "group": group.name,
            "one": one.name,
            "two": two.name,
            "state": state,
            "state2": state2,
        }
        yield Finding(Kind.STATES_UNEXPLAINED, risk, fields, places)
        return
    explained = explain(first, second, policy_of(snapshot))
    fields = {"group": group.name, "cause": explained.cause}
    yield Finding(Kind.STATES, risk, fields, places, explained.advice)


def _risk_of(*states: str) -> Risk:
    if set(states) & {State.FAILED, NOT_RESPONDING}:
        return Risk.SERVICE
    if set(states) & {*FAILED_OVER_STATES, *TRANSITIONS, State.UNKNOWN}:
        return Risk.FAILOVER
    return Risk.ORDER


def _versions(nodes: list[Node], risk: Risk) -> Iterator[Finding]:
    told = [(node.name, node.version) for node in nodes if node.version is not None]
    for (one, version), (two, version2) in pairwise(told):
        if version.text == version2.text or version.disputed or version2.disputed:
            continue
        fields = {"one": one, "two": two, "version": version.text, "version2": version2.text}
        advice = say(
            "High Availability stays off until all nodes run the same version and the users are back."
        )
        places = (version.place, version2.place)
        yield Finding(Kind.VERSIONS_APART, risk, fields, places, advice)


# --- nodes ---------------------------------------------------------------------------------------


def _nodes(snapshot: Snapshot) -> Iterator[Finding]:
    for node in snapshot.nodes.values():
        if node.reached is not None and node.reached.text == "no":
            # A server of telephones has no part in a failover.
            risk = Risk.FAILOVER if node.is_presence else Risk.ORDER
            yield Finding(Kind.NOT_REACHED, risk, {"node": node.name}, (node.reached.place,))
        if not node.is_presence:
            continue
        if node.group is not None and node.group.text == NOWHERE:
            fields = {"node": node.name}
            yield Finding(Kind.WITHOUT_GROUP, Risk.ORDER, fields, (node.group.place,))
        yield from _services(snapshot, node)


def _services(snapshot: Snapshot, node: Node) -> Iterator[Finding]:
    group = snapshot.groups.get(node.group.text) if node.group is not None else None
    ha = group is not None and group.ha is not None and group.ha.text == "on"
    if node.state is not None and node.state.text == State.IDLE:
        # A manual failover stops its services, and a fallback starts them.
        return
    # Its peer serves its users.
    away = node.state is not None and node.state.text in FAILED_OVER_STATES
    if unread := unreadable(node):
        fields = {"services": listed(unread), "node": node.name}
        yield Finding(
            Kind.SERVICES_UNREAD, Risk.KNOWLEDGE, fields, (node.services[unread[0]].place,)
        )
    for name, value in node.services.items():
        service = SERVICE_BY_NAME.get(name)
        if (
            service is None
            or value.unread
            or value.text == "STARTED"
            or NOT_ACTIVATED in value.text
        ):
            continue
        monitored = service.watch in {Watch.ALWAYS, Watch.IF_ACTIVATED}
        if name in LOGIN_SERVICES:
            effect, risk = say("Nobody can log in there."), Risk.SERVICE
        elif monitored and ha:
            effect, risk = _monitored(node), Risk.SERVICE
        elif service.watch is Watch.IF_CONFIGURED and ha:
            effect = say("SRM monitors it if its function is configured, which is not told.")
            risk = Risk.FAILOVER
        else:
            effect, risk = "", Risk.SERVICE if monitored else Risk.ORDER
        if away and risk is Risk.SERVICE:
            risk = Risk.FAILOVER
        fields = {"service": name, "node": node.name, "status": value.text, "effect": effect}
        yield Finding(Kind.SERVICE_DOWN, risk, fields, (value.place,))


def _monitored(node: Node) -> str:
    """Return what SRM makes of a monitored service that does not run, by the state of its node."""
    match None if node.state is None else node.state.text:
        case None:
            return say("SRM monitors it: the node fails over, or has.")
        case State.NORMAL:
            return say(
                "SRM monitors it: the node fails over when it has been down for the Critical Service Delay."
            )
        case state if state in FAILED_OVER_STATES:
            return say("SRM monitors it: the node does not take its users back before it runs.")
        case _:
            return say("SRM monitors it.")


# --- users ---------------------------------------------------------------------------------------


def _users(snapshot: Snapshot) -> Iterator[Finding]:
    per_node = snapshot.users_per_node()
    for group in snapshot.groups.values():
        users = sum(per_node.get(name, 0) for name in group.nodes)
        if users > GROUP_USERS and group.ha is not None and group.ha.text == "on":
            fields = {"group": group.name, "users": users, "most": GROUP_USERS}
            yield Finding(Kind.GROUP_TOO_LARGE, Risk.FAILOVER, fields, (group.place,))
    counted = snapshot.all_users
    # Who is assigned to no node may have a telephone alone.
    assigned = sum(bool(user.node) for user in snapshot.users.values())
    number = max(len(snapshot.users), 0 if counted is None else int(counted.text))
    fields = {"users": assigned, "most": CLUSTER_USERS}
    if assigned > CLUSTER_USERS:
        yield Finding(Kind.CLUSTER_TOO_LARGE, Risk.FAILOVER, fields, ())
    elif number > CLUSTER_USERS:
        fields = {"users": number, "most": CLUSTER_USERS}
        yield Finding(Kind.COUNT_TOO_LARGE, Risk.KNOWLEDGE, fields, _places(counted))
    if counted is not None and snapshot.users and int(counted.text) != len(snapshot.users):
        fields = {"all": int(counted.text), "users": len(snapshot.users)}
        yield Finding(Kind.USERS_NOT_ALL, Risk.KNOWLEDGE, fields, _places(counted))
    shown: set[str] = set()
    for user in snapshot.users.values():
        node = user.node
        if node is None or node in shown or (node in snapshot.nodes and node != NOWHERE):
            continue
        shown.add(node)
        kind = Kind.USERS_ELSEWHERE if node else Kind.USERS_UNASSIGNED
        risk = Risk.KNOWLEDGE if node else Risk.ORDER
        fields = {"users": per_node[node], "example": user.name, **({"node": node} if node else {})}
        if len(shown) <= _MOST_DISPUTES:
            yield Finding(kind, risk, fields, (user.place,))


def _places(value: Value | None) -> tuple[Place, ...]:
    return () if value is None else (value.place,)


# --- parameters ----------------------------------------------------------------------------------


def _parameters(snapshot: Snapshot) -> Iterator[Finding]:
    yield from _rules(say("Clusterwide"), dict(snapshot.parameters), {})
    for node in snapshot.nodes.values():
        yield from _rules(node.name, dict(node.parameters), dict(snapshot.parameters))
    for group in snapshot.groups.values():
        pair = snapshot.pair(group)
        if len(pair) != 2:
            continue
        one, two = pair
        for name, value in one.parameters.items():
            other = two.parameters.get(name)
            if other is None or other.text == value.text:
                continue
            fields = {"parameter": name, "one": one.name, "two": two.name}
            fields |= {"value": value.text, "value2": other.text}
            yield Finding(Kind.PARAMETERS_APART, Risk.ORDER, fields, (value.place, other.place))


def _rules(where: str, own: dict[str, Value], others: dict[str, Value]) -> Iterator[Finding]:
    for key, other_key, holds, rule in PARAMETER_PAIRS:
        parameter, other = PARAMETER_BY_KEY[key], PARAMETER_BY_KEY[other_key]
        values = own.get(parameter.name), own.get(other.name) or others.get(other.name)
        if any(value is None or not _is_number(value.text) for value in values):
            continue
        value, limit = values
        assert value is not None and limit is not None  # noqa: PT018 - as above
        if not holds(int(value.text), int(limit.text)):
            words = {"parameter": parameter.name, "value": value.text}
            broken = say(english(rule), **words, other=other.name, limit=limit.text)
            fields = {"where": where, "rule": broken}
            yield Finding(Kind.PARAMETER_RULE, Risk.ORDER, fields, (value.place, limit.place))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


# --- contradictions ------------------------------------------------------------------------------


def _contradictions(snapshot: Snapshot) -> Iterator[Finding]:
    for dispute in snapshot.disputes[:_MOST_DISPUTES]:
        kind = Kind.CHANGED if dispute.changed else Kind.DISPUTED
        risk = Risk.ORDER if dispute.changed else Risk.KNOWLEDGE
        values = {"value": dispute.first.text, "value2": dispute.second.text}
        fields = {"what": dispute.what, "field": called(dispute.field), **values}
        yield Finding(kind, risk, fields, (dispute.first.place, dispute.second.place))
    for loose in snapshot.loose[:_MOST_DISPUTES]:
        drifting = {"what": called(loose.what), "number": loose.number}
        yield Finding(Kind.LOOSE, Risk.KNOWLEDGE, drifting, (loose.place,))
    for place, earlier, later in snapshot.backwards[:_MOST_DISPUTES]:
        moments = {"earlier": f"{earlier:%Y-%m-%d %H:%M:%S}", "later": f"{later:%Y-%m-%d %H:%M:%S}"}
        yield Finding(Kind.CLOCK_BACKWARDS, Risk.KNOWLEDGE, moments, (place,))
    until = snapshot.until
    for node in snapshot.nodes.values():
        since = node.connected_since
        # What was asked last may be a while behind the last clock.
        if since is not None and until is not None and _moment(since.text) > until + GAP:
            clock = f"{until:%Y-%m-%d %H:%M:%S}"
            apart = {"node": node.name, "since": since.text, "taken": clock}
            yield Finding(Kind.CONNECTED_LATER, Risk.KNOWLEDGE, apart, (since.place,))


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - as clocks tell it
