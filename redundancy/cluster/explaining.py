"""What the states of a pair mean, by the table of states: cause, who serves, what comes next, what to do. Pure.

The words are those of the lab's own groups. What is not told is said to be so, and nothing is concluded from it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from redundancy.catalog import LOGIN_SERVICES, PARAMETER_BY_KEY, SERVICE_BY_NAME, SERVICES, Watch
from redundancy.cluster.snapshot import Group, Node, Snapshot, Value
from redundancy.srm.advice import Side, explain, serving
from redundancy.srm.states import (
    AWAITING_FALLBACK,
    BACKUP_MODES,
    FAILED_OVER_STATES,
    NOT_RESPONDING,
    SERVES_NOBODY,
    TRANSITIONS,
    Reason,
    State,
)
from redundancy.srm.types import Policy
from redundancy.srm.words import duration, listed, say

NOT_ACTIVATED = "Service Not Activated"
STARTED = "STARTED"
# Services that SRM monitors on every node.
MONITORED = tuple(each.name for each in SERVICES if each.watch is Watch.ALWAYS)
_TRUE = "true"


@dataclass(frozen=True, slots=True)
class Explained:
    """A group explained. ``number``: of the row of the vendor's table, 0 for one of ours, None where none fits.

    ``untold``: why it cannot be explained, or not wholly. ``holders``: who serves whom; ``coming``: what SRM does
    next, and when.
    """

    group: Group
    pair: tuple[Node, ...]
    number: int | None
    cause: str
    advice: str
    holders: tuple[str, ...]
    coming: tuple[str, ...]
    untold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A parameter in seconds. ``told``: else it is the vendor's default."""

    name: str
    seconds: float
    told: bool

    @property
    def words(self) -> str:
        """It as part of a sentence."""
        names = {"time": duration(self.seconds), "parameter": self.name}
        if self.told:
            return say("{time} ({parameter})", **names)
        return say("{time} ({parameter}; not told, the vendor's default)", **names)


def limit_of(snapshot: Snapshot, key: str) -> Limit:
    """Return a clusterwide parameter in seconds, by its key in the catalogue."""
    parameter = PARAMETER_BY_KEY[key]
    seconds = number_of(snapshot.parameters.get(parameter.name))
    return Limit(
        parameter.name,
        float(parameter.default) if seconds is None else seconds,
        seconds is not None,
    )


def number_of(value: Value | None) -> int | None:
    """Return a whole number that is told, and undisputed."""
    if value is None or value.disputed or not (value.text.isascii() and value.text.isdigit()):
        return None
    return int(value.text) if len(value.text) < 10 else None


def falls_back(snapshot: Snapshot) -> bool | None:
    """Return whether automatic fallback is enabled; None: not told."""
    value = snapshot.parameters.get(PARAMETER_BY_KEY["automatic_fallback"].name)
    if value is None or value.disputed:
        return None
    return value.text.lower() in {_TRUE, "t", "1"}


def policy_of(snapshot: Snapshot) -> Policy:
    """Return what of SRM's parameters decides the words of the table of states."""
    return Policy(automatic_fallback=falls_back(snapshot) is True)


def side_of(node: Node) -> Side | None:
    """Return a node as the table of states takes it; None where state or reason is not told, or not in the table."""
    if node.state is None or node.state.disputed:
        return None
    if node.state.text == NOT_RESPONDING:
        return node.name, None, None
    try:
        state = State(node.state.text)
        if node.reason is None or node.reason.disputed:
            return (node.name, state, Reason.NORMAL) if state is State.NORMAL else None
        return node.name, state, Reason(node.reason.text)
    except ValueError:
        return None


def down(node: Node, *, login: bool = False) -> list[str]:
    """Return the services that are told not to run: those SRM always monitors, or with ``login`` those of logins."""
    found = []
    for name, value in node.services.items():
        service = SERVICE_BY_NAME.get(name)
        if service is None or value.disputed or value.unread or value.text == STARTED:
            continue
        if login:
            if name in LOGIN_SERVICES:
                found.append(name)
        elif service.watch is Watch.ALWAYS or (
            service.watch is Watch.IF_ACTIVATED and NOT_ACTIVATED not in value.text
        ):
            found.append(name)
    return found


def unreadable(node: Node) -> list[str]:
    """Return the services of the catalogue whose state could not be read."""
    return [n for n, value in node.services.items() if value.unread and n in SERVICE_BY_NAME]


def unsure(node: Node) -> list[str]:
    """Return the services that SRM always monitors of which it is not told, or told in two ways, whether they run."""
    told = node.services
    return [name for name in MONITORED if name not in told or told[name].disputed]


def no_pair(group: Group, pair: Sequence[Node]) -> str:
    """Return why the nodes that are told of a group cannot be all, or only those; empty where they can."""
    if len(pair) > 2:
        return say(
            "Of {group} {number} nodes are told, and a group has one or two: {nodes}.",
            group=group.name,
            number=len(pair),
            nodes=listed(node.name for node in pair),
        )
    on = group.ha is not None and group.ha.text == "on" and not group.ha.disputed
    if len(pair) == 1 and on:
        return say(
            "High Availability of {group} is on, and of its two nodes only {node} is told.",
            group=group.name,
            node=pair[0].name,
        )
    return ""


def explained(snapshot: Snapshot, group: Group) -> Explained:
    """Return what the states of a group mean."""
    pair = tuple(snapshot.pair(group))
    if odd := no_pair(group, pair):
        return Explained(group, pair, None, "", "", (), (), (odd,))
    if not pair:
        nobody = say("No node of {group} is told.", group=group.name)
        return Explained(group, pair, None, "", "", (), (), (nobody,))
    if len(pair) == 1:
        alone = say("A group of one node has no failover: there is nothing to explain.")
        return Explained(group, pair, None, "", "", (), (), (alone,))
    if group.ha is not None and group.ha.text == "off" and not group.ha.disputed:
        one, two = ((node.name, State.UNKNOWN, Reason.HA_NOT_ENABLED) for node in pair)
        off = explain(one, two, policy_of(snapshot))
        away = [node.name for node in pair if _away(node)]
        own = tuple(_own(node.name, _shut(pair), away) for node in pair)
        coming = (say("Nobody takes over from a node that fails while High Availability is off."),)
        untold = tuple(_untold_logins(pair))
        return Explained(group, pair, off.number, off.cause, off.advice, own, coming, untold)
    untold = tuple(_untold(group, pair))
    first, second = (side_of(node) for node in pair)
    if first is None or second is None:
        return Explained(group, pair, None, "", "", (), (), untold)
    shut = _shut(pair)
    found = explain(first, second, policy_of(snapshot), shut=shut)
    return Explained(
        group,
        pair,
        found.number,
        found.cause,
        found.advice,
        tuple(_holders(first, second, shut)),
        tuple(_coming(snapshot, pair, first, second)),
        untold,
    )


def _shut(pair: tuple[Node, ...]) -> list[str]:
    return [node.name for node in pair if down(node, login=True)]


def _away(node: Node) -> bool:
    return node.reached is not None and not node.reached.disputed and node.reached.text == "no"


def _own(node: str, shut: Collection[str], away: Collection[str] = ()) -> str:
    """Return that a node serves its own users, unless nobody can log in there, or nobody reaches it."""
    if node in away:
        return say("Whether {node} serves anybody is not known: it is not reached.", node=node)
    if node in shut:
        return say("{node} has its own users, and nobody can log in there.", node=node)
    return say("{node} serves the users that are assigned to it.", node=node)


def _untold(group: Group, pair: tuple[Node, ...]) -> Iterator[str]:
    if group.ha is None:
        yield say("Whether High Availability of {group} is enabled is not told.", group=group.name)
    elif group.ha.disputed:
        yield say(
            "Whether High Availability of {group} is enabled is told in two ways.",
            group=group.name,
        )
    for node in pair:
        if node.state is None:
            yield say("The state of {node} is not told.", node=node.name)
        elif node.state.disputed or (node.reason is not None and node.reason.disputed):
            yield say("The state of {node} is told in two ways.", node=node.name)
        elif side_of(node) is None:
            yield say(
                "The reason of {node} is not told, and its state alone does not say what it means.",
                node=node.name,
            )
    yield from _untold_logins(pair)


def _untold_logins(pair: tuple[Node, ...]) -> Iterator[str]:
    for node in pair:
        if not any(name in node.services for name in LOGIN_SERVICES):
            yield say(
                "Whether clients can log in at {node} is not told: its services are not.",
                node=node.name,
            )


def _holders(one: Side, two: Side, shut: list[str]) -> Iterator[str]:
    for side, other in ((one, two), (two, one)):
        name, state, _ = side
        if state in BACKUP_MODES:
            yield say("{part}.", part=serving(name, shut))
        elif state is None:
            yield say("Whom {node} serves is not known: its SRM does not report.", node=name)
        elif state in SERVES_NOBODY:
            yield say("{node} serves nobody.", node=name)
        elif state in TRANSITIONS:
            yield say("{node} is between two states: sessions may be moving.", node=name)
        elif name in shut or other[1] not in BACKUP_MODES:
            yield _own(name, shut)


def _coming(snapshot: Snapshot, pair: tuple[Node, ...], one: Side, two: Side) -> Iterator[str]:
    """Yield what SRM does next by itself."""
    states = {one[1], two[1]}
    if states == {State.NORMAL}:
        yield from _from_normal(snapshot, pair)
        return
    if states == {State.FAILED}:
        yield say(
            "Nothing by itself: both nodes stay in failed mode until somebody presses Recover."
        )
        return
    if states == {State.UNKNOWN}:
        yield say("Nothing: while both nodes are Unknown, nobody takes over.")
        return
    if State.INITIALIZING in states:
        limit = limit_of(snapshot, "initialization_timeout").words
        yield say(
            "A starting node waits for its peer for {limit}, then decides alone.", limit=limit
        )
        return
    if states & TRANSITIONS:
        yield say("The move ends by itself, and both states change then.")
        return
    if lost := list(_from_backup(snapshot, pair, one, two)):
        yield from lost
        return
    for side, other in ((one, two), (two, one)):
        yield from _from_failed_over(snapshot, side, other)


def _from_normal(snapshot: Snapshot, pair: tuple[Node, ...]) -> Iterator[str]:
    delay = limit_of(snapshot, "critical_service_delay").words
    failing = False
    for node in pair:
        for service in down(node):
            failing = True
            yield say(
                "{service} on {node} does not run: {node} fails over when it has been down for {limit}. Since when it "
                "is down is not told.",
                service=service,
                node=node.name,
                limit=delay,
            )
    if not failing:
        yield say(
            "Nothing while both nodes are well. A node that is not heard for {timeout}, or one of whose monitored "
            "services is down for {delay}, is taken over by its peer.",
            timeout=limit_of(snapshot, "heartbeat_timeout").words,
            delay=delay,
        )


def _from_backup(snapshot: Snapshot, pair: tuple[Node, ...], one: Side, two: Side) -> Iterator[str]:
    """Yield what follows where a node that serves for its peer lacks a monitored service."""
    delay = limit_of(snapshot, "critical_service_delay").words
    for node, side, other in ((pair[0], one, two), (pair[1], two, one)):
        missing = down(node) if side[1] in BACKUP_MODES else []
        if not missing:
            continue
        names = {"node": node.name, "peer": other[0], "services": listed(missing), "limit": delay}
        if other[1] in {State.IDLE, State.FAILED_OVER}:
            yield say(
                "Not running on {node}, which serves everybody: {services}. {peer} takes everybody when that has been so "
                "for {limit}; since when it is, is not told.",
                **names,
            )
        elif other[1] is State.FAILED_OVER_DOWN:
            yield say(
                "Not running on {node}, which serves everybody: {services}. Both nodes go to failed mode when that has "
                "been so for {limit}; since when it is, is not told.",
                **names,
            )


def _from_failed_over(snapshot: Snapshot, side: Side, other: Side) -> Iterator[str]:
    names = {"node": side[0], "peer": other[0]}
    state = side[1]
    if state is State.IDLE and other[1] in BACKUP_MODES:
        yield say(
            "Nothing by itself: {node} was failed over by hand and waits for Fallback, also where automatic fallback "
            "is enabled.",
            **names,
        )
    elif state is State.FAILED_OVER_DOWN and other[1] in BACKUP_MODES:
        yield say("{node} becomes Failed Over when its critical services run again.", **names)
        yield _fallback(snapshot, names)
    elif state in AWAITING_FALLBACK and other[1] in BACKUP_MODES:
        yield _fallback(snapshot, names)
    elif state is None and other[1] in BACKUP_MODES:
        yield say("{peer} goes on until the SRM of {node} reports again.", **names)
        yield _fallback(snapshot, names)
    elif state is None and other[1] in {State.NORMAL, *FAILED_OVER_STATES}:
        limit = limit_of(snapshot, "heartbeat_timeout").words
        yield say(
            "{peer} takes over when it has not heard {node} for {limit}. Since when it does not is not told.",
            limit=limit,
            **names,
        )


def _fallback(snapshot: Snapshot, names: dict[str, str]) -> str:
    wait = duration(Policy().fallback_after)
    match falls_back(snapshot):
        case True:
            return say(
                "Automatic fallback is enabled: {node} takes its users back when it has been healthy for {wait} "
                "without a break. Since when it is, is not told.",
                wait=wait,
                **names,
            )
        case False:
            return say(
                "Automatic fallback is off: {node} waits until somebody presses Fallback.", **names
            )
        case _:
            return say(
                "Whether automatic fallback is enabled is not told. If it is, {node} takes its users back after {wait} "
                "of unbroken health; else it waits for Fallback.",
                wait=wait,
                **names,
            )
