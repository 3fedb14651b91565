"""What pages, CLI and exports show of the nodes right now. The number of queries is constant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db.models import Count, QuerySet

from redundancy import bus, clock
from redundancy.fingerprint import PASSING
from redundancy.models import (
    HaEvent,
    MessageKind,
    PresenceUser,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.selectors import policy as policies
from redundancy.selectors import wording
from redundancy.selectors.presence import Presence, presence
from redundancy.srm.types import Policy
from redundancy.srm.words import say

REQUESTS = (MessageKind.FAILOVER, MessageKind.FALLBACK, MessageKind.RECOVER)
# Events shown below the table.
EVENTS = 8
# Real seconds without a sweep after which we say that we do not see the nodes.
BLIND_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node as it is shown.

    ``presence``: the sessions on it. ``tone``: ok, busy, warn, bad or off. ``action``: the one action
    that fits, or None. ``serial``: counts its changes of state. ``since``: lab seconds.
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


@dataclass(frozen=True, slots=True)
class ObserverView:
    """Whether the nodes are being looked at. ``sentence`` says since when they are not.

    ``unseen_since``: lab seconds; None while they are, and where it is not known. Reckoned anew at
    each look, as is the sentence.
    """

    ok: bool
    sentence: str = field(metadata=PASSING)
    lab_now: float = field(metadata=PASSING)
    rate: float
    unseen_since: float | None = field(default=None, metadata=PASSING)


def is_blind(age: float) -> bool:
    """Return whether a last sweep of ``age`` wall seconds ago means that nobody sees the nodes."""
    return age > BLIND_AFTER + 3 * settings.SWEEP_SECONDS


def observer() -> ObserverView:
    """Return whether sweeps run, by the mark the last one left on the bus."""
    reader, rate = clock.look()
    lab_now = reader()
    try:
        age = bus.sweep_age()
    except bus.BusError:
        sentence = say(
            "We cannot see the nodes: the heartbeat bus cannot be reached. What is shown is the "
            "last we saw."
        )
        return ObserverView(False, sentence, lab_now, rate)
    if age is None:
        sentence = say("We cannot see the nodes: no sweep has run yet.")
        return ObserverView(False, sentence, lab_now, rate)
    if not is_blind(age):
        return ObserverView(True, "", lab_now, rate)
    since = lab_now - age * rate
    sentence = say(
        "We could not see the nodes since {since} UTC: no sweep has "
        "run. What is shown is from then.",
        since=f"{clock.lab_datetime(since):%Y-%m-%d %H:%M:%S}",
    )
    return ObserverView(False, sentence, lab_now, rate, since)


def group_live(group_id: int) -> GroupLive:
    """Return one group with its running timers and last events.

    Raises:
        RedundancyGroup.DoesNotExist: There is no such group.

    """
    # Events first: what happens between the two reads shows as a state at once, as an event a poll later.
    events = tuple(HaEvent.objects.filter(group_id=group_id)[:EVENTS])
    (found,) = _live(RedundancyGroup.objects.filter(pk=group_id)) or (None,)
    if found is None:
        raise RedundancyGroup.DoesNotExist
    return replace(found, events=events)


def all_live() -> tuple[GroupLive, ...]:
    """Return every group, by name, without events."""
    return _live(RedundancyGroup.objects.all())


def live_of(group_ids: Iterable[int]) -> dict[int, GroupLive]:
    """Return these groups by their key, without events."""
    found = _live(RedundancyGroup.objects.filter(pk__in=list(group_ids)))
    return {group.group_id: group for group in found}


def node_live(server: Server) -> NodeRow:
    """Return one IM and Presence server, in a group or in none."""
    if server.group_id is not None:
        rows = live_of([server.group_id])[server.group_id].rows
        return next(row for row in rows if row.server_id == server.pk)
    return _row(server, None, _Counts.of([server], clock.lab_now()), offered=None)


@dataclass(frozen=True, slots=True)
class _Counts:
    assigned: Mapping[int, int]
    presence: Mapping[int, Presence]

    @classmethod
    def of(cls, servers: Iterable[Server], now: float) -> "_Counts":
        ids = [server.pk for server in servers]
        users = PresenceUser.objects.filter(home__in=ids).values("home").annotate(n=Count("pk"))
        assigned = {row["home"]: row["n"] for row in users.order_by()}
        return cls(assigned, presence(ids, now))


def _live(groups: QuerySet[RedundancyGroup]) -> tuple[GroupLive, ...]:
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
    counts = _Counts.of(servers, now)
    asked = {
        message.node.group_id: message
        for message in SrmMessage.objects.filter(
            node__group__in=found, kind__in=REQUESTS
        ).select_related("node")
    }
    policy = policies.current()
    return tuple(
        _group(group, members.get(group.pk, []), counts, asked.get(group.pk), policy, now)
        for group in found
    )


def _group(
    group: RedundancyGroup,
    servers: list[Server],
    counts: _Counts,
    asked: SrmMessage | None,
    policy: Policy,
    now: float,
) -> GroupLive:
    offered = {} if asked or not group.ha_enabled else wording.fitting_actions(servers, policy, now)
    rows = tuple(
        _row(server, group, counts, offered.get(server.pk), policy, now) for server in servers
    )
    explanation = wording.explanation(group, servers, asked, policy)
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
) -> NodeRow:
    runtime = server.runtime
    here = counts.presence[server.pk]
    state, reason, tone, sentence = wording.appearance(server, group, here.sessions, policy, now)
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
        serial=runtime.serial,
        sentence=sentence,
        since=runtime.since,
    )
