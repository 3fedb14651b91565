"""All groups and nodes at one moment, as the Presence Topology shows them.

The number of queries is constant. Of thousands only what it takes to find and rank them is made up; what
is shown of a node besides, for those only that are shown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.db.models import Count
from django.db.models.functions import Lower

from redundancy import clock
from redundancy.fingerprint import PASSING
from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup
from redundancy.selectors import nodes as machines
from redundancy.selectors import policy as policies
from redundancy.selectors import wording
from redundancy.selectors.access import Access, is_logged_in
from redundancy.selectors.as_read import as_read
from redundancy.selectors.kept import kept
from redundancy.selectors.presence import Presence, not_served, presence_of
from redundancy.selectors.stamp import Stamp, stamp
from redundancy.srm import facts
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Node, Policy, replace
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
    """Groups and nodes without one, by name."""

    groups: tuple[ClusterGroup, ...]
    unassigned: tuple[ClusterNode, ...]


class Face(NamedTuple):
    """A node, as far as it takes to find and rank it. ``sound``: of its ``Ear``, None where it has none."""

    server_id: int
    name: str
    state: str
    reason: str
    tone: str
    sound: Sound | None


class Outline(NamedTuple):
    """A group, or a node without one (``group_id``: None), as far as it takes to find and rank it."""

    group_id: int | None
    name: str
    ha_enabled: bool
    nodes: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class Users:
    """How many users the whole cluster has: assigned to nodes and not, logged in and waiting to."""

    assigned: int = 0
    without_node: int = 0
    active: int = 0
    waiting: int = 0


class _Row(NamedTuple):
    """What is read of each node, as the database tells it; the names are those of ``_COLUMNS``."""

    pk: int
    name: str
    is_publisher: bool
    group_id: int | None
    powered: bool
    srm_running: bool
    stopped_at: float | None
    lost_at: float | None
    again_at: float | None
    state: str
    reason: str
    generation: int | None
    peer_at: float | None
    peer_hears: bool | None
    peer_leaving: bool | None
    listening_since: float | None
    service_down: bool | None

    @property
    def reports(self) -> bool:
        """Whether its SRM runs, so that it can be asked."""
        return bool(self.powered and self.srm_running)

    @property
    def access(self) -> Access:
        """Since when clients cannot log in at it."""
        if self.stopped_at is None and self.lost_at is None and self.again_at is None:
            return _OPEN
        return Access(self.stopped_at, self.lost_at, self.again_at)


_COLUMNS = (
    "pk",
    "name",
    "is_publisher",
    "group_id",
    "machine__powered",
    "machine__srm_running",
    "machine__logins_stopped_at",
    "machine__clients_lost_at",
    "machine__logins_again_at",
    "runtime__state",
    "runtime__reason",
    "runtime__generation",
    "runtime__peer_at",
    "runtime__peer_hears",
    "runtime__peer_leaving",
    "runtime__listening_since",
    "runtime__service_down",
)
_OPEN = Access()


@dataclass(frozen=True)
class Survey:
    """The cluster at a glance. ``outlines``: every group, then every node without one, each by name.

    Users and sessions are counted when somebody asks for them, and only when something has changed.
    """

    outlines: tuple[Outline, ...]
    _rows: Mapping[int, _Row]
    _closed: Collection[int]
    _holders: Mapping[int, int]
    _policy: Policy
    _now: float
    _at: Stamp

    @cached_property
    def users(self) -> Users:
        """The users of the whole cluster."""
        return Users(
            assigned=sum([number for home, number in self._assigned.items() if home is not None]),
            without_node=self._assigned.get(None, 0),
            active=sum([each.active for each in self._here.values()]),
            waiting=sum([each.waiting for each in self._here.values()]),
        )

    @cached_property
    def _assigned(self) -> Mapping[int | None, int]:
        homes = PresenceUser.objects.order_by().values_list("home").annotate(n=Count("*"))
        return kept("assigned", self._at, lambda: dict(as_read(homes)))

    @cached_property
    def _here(self) -> Mapping[int, Presence]:
        sessions = PresenceSession.objects.all()
        on_nodes = sessions.order_by().values_list("node").annotate(n=Count("*"))
        everybody = kept("sessions", self._at, lambda: dict(as_read(on_nodes)))
        access = {row.pk: row.access for row in self._rows.values()}
        return presence_of(access, sessions, self._now, everybody, self._closed)

    def show(self, chosen: Iterable[Outline]) -> Cluster:
        """Return all that is shown of these, in their order; at most one query."""
        some = list(chosen)
        keys = [each.group_id for each in some if each.group_id is not None]
        holders = {self._holders[key] for key in keys if key in self._holders}
        guests = _guests(holders, self._now, self._here) if holders else {}
        shown = [(each, tuple(self._node(face, guests) for face in each.nodes)) for each in some]
        return Cluster(
            groups=tuple(
                ClusterGroup(each.group_id, each.name, each.ha_enabled, nodes)
                for each, nodes in shown
                if each.group_id is not None
            ),
            unassigned=tuple(
                node for each, nodes in shown if each.group_id is None for node in nodes
            ),
        )

    def _node(self, face: Face, guests: Mapping[int, Presence]) -> ClusterNode:
        row = self._rows[face.server_id]
        return ClusterNode(
            server_id=row.pk,
            name=row.name,
            is_publisher=bool(row.is_publisher),
            assigned=self._assigned.get(row.pk, 0),
            presence=self._here[row.pk],
            state=face.state,
            reason=face.reason,
            tone=face.tone,
            guests=guests.get(row.pk, Presence()),
            ear=None if face.sound is None else _ear(row, face.sound, self._policy),
        )


def survey(*, seeing: bool = True) -> Survey:
    """Return the cluster now, in a constant number of queries.

    Args:
        seeing: Whether sweeps run. While they do not, nobody knows who hears whom, or whether a
            node is still in the state that was seen last.

    """
    now, policy = clock.lab_now(), policies.current()
    # Before anything else is read: what changes meanwhile has another stamp.
    at = stamp()
    columns = ("pk", "name", "ha_enabled", "ha_generation", "holder")
    groups = as_read(RedundancyGroup.objects.order_by(Lower("name")).values_list(*columns))
    in_order = machines.nodes().order_by("group_id", "slot", Lower("name"))
    rows = list(map(_Row._make, as_read(in_order.values_list(*_COLUMNS))))
    closed = not_served({row.pk: row.access for row in rows if row.stopped_at is not None})
    members: dict[int | None, tuple[_Row, ...]] = {
        group_id: tuple(mates) for group_id, mates in groupby(rows, key=attrgetter("group_id"))
    }

    in_time = facts.late_at(replace(_BLANK, peer=_SAID[False]), policy)

    def faces(mates: Sequence[_Row], generation: int, *, enabled: bool) -> tuple[Face, ...]:
        hearing = enabled and len(mates) == 2
        return tuple(
            [
                Face(
                    row.pk,
                    row.name,
                    *_face(
                        enabled,
                        row.reports,
                        None if row.generation is None else row.state,
                        row.reason,
                        bool(row.service_down) or row.pk in closed,
                        seeing,
                    ),
                    _sound(row, generation, policy, now, in_time, seeing=seeing)
                    if hearing
                    else None,
                )
                for row in mates
            ]
        )

    outlines: list[Outline] = []
    holders: dict[int, int] = {}
    for pk, name, on, generation, holder in groups:
        enabled = bool(on)
        mates = faces(members.get(pk, ()), generation, enabled=enabled)
        outlines.append(Outline(pk, name, enabled, mates))
        if holder is not None:
            holders[pk] = holder
    for node in faces(members.get(None, ()), 0, enabled=False):
        outlines.append(Outline(None, node.name, ha_enabled=False, nodes=(node,)))
    return Survey(tuple(outlines), {row.pk: row for row in rows}, closed, holders, policy, now, at)


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


# Of thousands of nodes most look alike.
@lru_cache(maxsize=1000)
def _face(
    enabled: bool, reports: bool, state: str | None, reason: str, endangered: bool, seeing: bool
) -> tuple[str, str, str]:
    """Return state, reason and tone of a node, as ``wording.face`` says; ``state``: None without a memory."""
    shown, why, tone = wording.face(
        ha_enabled=enabled,
        reports=reports,
        state=None if state is None else State(state),
        reason=Reason(reason),
        endangered=endangered,
        seeing=seeing,
    )
    return shown, say("as last seen") if tone == wording.UNSEEN else why, tone


# What a peer said, of which nothing but that it leaves counts for a time limit.
_SAID = {
    leaving: Heartbeat("", 0, 0, 0, State.UNKNOWN, Reason.HA_NOT_ENABLED, 0, True, True, leaving)
    for leaving in (False, True)
}
_BLANK = Node("", "", first=False)


def _listener(row: _Row) -> Node:
    """Return the node of ``row`` with what it has heard, and when."""
    return replace(
        _BLANK,
        peer=None if row.peer_hears is None else _SAID[bool(row.peer_leaving)],
        peer_at=row.peer_at or 0.0,
        listening_since=row.listening_since or 0.0,
    )


def _sound(
    row: _Row, generation: int, policy: Policy, now: float, in_time: float, *, seeing: bool
) -> Sound:
    """Return what the node of ``row`` makes of its peer's heartbeats at ``now``.

    ``in_time``: seconds for which a peer that was heard is neither late nor silent, see ``facts.late_at``.
    """
    if not row.reports:
        return Sound.DEAF
    if not seeing:
        return Sound.UNSEEN
    if row.generation != generation:
        # High Availability was switched on a moment ago: what it remembers is of another time.
        return Sound.WAITING
    heard = row.peer_hears is not None and not row.peer_leaving
    if heard and now - (row.peer_at or 0.0) < in_time:
        # So are most of thousands: none of these is made up as a node.
        return Sound.HEARD
    node = _listener(row)
    if node.peer is None:
        return Sound.SILENT if facts.peer_gone(node, now, policy) else Sound.WAITING
    if not facts.peer_heard(node, now, policy):
        return Sound.SILENT
    return Sound.LATE if facts.late(node, now, policy) else Sound.HEARD


def _ear(row: _Row, sound: Sound, policy: Policy) -> Ear:
    """Return what the node of ``row`` has heard, of which it makes ``sound``."""
    if sound in {Sound.DEAF, Sound.UNSEEN, Sound.WAITING} or row.peer_hears is None:
        return Ear(sound)
    if sound is Sound.SILENT:
        return Ear(sound, row.peer_at, bool(row.peer_hears), bool(row.peer_leaving))
    until = facts.late_at if sound is Sound.HEARD else facts.gone_at
    return Ear(sound, row.peer_at, bool(row.peer_hears), holds_until=until(_listener(row), policy))
