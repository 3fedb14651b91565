"""All groups and nodes at one moment, as the Presence Topology shows them.

The number of queries is constant, and little is read of each node: thousands fit into a glance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.db.models import Count
from django.db.models.functions import Lower

from redundancy import clock
from redundancy.fingerprint import PASSING
from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup
from redundancy.selectors import nodes as machines
from redundancy.selectors import policy as policies
from redundancy.selectors import wording
from redundancy.selectors.access import is_logged_in
from redundancy.selectors.presence import Presence, presence
from redundancy.srm import facts
from redundancy.srm.codec import heartbeat_from_json
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Node, Policy
from redundancy.srm.words import say


class Sound(StrEnum):
    """What a node's SRM makes of its peer's heartbeats."""

    HEARD = "heard"
    LATE = "late"
    SILENT = "silent"
    WAITING = "not heard yet"
    DEAF = "does not listen"
    UNSEEN = "nobody looks"

    @property
    def hears(self) -> bool:
        """Return whether the peer counts as alive."""
        return self in {Sound.HEARD, Sound.LATE}


@dataclass(frozen=True, slots=True)
class Ear:
    """What one node has heard of its peer.

    ``heard_at``: lab seconds of the last heartbeat, None for never. ``heard_back``: the peer said in
    it that it hears this node. ``leaving``: the peer said in it that it goes down. ``holds_until``: lab
    seconds at which ``sound`` is another if nothing more is heard; None when it stays.
    """

    sound: Sound
    heard_at: float | None = field(default=None, metadata=PASSING)
    heard_back: bool = False
    leaving: bool = False
    holds_until: float | None = field(default=None, metadata=PASSING)

    @property
    def never(self) -> str:
        """Return what stands in the place of an age where nothing was heard."""
        return "–" if self.sound in {Sound.DEAF, Sound.UNSEEN} else say("not yet")


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One IM and Presence server.

    ``tone``: ok, busy, warn, unseen, bad or off. ``presence``: the sessions on it; ``guests``: those of them
    whose users are assigned to its peer. ``ear``: None where no heartbeats are exchanged.
    """

    server_id: int
    name: str
    is_publisher: bool
    assigned: int
    presence: Presence
    state: str
    reason: str
    tone: str
    guests: Presence = field(default_factory=Presence)
    ear: Ear | None = None


@dataclass(frozen=True, slots=True)
class ClusterGroup:
    """A presence redundancy group and its nodes, in the order of its drop-downs."""

    group_id: int
    name: str
    ha_enabled: bool
    nodes: tuple[ClusterNode, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything, by name."""

    groups: tuple[ClusterGroup, ...]
    unassigned: tuple[ClusterNode, ...]
    users_without_node: int


_COLUMNS = (
    "pk",
    "name",
    "is_publisher",
    "group_id",
    "machine__powered",
    "machine__srm_running",
    "runtime__state",
    "runtime__reason",
    "runtime__stepped_at",
    "runtime__memory__generation",
    "runtime__memory__services",
    "runtime__memory__peer",
    "runtime__memory__peer_at",
    "runtime__memory__listening_since",
)


def look_at_cluster(*, seeing: bool = True) -> Cluster:
    """Return the cluster now.

    Args:
        seeing: Whether sweeps run. While they do not, nobody knows who hears whom, or whether a
            node is still in the state that was seen last.

    """
    now, policy = clock.lab_now(), policies.current()
    groups = {
        pk: (name, enabled, generation, holder)
        for pk, name, enabled, generation, holder in RedundancyGroup.objects.order_by(
            Lower("name")
        ).values_list("pk", "name", "ha_enabled", "ha_generation", "holder")
    }
    rows = list(machines.nodes().order_by("group_id", "slot", Lower("name")).values(*_COLUMNS))
    everybody = machines.nodes().values_list("pk", flat=True)
    here = presence(everybody, now)
    homes = PresenceUser.objects.order_by().values_list("home").annotate(n=Count("pk"))
    assigned: dict[int | None, int] = dict(homes)
    holders = {holder for *_, holder in groups.values() if holder is not None}
    guests = _guests(holders, now, here)
    members: dict[int | None, list[ClusterNode]] = {}
    for group_id, mates in groupby(rows, key=lambda row: row["group_id"]):
        pair = list(mates)
        _, enabled, generation, _ = groups.get(group_id, ("", False, 0, None))
        members[group_id] = [
            _node(
                row,
                enabled=enabled,
                ear=_ear(row, generation, policy, now, seeing=seeing)
                if enabled and len(pair) == 2
                else None,
                assigned=assigned.get(row["pk"], 0),
                here=here[row["pk"]],
                guests=guests.get(row["pk"], Presence()),
                seeing=seeing,
            )
            for row in pair
        ]
    return Cluster(
        groups=tuple(
            ClusterGroup(pk, name, enabled, tuple(members.get(pk, ())))
            for pk, (name, enabled, _, _) in groups.items()
        ),
        unassigned=tuple(members.get(None, ())),
        users_without_node=assigned.get(None, 0),
    )


def _guests(
    holders: Iterable[int], now: float, here: Mapping[int, Presence]
) -> dict[int, Presence]:
    """Return the sessions of their peers' users on these nodes; only a takeover brings any."""
    away = (
        PresenceSession.objects.filter(node__in=holders)
        .exclude(user__home=None)
        .order_by()
        .values_list("node", "user__home")
        .annotate(all=Count("pk"), active=Count("pk", filter=is_logged_in(now)))
    )
    found: dict[int, Presence] = {}
    for node, home, sessions, active in away:
        if node != home:
            known = found.get(node, Presence())
            found[node] = Presence(
                known.active + active, known.waiting + sessions - active, here[node].serves
            )
    return found


def _node(
    row: Mapping[str, Any],
    *,
    enabled: bool,
    ear: Ear | None,
    assigned: int,
    here: Presence,
    guests: Presence,
    seeing: bool,
) -> ClusterNode:
    services = row["runtime__memory__services"] or ()
    remembers = row["runtime__memory__generation"] is not None
    state, reason, tone = wording.face(
        ha_enabled=enabled,
        reports=_reports(row),
        state=State(row["runtime__state"]) if remembers else None,
        reason=Reason(row["runtime__reason"]),
        endangered=not here.serves or any(service["up"] is False for service in services),
        seeing=seeing,
    )
    return ClusterNode(
        server_id=row["pk"],
        name=row["name"],
        is_publisher=row["is_publisher"],
        assigned=assigned,
        presence=here,
        state=state,
        reason=say("as last seen") if tone == wording.UNSEEN else reason,
        tone=tone,
        guests=guests,
        ear=ear,
    )


def _reports(row: Mapping[str, Any]) -> bool:
    return bool(row["machine__powered"] and row["machine__srm_running"])


def _ear(
    row: Mapping[str, Any], generation: int, policy: Policy, now: float, *, seeing: bool
) -> Ear:
    """Return what the node of ``row`` has heard, judged at ``now``."""
    if not _reports(row):
        return Ear(Sound.DEAF)
    if not seeing:
        return Ear(Sound.UNSEEN)
    if row["runtime__memory__generation"] != generation:
        # High Availability was switched on a moment ago: what it remembers is of another time.
        return Ear(Sound.WAITING)
    said = row["runtime__memory__peer"]
    node = Node(
        name=row["name"],
        peer_name="",
        first=False,
        peer=heartbeat_from_json(said) if said else None,
        peer_at=row["runtime__memory__peer_at"],
        listening_since=row["runtime__memory__listening_since"],
    )
    if node.peer is None:
        gone = facts.peer_gone(node, now, policy)
        return Ear(Sound.SILENT if gone else Sound.WAITING)
    if not facts.peer_heard(node, now, policy):
        return Ear(Sound.SILENT, node.peer_at, node.peer.hears, node.peer.leaving)
    sound, until = Sound.HEARD, facts.late_at(node, policy)
    if facts.late(node, now, policy):
        sound, until = Sound.LATE, facts.gone_at(node, policy)
    return Ear(sound, node.peer_at, node.peer.hears, holds_until=until)
