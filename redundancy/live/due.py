"""Who is due, and all that a step of its SRM needs, in a number of queries that does not grow."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Min, Q, QuerySet

from redundancy import bus
from redundancy.drivers import get_driver
from redundancy.models import MessageKind, NodeRuntime, SrmMessage
from redundancy.models.runtime import NEVER
from redundancy.operations.events import Place
from redundancy.srm.codec import node_from_json
from redundancy.srm.types import Heartbeat, Node, Reading

# Lab seconds by which the clocks of two workers may differ.
CLOCK_SLACK = 60.0


class StoredNode(NamedTuple):
    """A node's row of memory, with what the tables say of its server, group and machine.

    ``holder``: name of the node that holds the group's sessions, if one does.
    """

    pk: int
    version: int
    memory: dict[str, Any]
    serial: int
    sentence: str
    name: str
    slot: int
    group: int
    group_name: str
    generation: int
    epoch: int
    holder: str | None
    incarnation: int
    trace_level: str

    @property
    def place(self) -> Place:
        """The node as the history keeps it."""
        return Place(self.pk, self.name, self.group, self.group_name)


# Where the fields of Stored are that are no columns of the memory itself.
_ELSEWHERE = {
    "name": "server__name",
    "slot": "server__slot",
    "group": "server__group_id",
    "group_name": "server__group__name",
    "generation": "server__group__ha_generation",
    "epoch": "server__group__epoch",
    "holder": "server__group__holder__name",
    "incarnation": "server__machine__incarnation",
    "trace_level": "server__machine__trace_level",
}
COLUMNS = tuple(_ELSEWHERE.get(name, name) for name in StoredNode._fields)


class DueNode(NamedTuple):
    """All that one step begins with.

    ``messages``: what was stored for the node, oldest first. ``heartbeat``: the last one in its inbox.
    ``together``: both nodes of the pair are stepped by the sweep, no SRM has a process of its own.
    """

    stored: StoredNode
    peer: int
    peer_name: str
    together: bool
    messages: Sequence[SrmMessage]
    heartbeat: Heartbeat | None
    readings: tuple[Reading, ...]

    @property
    def node(self) -> Node:
        """What the node's SRM remembers, under the names that it and its peer have now."""
        stored = self.stored
        if stored.memory:
            # A server can be renamed while its SRM runs.
            names = {"name": stored.name, "peer_name": self.peer_name}
            return node_from_json(stored.memory | names)
        # High Availability was enabled: its memory begins anew, in Unknown, and its serial goes on.
        return Node(stored.name, self.peer_name, first=stored.slot == 1, serial=stored.serial)


def find_due(whom: Q, now: float, mail: set[int], interval: float) -> list[StoredNode]:
    """Return the nodes whose SRM runs and has something to do at ``now`` (lab seconds), by their keys.

    ``whom``: which to look at, as a condition on their memory. ``mail``: whose inbox was written.
    ``interval``: the heartbeat interval in force, in seconds.
    """
    rows = (
        _running(whom)
        .filter(
            Q(due_at__lte=now)
            | Q(pk__in=mail)
            | Q(pk__in=SrmMessage.objects.values("node_id"))
            # Later than any step plans: the clock was set back since.
            | Q(due_at__gt=now + interval + CLOCK_SLACK, due_at__lt=NEVER)
        )
        .order_by("pk")
        .values_list(*COLUMNS)
    )
    return [StoredNode._make(row) for row in rows]


def next_limit(whom: Q, now: float, until: float) -> float | None:
    """Return the first moment after ``now``, not after ``until``, at which one of these nodes reaches a time limit."""
    ending = _running(whom).filter(limit_at__gt=now, limit_at__lte=until)
    first: float | None = ending.aggregate(first=Min("limit_at"))["first"]
    return first


def _running(whom: Q) -> QuerySet[NodeRuntime]:
    """Return the nodes of groups with High Availability whose SRM runs."""
    return NodeRuntime.objects.filter(
        whom,
        server__group__ha_enabled=True,
        server__machine__powered=True,
        server__machine__srm_running=True,
    )


def due_nodes(due: Sequence[StoredNode]) -> list[DueNode]:
    """Return the situation of each of these nodes that has a peer."""
    pks = [stored.pk for stored in due]
    messages: dict[int, list[SrmMessage]] = defaultdict(list)
    for message in SrmMessage.objects.filter(node__in=pks).order_by("pk"):
        messages[message.node_id].append(message)
    bus.forget(pk for pk in pks if any(m.kind == MessageKind.STARTED for m in messages[pk]))
    heartbeats = bus.read(pks)
    readings = get_driver().read(pks)
    peers = _peers(due)
    return [
        DueNode(
            stored,
            *peers[stored.pk],
            messages[stored.pk],
            heartbeats.get(stored.pk),
            tuple(readings[stored.pk]),
        )
        for stored in due
        if stored.pk in peers
    ]


def _peers(due: Sequence[StoredNode]) -> dict[int, tuple[int, str, bool]]:
    """Return of each node key and name of its peer, and whether neither's SRM has a process of its own."""
    members: dict[int, list[tuple[int, str, str]]] = {stored.group: [] for stored in due}
    rows = NodeRuntime.objects.filter(server__group__in=members)
    for pk, name, worker, group in rows.values_list(
        "pk", "server__name", "server__machine__srm_worker", "server__group_id"
    ):
        members[group].append((pk, name, worker))
    return {
        stored.pk: (pk, name, not any(worker for *_, worker in members[stored.group]))
        for stored in due
        for pk, name, _ in members[stored.group]
        if pk != stored.pk
    }
