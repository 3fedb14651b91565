"""What the Presence Topology shows, without where it is drawn.

Pure: built from what the selectors hand over, no queries, no clock.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b

from redundancy.selectors.cluster import Cluster, ClusterGroup, Ear, Sound
from redundancy.selectors.cluster import ClusterNode as Node

# Tones from the one that needs somebody first to the one that needs nobody.
URGENCY = ("bad", "warn", "busy", "off", "ok")
TONE_WORDS = {
    "bad": "Failed",
    "warn": "Needs attention",
    "busy": "In transition",
    "off": "High Availability off",
    "ok": "Normal",
}
# How many nodes a spoken summary names one by one.
_NAMED = 4


class Link(StrEnum):
    """The heartbeat between the two nodes of a group; the value is its label."""

    ALIVE = "Alive"
    LATE = "Late"
    ONE_WAY = "One-way"
    CUT = "Cut"
    SILENT = "Silent"
    WAITING = "Waiting"
    OFF = "HA off"

    @property
    def tone(self) -> str:
        """Return the tone it is drawn in."""
        return _LINK_TONES[self]

    @property
    def meaning(self) -> str:
        """Return in words what is known."""
        return _LINK_MEANINGS[self]


_LINK_TONES = {
    Link.ALIVE: "ok",
    Link.LATE: "warn",
    Link.ONE_WAY: "bad",
    Link.CUT: "bad",
    Link.SILENT: "bad",
    Link.WAITING: "busy",
    Link.OFF: "off",
}
_LINK_MEANINGS = {
    Link.ALIVE: "each node hears the other",
    Link.LATE: "a heartbeat is overdue",
    Link.ONE_WAY: "only one node hears the other",
    Link.CUT: "both nodes run SRM, and neither hears the other",
    Link.SILENT: "a node runs no SRM, so it sends no heartbeats",
    Link.WAITING: "the nodes are looking for each other",
    Link.OFF: "no heartbeats, High Availability is off",
}


def link_of(first: Ear | None, second: Ear | None) -> Link:
    """Return the link that two nodes have, by what each of them hears; None: HA is off."""
    if first is None or second is None:
        return Link.OFF
    sounds = {first.sound, second.sound}
    if Sound.DEAF in sounds:
        return Link.SILENT
    if first.sound.hears and second.sound.hears:
        return Link.LATE if Sound.LATE in sounds else Link.ALIVE
    if Sound.WAITING in sounds:
        return Link.WAITING
    return Link.ONE_WAY if first.sound.hears or second.sound.hears else Link.CUT


@dataclass(frozen=True, slots=True)
class Hearing:
    """One direction of a link: what ``listener`` hears of ``speaker``."""

    listener: Node
    speaker: Node
    ear: Ear

    @property
    def tone(self) -> str:
        """Return the tone it is drawn in."""
        return _SOUND_TONES[self.ear.sound]

    @property
    def sentence(self) -> str:
        """Return in words what is heard; without its age, which changes all the time."""
        ear, speaker = self.ear, self.speaker.name
        if ear.sound is Sound.DEAF:
            return f"{self.listener.name} runs no SRM and listens to nobody."
        if ear.sound is Sound.WAITING:
            return f"{self.listener.name} has not heard {speaker} yet."
        if ear.leaving:
            return f"{self.listener.name} heard {speaker} say that it goes down."
        words = f"{self.listener.name} {_SOUND_WORDS[ear.sound]} {speaker}"
        if ear.sound.hears and not ear.heard_back:
            return f"{words}, which says that it does not hear {self.listener.name}."
        return f"{words}."


_SOUND_TONES = {
    Sound.HEARD: "ok",
    Sound.LATE: "warn",
    Sound.SILENT: "bad",
    Sound.WAITING: "busy",
    Sound.DEAF: "bad",
}
_SOUND_WORDS = {
    Sound.HEARD: "hears",
    Sound.LATE: "waits for an overdue heartbeat of",
    Sound.SILENT: "does not hear",
}


def role(is_publisher: bool) -> str:
    """Return the node's part in the replication of the IM&P database."""
    return "Publisher" if is_publisher else "Subscriber"


def shown_reason(node: Node) -> str:
    """Return the reason, empty where it says no more than the state."""
    return "" if node.reason == node.state else node.reason


def label(node: Node, guests_of: str = "") -> str:
    """Return the whole node as one sentence, for those who hear the map instead of seeing it."""
    reason = shown_reason(node)
    why = f", {reason}" if reason else ""
    guests = f" {node.guests} active users of {guests_of} among them." if guests_of else ""
    return (
        f"{node.name}, {role(node.is_publisher)}: {node.state}{why}. "
        f"{node.assigned:,} assigned users, {node.presence} active users.{guests}"
    )


@dataclass(frozen=True)
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

    @cached_property
    def link(self) -> Link | None:
        """Return the heartbeat link; None while there is no pair to have one."""
        if len(self.nodes) < 2:
            return None
        return link_of(*(node.ear for node in self.nodes))

    @property
    def hearings(self) -> tuple[Hearing, ...]:
        """Return both directions of the link, the first node's ear first; none without heartbeats."""
        if len(self.nodes) < 2:
            return ()
        one, two = self.nodes
        return tuple(
            Hearing(listener, speaker, listener.ear)
            for listener, speaker in ((one, two), (two, one))
            if listener.ear is not None
        )

    @property
    def missed(self) -> Hearing | None:
        """Return the direction whose heartbeats stay away longest; None while none do."""
        missed = [each for each in self.hearings if each.ear.sound in {Sound.LATE, Sound.SILENT}]
        return min(missed, key=lambda each: each.ear.heard_at or 0, default=None)

    @cached_property
    def tone(self) -> str:
        """Return the tone of what is worst in it: a node or the link."""
        tones = {node.tone for node in self.nodes} or {"off"}
        if self.link is not None:
            tones.add(self.link.tone)
        return min(tones, key=URGENCY.index)

    @property
    def entries(self) -> tuple[tuple[Node, str], ...]:
        """Return each node with the name of the peer whose sessions it holds, empty when none."""
        names = [node.name for node in reversed(self.nodes)]
        return tuple(
            (node, peer if node.guests.sessions else "")
            for node, peer in zip(self.nodes, names, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the whole cluster, whatever part of it is shown."""

    groups: int = 0
    nodes: int = 0
    unassigned: int = 0
    users_assigned: int = 0
    users_without_node: int = 0
    users_active: int = 0
    users_waiting: int = 0


@dataclass(frozen=True, slots=True)
class Topology:
    """What one page shows of the cluster.

    ``troubled``: the nodes of the whole cluster that need somebody, as ``(name, state)``.
    ``states``: a fingerprint of what is worth announcing: which nodes there are and their states.
    ``blind``: why the states may be old: the observer itself could not see. Empty while it sees.
    """

    groups: tuple[Group, ...] = ()
    unassigned: tuple[Node, ...] = ()
    totals: Totals = field(default_factory=Totals)
    tones: Mapping[str, int] = field(default_factory=dict)
    troubled: tuple[tuple[str, str], ...] = ()
    states: str = ""
    blind: str = ""

    @property
    def summary(self) -> str:
        """Return the whole cluster in a sentence, as it is announced after a change."""
        if not self.troubled:
            return "Presence Topology updated: no node needs attention."
        nodes = "; ".join(f"{name} {state}" for name, state in self.troubled[:_NAMED])
        more = len(self.troubled) - _NAMED
        return f"Presence Topology updated: {nodes}{f'; {more} more nodes' if more > 0 else ''}."

    @property
    def version(self) -> str:
        """Return a fingerprint of all that is shown but the ages of heartbeats.

        It begins with ``states``. Of ``blind`` only whether it is empty counts: its sentence reckons
        times anew at each look.
        """
        groups = [
            (group.group_id, group.name, group.ha_enabled, [*map(_looks, group.nodes)])
            for group in self.groups
        ]
        loose = [*map(_looks, self.unassigned)]
        shown = (groups, loose, self.totals, sorted(self.tones.items()), bool(self.blind))
        return f"{self.states}-{fingerprint(shown)}"


def _looks(node: Node) -> object:
    """Return what is shown of a node but when it heard its peer."""
    ear = node.ear
    heard = ear and (ear.sound, ear.heard_at is None, ear.heard_back, ear.leaving)
    shown = (node.server_id, node.name, node.is_publisher, node.assigned, node.presence)
    return (*shown, node.state, node.reason, node.tone, node.guests, heard)


def fingerprint(shown: object) -> str:
    """Return a short text that changes with ``shown``."""
    return blake2b(repr(shown).encode(), digest_size=8).hexdigest()


def build(cluster: Cluster, *, blind: str = "") -> Topology:
    """Return the topology of the whole cluster."""
    groups = tuple(map(_group, cluster.groups))
    nodes = [*(node for group in groups for node in group.nodes), *cluster.unassigned]
    return Topology(
        groups=groups,
        unassigned=cluster.unassigned,
        totals=Totals(
            groups=len(groups),
            nodes=len(nodes),
            unassigned=len(cluster.unassigned),
            users_assigned=sum(node.assigned for node in nodes),
            users_without_node=cluster.users_without_node,
            users_active=sum(node.presence.active for node in nodes),
            users_waiting=sum(node.presence.waiting for node in nodes),
        ),
        tones=Counter(group.tone for group in groups),
        troubled=tuple((node.name, node.state) for node in nodes if node.tone in {"warn", "bad"}),
        states=fingerprint([(node.server_id, node.state, node.reason) for node in nodes]),
        blind=blind,
    )


def _group(group: ClusterGroup) -> Group:
    return Group(group.group_id, group.name, group.ha_enabled, group.nodes)
