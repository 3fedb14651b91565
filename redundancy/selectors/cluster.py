"""All groups and nodes at one moment, as the Presence Topology shows them.

The number of queries is constant. Of thousands only what it takes to find and rank them is made up; what
is shown of a node besides, for those only that are shown.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.db.models import Count, QuerySet
from django.db.models.functions import Lower

from redundancy import clock
from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup, Server
from redundancy.selectors import nodes as machines
from redundancy.selectors import policy as policies
from redundancy.selectors import wording
from redundancy.selectors.access import is_logged_in
from redundancy.selectors.as_read import as_read
from redundancy.selectors.hearing import COLUMNS, Ear, Row, Sound, ear_of, in_time, sound_of
from redundancy.selectors.kept import kept
from redundancy.selectors.presence import Presence, not_served, on_nodes, presence_of
from redundancy.selectors.stamp import Stamp, stamp
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Policy
from redundancy.srm.words import say


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


class _Group(NamedTuple):
    """What is read of each group, as the database tells it."""

    pk: int
    name: str
    ha_enabled: bool
    ha_generation: int
    holder: int | None


@dataclass(frozen=True)
class Survey:
    """The cluster at a glance. ``outlines``: every group, then every node without one, each by name.

    Users and sessions are counted when somebody asks for them, and only when something has changed.
    """

    outlines: tuple[Outline, ...]
    _rows: Mapping[int, Row]
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
        everybody = kept("sessions", self._at, lambda: on_nodes(sessions))
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
            ear=None if face.sound is None else ear_of(row, face.sound, self._policy),
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
    groups = _groups(RedundancyGroup.objects.order_by(Lower("name")))
    rows = _nodes(machines.nodes())
    closed = _closed(rows)
    outlines = _outlines(groups, rows, closed, policy, now, seeing=seeing)
    holders = {group.pk: group.holder for group in groups if group.holder is not None}
    return Survey(tuple(outlines), {row.pk: row for row in rows}, closed, holders, policy, now, at)


def outlines_of(group_ids: Collection[int], *, seeing: bool = True) -> dict[int, Outline]:
    """Return these groups by their key, in a constant number of queries; ``seeing`` as above."""
    now, policy = clock.lab_now(), policies.current()
    groups = _groups(RedundancyGroup.objects.filter(pk__in=group_ids))
    rows = _nodes(machines.nodes().filter(group__in=group_ids))
    outlines = _outlines(groups, rows, _closed(rows), policy, now, seeing=seeing)
    return {each.group_id: each for each in outlines if each.group_id is not None}


def _groups(groups: QuerySet[RedundancyGroup]) -> list[_Group]:
    return list(map(_Group._make, as_read(groups.values_list(*_Group._fields))))


def _nodes(servers: QuerySet[Server]) -> list[Row]:
    """Return the rows of these nodes: those of a group together, in the order of its drop-downs."""
    in_order = servers.order_by("group_id", "slot", Lower("name"))
    return list(map(Row._make, as_read(in_order.values_list(*COLUMNS))))


def _closed(rows: Iterable[Row]) -> Collection[int]:
    return not_served({row.pk: row.access for row in rows if row.stopped_at is not None})


def _outlines(
    groups: Iterable[_Group],
    rows: Iterable[Row],
    closed: Collection[int],
    policy: Policy,
    now: float,
    *,
    seeing: bool,
) -> Iterator[Outline]:
    """Yield the groups, and the nodes without one; ``rows`` as ``_nodes`` returns them."""
    members: dict[int | None, tuple[Row, ...]] = {
        group_id: tuple(mates) for group_id, mates in groupby(rows, key=attrgetter("group_id"))
    }
    heard_for = in_time(policy)

    def faces(mates: Sequence[Row], generation: int, *, enabled: bool) -> tuple[Face, ...]:
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
                    sound_of(row, generation, policy, now, heard_for, seeing=seeing)
                    if hearing
                    else None,
                )
                for row in mates
            ]
        )

    for group in groups:
        enabled = bool(group.ha_enabled)
        mates = faces(members.get(group.pk, ()), group.ha_generation, enabled=enabled)
        yield Outline(group.pk, group.name, enabled, mates)
    for node in faces(members.get(None, ()), 0, enabled=False):
        yield Outline(None, node.name, ha_enabled=False, nodes=(node,))


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
