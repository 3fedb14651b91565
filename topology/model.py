"""What the Presence Topology shows, without where it is drawn.

Pure: built from the rows that the selectors hand over, no queries, no clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

from redundancy.srm.states import NOT_RESPONDING, State

if TYPE_CHECKING:
    from redundancy.selectors.live import GroupLive, NodeRow, ObserverView
    from redundancy.selectors.presence import Presence


class Beat(StrEnum):
    """What is known of the heartbeat between the two nodes of a group; the value is its label."""

    HEARD = "Heartbeat"
    WAITING = "Waiting"
    SILENT = "Silent"
    OFF = "HA off"

    @property
    def tone(self) -> str:
        """Return the tone it is drawn in."""
        return _BEAT_TONES[self]

    @property
    def meaning(self) -> str:
        """Return in words what is known."""
        return _BEAT_MEANINGS[self]


_BEAT_TONES = {Beat.HEARD: "ok", Beat.WAITING: "busy", Beat.SILENT: "bad", Beat.OFF: "off"}
_BEAT_MEANINGS = {
    Beat.HEARD: "both nodes report",
    Beat.WAITING: "the nodes are looking for each other",
    Beat.SILENT: "a node does not report",
    Beat.OFF: "none, High Availability is off",
}

# How many nodes a spoken summary names one by one.
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Node:
    """One IM and Presence server. ``tone``: ok, busy, warn, bad or off."""

    server_id: int
    name: str
    is_publisher: bool
    assigned: int
    presence: "Presence"
    state: str
    reason: str
    tone: str

    @property
    def role(self) -> str:
        """Return the node's part in the replication of the IM&P database."""
        return "Publisher" if self.is_publisher else "Subscriber"

    @property
    def shown_reason(self) -> str:
        """Return the reason, empty where it says no more than the state."""
        return "" if self.reason == self.state else self.reason

    @property
    def label(self) -> str:
        """Return the whole node as one sentence, for those who hear the map instead of seeing it."""
        why = f", {self.shown_reason}" if self.shown_reason else ""
        return (
            f"{self.name}, {self.role}: {self.state}{why}. "
            f"{self.assigned:,} assigned users, {self.presence} active users."
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A presence redundancy group and its nodes, in the order of its drop-downs."""

    group_id: int
    name: str
    ha_enabled: bool
    nodes: tuple[Node, ...]

    @property
    def ha(self) -> str:
        """Return whether High Availability is on, in words."""
        return "HA on" if self.ha_enabled else "HA off"

    @property
    def beat(self) -> Beat | None:
        """Return what is known of the heartbeat; None while there is no pair to exchange one."""
        if len(self.nodes) < 2:
            return None
        if not self.ha_enabled:
            return Beat.OFF
        states = {node.state for node in self.nodes}
        if NOT_RESPONDING in states:
            return Beat.SILENT
        # Unknown with HA on: just enabled, SRM has not looked yet.
        return Beat.WAITING if states & {State.UNKNOWN, State.INITIALIZING} else Beat.HEARD


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole cluster as one page shows it."""

    groups: tuple[Group, ...] = ()
    unassigned: tuple[Node, ...] = ()
    users_without_node: int = 0
    # Why the states may be old: the observer itself could not see. Empty while it sees.
    blind: str = ""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return every node, those of the groups first."""
        return (*(node for group in self.groups for node in group.nodes), *self.unassigned)

    @property
    def users_assigned(self) -> int:
        """Return how many users have a home node."""
        return sum(node.assigned for node in self.nodes)

    @property
    def users_active(self) -> int:
        """Return how many users are logged in."""
        return sum(node.presence.active for node in self.nodes)

    @property
    def users_waiting(self) -> int:
        """Return how many users have a session, but are not logged in."""
        return sum(node.presence.waiting for node in self.nodes)

    @property
    def troubled(self) -> tuple[Node, ...]:
        """Return the nodes that need somebody's attention."""
        return tuple(node for node in self.nodes if node.tone in {"warn", "bad"})

    @property
    def summary(self) -> str:
        """Return the whole map in a sentence, as it is announced after a change."""
        if not self.troubled:
            return "Presence Topology updated: no node needs attention."
        nodes = "; ".join(f"{node.name} {node.state}" for node in self.troubled[:_NAMED])
        more = len(self.troubled) - _NAMED
        return f"Presence Topology updated: {nodes}{f'; {more} more nodes' if more > 0 else ''}."

    @property
    def states(self) -> str:
        """Return a fingerprint of what is worth announcing: which nodes there are and their states."""
        return _fingerprint([(node.server_id, node.state, node.reason) for node in self.nodes])

    @property
    def version(self) -> str:
        """Return a fingerprint of all that is shown, which begins with ``states``.

        Of ``blind`` only whether it is empty counts: its sentence reckons times anew at each look.
        """
        shown = (self.groups, self.unassigned, self.users_without_node, bool(self.blind))
        return f"{self.states}-{_fingerprint(shown)}"


def _fingerprint(shown: object) -> str:
    return blake2b(repr(shown).encode(), digest_size=8).hexdigest()


def build(
    groups: Iterable["GroupLive"],
    unassigned: Iterable["NodeRow"],
    users_without_node: int,
    observer: "ObserverView",
) -> Topology:
    """Return the topology of the groups and the nodes without one."""
    return Topology(
        groups=tuple(
            Group(group.group_id, group.name, group.ha_enabled, tuple(map(_node, group.rows)))
            for group in groups
        ),
        unassigned=tuple(map(_node, unassigned)),
        users_without_node=users_without_node,
        blind="" if observer.ok else observer.sentence,
    )


def _node(row: "NodeRow") -> Node:
    return Node(
        server_id=row.server_id,
        name=row.name,
        is_publisher=row.is_publisher,
        assigned=row.assigned,
        presence=row.presence,
        state=row.state,
        reason=row.reason,
        tone=row.tone,
    )
