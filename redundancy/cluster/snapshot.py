"""A cluster at one time, as a text tells it. Pure.

Of what is told more than once the last one holds. Where two tell different things and nothing says which came
later, the value is disputed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from redundancy.cluster.facts import Place
from redundancy.srm.states import Reason, State

# Where a user is who is assigned to no node.
NOWHERE = ""


@dataclass(frozen=True, slots=True)
class Value:
    """What is told, and where. ``disputed``: something else is told, too, and which came later is not known."""

    text: str
    place: Place
    disputed: bool = False

    @property
    def unread(self) -> bool:
        """Whether it is the state of a service that could not be read: nobody knows that it is stopped."""
        return self.text.startswith("UNKNOWN")


@dataclass(frozen=True, slots=True)
class Node:
    """A server of the cluster, of either product; None, or empty, is what was not told.

    ``group``: of its presence redundancy group; empty text: it is told that it has none. ``services``,
    ``counters`` and ``parameters``: by their names; a service reads as it was printed (``STOPPED  Commanded Out of
    Service``). ``clock``: its own, ``up``: for how long it has run by then.
    """

    name: str
    group: Value | None = None
    state: Value | None = None
    reason: Value | None = None
    version: Value | None = None
    address: Value | None = None
    fqdn: Value | None = None
    product: Value | None = None
    role: Value | None = None
    reached: Value | None = None
    connected_since: Value | None = None
    clock: Value | None = None
    time_zone: Value | None = None
    up: Value | None = None
    services: Mapping[str, Value] = field(default_factory=dict)
    counters: Mapping[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_presence(self) -> bool:
        """Whether it is told to be an IM and Presence node."""
        told = self.product is not None and self.product.text == "IM and Presence"
        return told or self.state is not None or (self.group is not None and self.group.text != "")


@dataclass(frozen=True, slots=True)
class Group:
    """A presence redundancy group. ``ha``: ``on`` or ``off``. ``nodes``: names, in their order where one is told."""

    name: str
    place: Place
    ha: Value | None = None
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A user: its node by name (NOWHERE: none), None where nothing tells; ``place``: where it stands."""

    name: str
    node: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Dispute:
    """Two values of one thing. ``changed``: the second one came later; else which holds is not known."""

    what: str
    field: str
    first: Value
    second: Value
    changed: bool


@dataclass(frozen=True, slots=True)
class Loose:
    """What cannot be given to a node or an owner. ``what``: ``services``, ``version`` …, ``number`` of values."""

    what: str
    number: int
    place: Place


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cluster at one time.

    ``taken``: by the first clock in it, as that machine shows it; None: no clock is told. ``until``: by the last
    clock of a node. ``backwards``: clocks that show an earlier time than the one before. ``users``: by their names in small letters. ``all_users``: how many there are, where a count is told.
    ``parameters``: the clusterwide ones.
    ``lab``: whether it is the lab, whose clock is none of a cluster.
    """

    taken: datetime | None
    files: tuple[str, ...]
    groups: Mapping[str, Group]
    nodes: Mapping[str, Node]
    parameters: Mapping[str, Value]
    users: Mapping[str, User]
    all_users: Value | None
    disputes: tuple[Dispute, ...]
    loose: tuple[Loose, ...]
    until: datetime | None = None
    backwards: tuple[tuple[Place, datetime, datetime], ...] = ()
    lab: bool = False

    def users_per_node(self) -> dict[str, int]:
        """Return how many users are told to be assigned to each node, NOWHERE included."""
        return dict(Counter(user.node for user in self.users.values() if user.node is not None))

    def pair(self, group: Group) -> list[Node]:
        """Return the nodes of a group."""
        return [self.nodes[name] for name in group.nodes if name in self.nodes]


def ha_of(nodes: list[Node]) -> Value | None:
    """Return whether High Availability is on, as the states of a group's nodes tell it; None: they do not."""
    for node in nodes:
        if node.reason is not None and node.reason.text == Reason.HA_NOT_ENABLED:
            return Value("off", node.reason.place, node.reason.disputed)
    for node in nodes:
        if node.state is not None and node.state.text != State.UNKNOWN:
            return Value("on", node.state.place, node.state.disputed)
    return None
