"""Which alarms hold of a real cluster as it was seen, and of which nobody can tell. Pure.

The kinds are those of the lab. What is not told neither raises an alarm nor clears one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from redundancy.catalog import LOGIN_SERVICES, SERVICES, Watch
from redundancy.cluster.explaining import MONITORED, down, explained
from redundancy.cluster.snapshot import Group, Node, Snapshot, Value
from redundancy.models import AlarmKind
from redundancy.srm.states import (
    CALM,
    SERVES_NOBODY,
    SERVING_FOR_PEER,
    SILENCE_REASONS,
    TRANSITIONS,
    State,
)
from redundancy.srm.words import listed, say, together

# Services whose state decides an alarm.
_DECIDING = frozenset(
    {
        *LOGIN_SERVICES,
        *(each.name for each in SERVICES if each.watch in {Watch.ALWAYS, Watch.IF_ACTIVATED}),
    }
)
# What a node in one of these does not run was stopped, or waits to be started, on purpose.
_RESTING = SERVES_NOBODY | TRANSITIONS


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm that holds: of the group or node ``name``. ``settled``: as of `redundancy.alarms.reads.AlarmCondition`."""

    kind: AlarmKind
    name: str
    group: str
    node: str
    sentence: str
    settled: bool = True


@dataclass(slots=True)
class Judgement:
    """What holds, and of what (kind and name) nobody can tell whether it does."""

    holding: list[Finding] = field(default_factory=list)
    untold: set[tuple[AlarmKind, str]] = field(default_factory=set)

    def of_group(
        self,
        kind: AlarmKind,
        group: Group,
        holds: bool | None,
        sentence: str = "",
        *,
        settled: bool = True,
    ) -> None:
        """Note whether an alarm of a group holds; None: nobody can tell."""
        self._note(kind, group.name, group.name, "", holds, sentence, settled)

    def of_node(
        self,
        kind: AlarmKind,
        group: Group | None,
        node: Node,
        holds: bool | None,
        sentence: str = "",
    ) -> None:
        """Note whether an alarm of a node holds; None: nobody can tell."""
        whose = "" if group is None else group.name
        self._note(kind, node.name, whose, node.name, holds, sentence, True)

    def _note(
        self,
        kind: AlarmKind,
        name: str,
        group: str,
        node: str,
        holds: bool | None,
        sentence: str,
        settled: bool,
    ) -> None:
        if holds is None:
            self.untold.add((kind, name))
        elif holds:
            self.holding.append(Finding(kind, name, group, node, sentence, settled))


def subject_of(watch: int, name: str) -> str:
    """Return the subject of an alarm: short, begins with the key of its watch, and is another one for each name."""
    return f"real {watch} {blake2b(name.encode(), digest_size=6).hexdigest()}"


def watch_of(subject: str) -> int:
    """Return the key of the watch in a subject of ``subject_of``."""
    return int(subject.split(" ")[1])


def judged(snapshot: Snapshot) -> Judgement:
    """Return which alarms hold of a cluster that was seen so."""
    found = Judgement()
    grouped: dict[str, Group] = {}
    for group in snapshot.groups.values():
        pair = snapshot.pair(group)
        grouped |= {node.name: group for node in pair}
        _group(found, snapshot, group, pair)
    for node in snapshot.nodes.values():
        if node.is_presence:
            _node(found, grouped.get(node.name), node)
    return found


def _text(value: Value | None) -> str | None:
    return None if value is None or value.disputed else value.text


def _group(found: Judgement, snapshot: Snapshot, group: Group, pair: list[Node]) -> None:
    on = _text(group.ha)
    if len(pair) == 2:
        sentence = say(
            "High Availability of {group} is off: nobody takes over when a node fails.",
            group=group.name,
        )
        found.of_group(AlarmKind.HA_OFF, group, None if on is None else on == "off", sentence)
    if on == "off":
        return
    states = [_text(node.state) for node in pair]
    troubled = [state for state in states if state is not None and state not in CALM]
    # Unknown is calm where High Availability is off alone.
    troubled += [state for state in states if state == State.UNKNOWN and on == "on"]
    unsure = None in states or not states or len(pair) < len(group.nodes)
    holds = True if troubled else None if unsure else False
    nodes = together((_described(node) for node in pair), "; ")
    told = explained(snapshot, group)
    found.of_group(
        AlarmKind.FAILOVER,
        group,
        holds,
        together([say("{nodes}.", nodes=nodes), told.cause]),
        settled=not any(state in TRANSITIONS for state in states),
    )
    for node, state in zip(pair, states, strict=True):
        sentence = together([say("{node}.", node=_described(node)), told.cause])
        failed = None if state is None else state == State.FAILED
        found.of_node(AlarmKind.FAILED, group, node, failed, sentence)
        found.of_node(
            AlarmKind.PEER_FAILURE, group, node, _serves_for_silent(node, state), sentence
        )


def _serves_for_silent(node: Node, state: str | None) -> bool | None:
    if state is None:
        return None
    if state not in SERVING_FOR_PEER:
        return False
    reason = _text(node.reason)
    return None if reason is None else reason in SILENCE_REASONS


def _described(node: Node) -> str:
    state, reason = _text(node.state), _text(node.reason)
    if state is None:
        return say("{node}: state not told", node=node.name)
    if reason is None:
        return say("{node}: {state}", node=node.name, state=state)
    return say("{node}: {state} / {reason}", node=node.name, state=state, reason=reason)


def _node(found: Judgement, group: Group | None, node: Node) -> None:
    reached = _text(node.reached)
    sentence = say("{node} is not reached by the node that was asked.", node=node.name)
    found.of_node(
        AlarmKind.SERVER_DOWN, group, node, None if reached is None else reached == "no", sentence
    )
    resting = group is not None and _text(group.ha) != "off" and _text(node.state) in _RESTING
    # A node that failed over since a service is down has the alarm all the same: it is what to mend.
    stopped = [] if _text(node.state) == State.IDLE else down(node)
    _services(found, AlarmKind.SERVICE_DOWN, group, node, stopped, MONITORED)
    stopped = [] if resting else down(node, login=True)
    _services(found, AlarmKind.SERVICE_STOPPED, group, node, stopped, LOGIN_SERVICES)


def _services(
    found: Judgement,
    kind: AlarmKind,
    group: Group | None,
    node: Node,
    stopped: list[str],
    needed: Iterable[str],
) -> None:
    sentence = say("Not running on {node}: {services}.", node=node.name, services=listed(stopped))
    found.of_node(
        kind, group, node, True if stopped else None if _unsure(node, needed) else False, sentence
    )


def _unsure(node: Node, needed: Iterable[str]) -> bool:
    """Return whether services that decide are not told of, or in two ways, or cannot be read."""
    told = node.services
    return any(name not in told for name in needed) or any(
        value.disputed or value.unread for name, value in told.items() if name in _DECIDING
    )
