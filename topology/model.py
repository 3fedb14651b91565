"""What the Presence Topology shows, without where it is drawn.

Pure: built from what the selectors hand over, no queries, no clock.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property

from redundancy.fingerprint import fingerprint
from redundancy.selectors.cluster import Cluster, ClusterGroup, Face, Outline, Users
from redundancy.selectors.cluster import ClusterNode as Node
from redundancy.selectors.hearing import Ear, Sound
from redundancy.selectors.wording import URGENCY as URGENCY
from redundancy.srm.words import english, mark, say, say_count, together

TONE_WORDS = {
    "bad": say("Failed"),
    "unseen": say("Not seen"),
    "warn": say("Needs attention"),
    "busy": say("In transition"),
    "off": say("High Availability off"),
    "ok": say("Normal"),
}
# Tones of nodes that need somebody.
_TROUBLED = frozenset({"bad", "warn"})
# How many nodes a spoken summary names one by one.
_NAMED = 4


class HeartbeatLink(StrEnum):
    """The heartbeat between the two nodes of a group; the value is its label.

    ``tone``: the one it is drawn in. ``meaning``: what is known, in words, without a full stop.
    """

    tone: str
    meaning: str

    def __new__(cls, name: str, tone: str, meaning: str) -> "HeartbeatLink":
        """Return the member ``name`` with its tone and meaning."""
        member = str.__new__(cls, name)
        member._value_, member.tone, member.meaning = name, tone, meaning
        return member

    ALIVE = mark("Alive"), "ok", say("each node hears the other")
    LATE = mark("Late"), "warn", say("a heartbeat is overdue")
    ONE_WAY = mark("One-way"), "bad", say("only one node hears the other")
    CUT = mark("Cut"), "bad", say("both nodes run SRM, and neither hears the other")
    SILENT = mark("Silent"), "bad", say("a node runs no SRM, so it sends no heartbeats")
    WAITING = mark("Waiting"), "busy", say("the nodes are looking for each other")
    UNSEEN = mark("Not seen"), "unseen", say("nobody looks at the nodes")
    OFF = mark("HA off"), "off", say("no heartbeats, High Availability is off")

    @property
    def label(self) -> str:
        """Return its label."""
        return say(self.value)


def link_of(first: Sound | None, second: Sound | None) -> HeartbeatLink:
    """Return the link that two nodes have, by what each of them hears; None: HA is off."""
    if first is None or second is None:
        return HeartbeatLink.OFF
    sounds = {first, second}
    if Sound.DEAF in sounds:
        return HeartbeatLink.SILENT
    if Sound.UNSEEN in sounds:
        return HeartbeatLink.UNSEEN
    if first.hears and second.hears:
        return HeartbeatLink.LATE if Sound.LATE in sounds else HeartbeatLink.ALIVE
    if Sound.WAITING in sounds:
        return HeartbeatLink.WAITING
    return HeartbeatLink.ONE_WAY if first.hears or second.hears else HeartbeatLink.CUT


def tone_of(outline: Outline) -> str:
    """Return the tone of what is worst in a group, or of a node without one: a node, or the link."""
    if len(outline.nodes) < 2:
        return _worst(tuple([node.tone for node in outline.nodes]), None)
    one, two = outline.nodes
    return _worst((one.tone, two.tone), (one.sound, two.sound))


# Of thousands of groups most are alike.
@cache
def _worst(tones: tuple[str, ...], sounds: tuple[Sound | None, Sound | None] | None) -> str:
    """``sounds``: what the two nodes of a pair hear; None where there is no pair."""
    found = {*tones} or {"off"}
    if sounds is not None:
        found.add(link_of(*sounds).tone)
    return min(found, key=URGENCY.index)


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
        ear, names = self.ear, {"node": self.listener.name, "peer": self.speaker.name}
        if ear.sound is Sound.DEAF:
            return say("{node} runs no SRM and listens to nobody.", node=self.listener.name)
        if ear.sound is Sound.UNSEEN:
            return say("It cannot be seen whether {node} hears {peer}.", **names)
        if ear.sound is Sound.WAITING:
            return say("{node} has not heard {peer} yet.", **names)
        if ear.leaving:
            return say("{node} heard {peer} say that it goes down.", **names)
        if ear.sound is Sound.SILENT:
            return say("{node} does not hear {peer}.", **names)
        if ear.sound is Sound.LATE:
            if not ear.heard_back:
                return say(
                    "{node} waits for an overdue heartbeat of {peer}, "
                    "which says that it does not hear {node}.",
                    **names,
                )
            return say("{node} waits for an overdue heartbeat of {peer}.", **names)
        if not ear.heard_back:
            return say("{node} hears {peer}, which says that it does not hear {node}.", **names)
        return say("{node} hears {peer}.", **names)


_SOUND_TONES = {
    Sound.HEARD: "ok",
    Sound.LATE: "warn",
    Sound.SILENT: "bad",
    Sound.WAITING: "busy",
    Sound.DEAF: "bad",
    Sound.UNSEEN: "unseen",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done with the group ``group``, or with its node ``node`` (keys); ``name``: whose it is."""

    group: int
    node: int | None
    name: str
    icon: str
    label: str
    url: str


def role(is_publisher: bool) -> str:
    """Return the node's part in the replication of the IM&P database."""
    return say("Publisher") if is_publisher else say("Subscriber")


def shown_reason(node: Node) -> str:
    """Return the reason, empty where it says no more than the state."""
    return "" if node.reason == node.state else node.reason


def label(node: Node, guests_of: str = "") -> str:
    """Return the whole node as one sentence, for those who hear the map instead of seeing it."""
    guests = ""
    if guests_of:
        guests = say(
            "{guests} active users of {peer} among them.", guests=node.guests, peer=guests_of
        )
    return together(
        [
            say(
                "{node}, {role}: {states}.",
                node=node.name,
                role=role(node.is_publisher),
                states=together([say(node.state), say(shown_reason(node))], ", "),
            ),
            say(
                "{assigned:,} assigned users, {active} active users.",
                assigned=node.assigned,
                active=node.presence,
            ),
            guests,
        ]
    )


@dataclass(frozen=True)
class Group(ClusterGroup):
    """A presence redundancy group with what the map says of it."""

    @property
    def ha(self) -> str:
        """Return whether High Availability is on, in words."""
        return say("HA on") if self.ha_enabled else say("HA off")

    @property
    def label(self) -> str:
        """Return what is said of it to those who do not see it."""
        return say("Presence redundancy group {group}, {ha}", group=self.name, ha=self.ha)

    @cached_property
    def link(self) -> HeartbeatLink | None:
        """Return the heartbeat link; None while there is no pair to have one."""
        if len(self.nodes) < 2:
            return None
        return link_of(*self._sounds[:2])

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
        sounds = self._sounds
        pair = (sounds[0], sounds[1]) if len(sounds) > 1 else None
        return _worst(tuple([node.tone for node in self.nodes]), pair)

    @property
    def _sounds(self) -> list[Sound | None]:
        return [None if node.ear is None else node.ear.sound for node in self.nodes]

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
    # Whether some pairs have High Availability on, and some off.
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """What one page shows of the cluster: some groups and nodes without one, and how all of it is.

    ``tones``: how many groups are of each tone. ``troubled``: the nodes of the whole cluster that need somebody, as ``(name, state)``.
    ``unseen``: whether nobody looks at the nodes. ``states``: a fingerprint of what is worth announcing: which nodes there are and their states.
    """

    groups: tuple[Group, ...] = ()
    unassigned: tuple[Node, ...] = ()
    totals: Totals = field(default_factory=Totals)
    tones: Mapping[str, int] = field(default_factory=dict)
    troubled: tuple[tuple[str, str], ...] = ()
    unseen: bool = False
    states: str = ""

    @property
    def summary(self) -> str:
        """Return the whole cluster in a sentence, as it is announced after a change."""
        if self.unseen:
            return say("Presence Topology updated: the nodes cannot be seen.")
        if not self.troubled:
            return say("Presence Topology updated: no node needs attention.")
        named = [together([name, say(state)]) for name, state in self.troubled[:_NAMED]]
        if (more := len(self.troubled) - _NAMED) > 0:
            named.append(say_count("{count} more node", "{count} more nodes", more))
        return say("Presence Topology updated: {nodes}.", nodes=together(named, "; "))


def build_map(outlines: Sequence[Outline], users: Users, shown: Cluster) -> Topology:
    """Return what a page shows of the cluster: of ``shown`` all, of the others how they are."""
    nodes = [node for each in outlines for node in each.nodes]
    groups = [each for each in outlines if each.group_id is not None]
    return Topology(
        groups=tuple(Group(g.group_id, g.name, g.ha_enabled, g.nodes) for g in shown.groups),
        unassigned=shown.unassigned,
        totals=Totals(
            groups=len(groups),
            nodes=len(nodes),
            unassigned=len(outlines) - len(groups),
            users_assigned=users.assigned,
            users_without_node=users.without_node,
            users_active=users.active,
            users_waiting=users.waiting,
            mixed=len({group.ha_enabled for group in groups if len(group.nodes) == 2}) > 1,
        ),
        tones=Counter(map(tone_of, groups)),
        troubled=tuple([(node.name, node.state) for node in nodes if node.tone in _TROUBLED]),
        unseen=any(node.tone == "unseen" for node in nodes),
        states=fingerprint("\n".join([_state(node) for node in nodes])),
    )


def _state(node: Face) -> str:
    return f"{node.server_id}\t{english(node.state)}\t{english(node.reason)}"
