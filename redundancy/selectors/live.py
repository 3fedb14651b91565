"""What pages, CLI and exports show of the nodes right now. The number of queries is constant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, QuerySet

from redundancy import clock
from redundancy.models import (
    HaEvent,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.selectors import policy as policies
from redundancy.selectors import wording
from redundancy.selectors.access import Access, missing_services, nobody_logs_in
from redundancy.selectors.answers import REQUESTS
from redundancy.selectors.kept import kept
from redundancy.selectors.presence import OnNode, Presence, on_nodes, presence_of
from redundancy.selectors.stamp import Stamp
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import AWAITING_FALLBACK, SERVES_NOBODY
from redundancy.srm.types import Policy

# What SRM has stopped, or is to start, is not missed; what a fallback needs is.
_AT_REST = SERVES_NOBODY - AWAITING_FALLBACK
# Events shown below the table.
EVENTS = 8
# What the action that fits a node follows from.
_TO_OFFER = (
    "group_id",
    "pk",
    "runtime__state",
    "machine__powered",
    "machine__srm_running",
    "runtime__memory",
)


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node as it is shown.

    ``presence``: the sessions on it. ``tone``: ok, busy, warn, unseen, bad or off. ``action``: the one action
    that fits, or None. ``serial``: counts its changes of state. ``since``: lab seconds. ``missing``:
    services for want of which nobody can log in at it; none while it is not to serve anybody.
    ``withheld``: why Failover does not fit it, though both nodes are Normal.
    """

    server_id: int
    name: str
    is_publisher: bool
    assigned: int
    presence: Presence
    state: str
    reason: str
    tone: str
    action: str | None
    serial: int
    sentence: str
    since: float
    missing: tuple[str, ...] = ()
    withheld: str = ""

    @property
    def nobody_logs_in(self) -> str:
        """Return that nobody can log in at it, and why, for people."""
        return nobody_logs_in(self.name, self.missing)

    @property
    def action_label(self) -> str:
        """Return what the button of the action says; empty when none fits."""
        return wording.ACTIONS.get(self.action or "", "")

    @property
    def active(self) -> int:
        """Return how many users are logged in at it."""
        return self.presence.active


@dataclass(frozen=True, slots=True)
class GroupLive:
    """A group as it is shown."""

    group_id: int
    name: str
    ha_enabled: bool
    rows: tuple[NodeRow, ...]
    cause: str
    advice: str
    timers: tuple[wording.Timer, ...]
    events: tuple[HaEvent, ...]

    @property
    def calm(self) -> bool:
        """Return whether all is well with every node: one sentence for the group says it all."""
        return all(row.tone == "ok" and not row.missing for row in self.rows)


def group_live(group_id: int, *, seeing: bool = True, at: Stamp | None = None) -> GroupLive:
    """Return one group with its running timers and last events.

    ``seeing``: whether the nodes are being looked at; else their states are those last seen. ``at``: the
    stamp of now, with which users are counted only when something has changed.

    Raises:
        RedundancyGroup.DoesNotExist: There is no such group.

    """
    # Events first: what happens between the two reads shows as a state at once, as an event a poll later.
    events = tuple(HaEvent.objects.filter(group_id=group_id)[:EVENTS])
    groups = RedundancyGroup.objects.filter(pk=group_id)
    (found,) = _live(groups, seeing=seeing, at=at) or (None,)
    if found is None:
        raise RedundancyGroup.DoesNotExist
    return replace(found, events=events)


def all_live() -> tuple[GroupLive, ...]:
    """Return every group, by name, without events."""
    return _live(RedundancyGroup.objects.all())


def live_of(group_ids: Iterable[int], *, seeing: bool = True) -> dict[int, GroupLive]:
    """Return these groups by their key, without events; ``seeing`` as above."""
    found = _live(RedundancyGroup.objects.filter(pk__in=list(group_ids)), seeing=seeing)
    return {group.group_id: group for group in found}


def offered_actions(group_ids: Iterable[int]) -> dict[int, str]:
    """Return the action that fits each node of these groups, by its key; none waits to be answered.

    The same as the rows of ``group_live``, without what else these tell.
    """
    servers = Server.objects.filter(group__in=list(group_ids), group__ha_enabled=True)
    asked = SrmMessage.objects.filter(kind__in=REQUESTS).values("node__group")
    rows = servers.exclude(group__in=asked).order_by("group_id", "slot").values_list(*_TO_OFFER)
    members: dict[int | None, list[wording.Asked]] = {}
    for group, pk, state, powered, running, memory in rows:
        node = node_from_json(memory) if memory else None
        members.setdefault(group, []).append(
            wording.Asked(pk, state, bool(powered and running), node)
        )
    now, policy = clock.lab_now(), policies.current()
    found: dict[int, str] = {}
    for pair in members.values():
        found |= wording.fitting_actions(pair, policy, now)
    return found


def node_live(server: Server, *, seeing: bool = True) -> NodeRow:
    """Return one IM and Presence server, in a group or in none; ``seeing`` as above."""
    if server.group_id is not None:
        rows = live_of([server.group_id], seeing=seeing)[server.group_id].rows
        return next(row for row in rows if row.server_id == server.pk)
    return _row(server, None, _Counts.of([server], clock.lab_now()), offered=None)


@dataclass(frozen=True, slots=True)
class _Counts:
    assigned: Mapping[int, int]
    presence: Mapping[int, Presence]
    missing: Mapping[int, tuple[str, ...]]

    @classmethod
    def of(cls, servers: Sequence[Server], now: float, at: Stamp | None = None) -> "_Counts":
        ids = [server.pk for server in servers]
        sessions = PresenceSession.objects.filter(node__in=ids)

        def count() -> tuple[dict[int, int], dict[int, OnNode]]:
            users = PresenceUser.objects.filter(home__in=ids).order_by().values_list("home")
            return dict(users.annotate(n=Count("*"))), on_nodes(sessions)

        assigned, everybody = kept(f"users:{ids}".replace(" ", ""), at, count) if at else count()
        access = {server.pk: Access.of(server.machine) for server in servers}
        here = presence_of(access, sessions, now, everybody)
        shut = [pk for pk in ids if not here[pk].serves]
        return cls(assigned, here, missing_services(shut) if shut else {})


def _live(
    groups: QuerySet[RedundancyGroup], *, seeing: bool = True, at: Stamp | None = None
) -> tuple[GroupLive, ...]:
    found = list(groups.order_by("name"))
    servers = list(
        Server.objects.filter(group__in=found)
        .select_related("runtime", "machine")
        .order_by("group_id", "slot")
    )
    members: dict[int, list[Server]] = {}
    for server in servers:
        assert server.group_id is not None
        members.setdefault(server.group_id, []).append(server)
    now = clock.lab_now()
    counts = _Counts.of(servers, now, at)
    asked = {
        message.node.group_id: message
        for message in SrmMessage.objects.filter(
            node__group__in=found, kind__in=REQUESTS
        ).select_related("node")
    }
    policy = policies.current()
    return tuple(
        _group(
            group,
            members.get(group.pk, []),
            counts,
            asked.get(group.pk),
            policy,
            now,
            seeing=seeing,
        )
        for group in found
    )


def _group(
    group: RedundancyGroup,
    servers: list[Server],
    counts: _Counts,
    asked: SrmMessage | None,
    policy: Policy,
    now: float,
    *,
    seeing: bool,
) -> GroupLive:
    pair = [] if asked or not group.ha_enabled else list(map(wording.Asked.of, servers))
    offered = wording.fitting_actions(pair, policy, now)
    rows = tuple(
        _row(server, group, counts, offered.get(server.pk), policy, now, seeing=seeing)
        for server in servers
    )
    explanation = wording.explanation(
        group,
        servers,
        asked,
        policy,
        [server.name for server in servers if not counts.presence[server.pk].serves],
    )
    explanation = wording.with_logins(
        explanation, {row.name: row.missing for row in rows if row.missing}
    )
    if group.ha_enabled and not seeing:
        explanation = wording.as_last_seen(explanation)
    timers = tuple(
        timer
        for server in servers
        if group.ha_enabled and wording.reports(server)
        for timer in wording.timers(server.runtime, policy, now)
    )
    return GroupLive(
        group_id=group.pk,
        name=group.name,
        ha_enabled=group.ha_enabled,
        rows=rows,
        cause=explanation.cause,
        advice=explanation.advice,
        timers=timers,
        events=(),
    )


def _row(
    server: Server,
    group: RedundancyGroup | None,
    counts: _Counts,
    offered: str | None,
    policy: Policy | None = None,
    now: float = 0,
    *,
    seeing: bool = True,
) -> NodeRow:
    runtime = server.runtime
    here = counts.presence[server.pk]
    state, reason, tone, sentence = wording.appearance(
        server, group, here, policy, now, seeing=seeing
    )
    return NodeRow(
        server_id=server.pk,
        name=server.name,
        is_publisher=server.is_publisher,
        assigned=counts.assigned.get(server.pk, 0),
        presence=here,
        state=state,
        reason=reason,
        tone=tone,
        action=offered,
        withheld=""
        if offered or group is None or not group.ha_enabled
        else wording.withheld(server),
        serial=runtime.serial,
        sentence=sentence,
        since=runtime.since,
        missing=() if state in _AT_REST else counts.missing.get(server.pk, ()),
    )
