"""What pages, CLI and exports show of the nodes right now. The number of queries is constant."""

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import Count, QuerySet

from redundancy import bus, clock
from redundancy.models import (
    HaEvent,
    MessageKind,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServerType,
    SrmMessage,
)
from redundancy.selectors import policy as policies
from redundancy.srm import facts, sentences
from redundancy.srm.advice import explain
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import NOT_RESPONDING, TRANSITIONS, Reason, State
from redundancy.srm.types import Node, Policy, Request

# Events shown below the table.
EVENTS = 8
# Real seconds without a sweep after which we say that we do not see the nodes.
BLIND_AFTER = 5.0

TONES: dict[State, str] = {
    State.UNKNOWN: "off",
    State.NORMAL: "ok",
    State.IDLE: "warn",
    State.BACKUP: "warn",
    State.BACKUP_ACTIVATED: "warn",
    State.FAILED_OVER: "warn",
    State.AFFECTED: "warn",
    State.FAILED_OVER_DOWN: "bad",
    State.FAILED: "bad",
    **dict.fromkeys(TRANSITIONS, "busy"),
}


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node as it is shown.

    ``active``: sessions on it. ``tone``: ok, busy, warn, bad or off. ``action``: the one action
    that fits, or None. ``serial``: counts its changes of state. ``since``: lab seconds.
    """

    server_id: int
    name: str
    is_publisher: bool
    assigned: int
    active: int
    state: str
    reason: str
    tone: str
    action: str | None
    serial: int
    sentence: str
    since: float


@dataclass(frozen=True, slots=True)
class Timer:
    """A time that runs: counted up from ``since``, or down to ``until`` (lab seconds)."""

    node: str
    label: str
    since: float | None
    until: float | None


@dataclass(frozen=True, slots=True)
class GroupLive:
    """A group as it is shown. ``version`` changes with everything in it."""

    group_id: int
    name: str
    ha_enabled: bool
    rows: tuple[NodeRow, ...]
    cause: str
    advice: str
    timers: tuple[Timer, ...]
    events: tuple[HaEvent, ...]
    version: str


@dataclass(frozen=True, slots=True)
class ObserverView:
    """Whether the nodes are being looked at. ``sentence`` says since when they are not."""

    ok: bool
    sentence: str
    lab_now: float
    rate: float


def observer() -> ObserverView:
    """Return whether sweeps run, by the mark the last one left on the bus."""
    lab_now, rate = clock.lab_now(), clock.rate()
    try:
        last = bus.last_sweep()
    except bus.BusError:
        sentence = "We cannot see the nodes: the heartbeat bus cannot be reached. What is shown is the last we saw."
        return ObserverView(False, sentence, lab_now, rate)
    if last is None:
        sentence = "We cannot see the nodes: no sweep has run yet."
        return ObserverView(False, sentence, lab_now, rate)
    age = time.time() - last
    if age <= BLIND_AFTER + 3 * settings.SWEEP_SECONDS:
        return ObserverView(True, "", lab_now, rate)
    seen = clock.lab_datetime(lab_now - age * rate)
    sentence = (
        f"We could not see the nodes since {seen:%Y-%m-%d %H:%M:%S} UTC: no sweep has run. "
        "What is shown is from then."
    )
    return ObserverView(False, sentence, lab_now, rate)


def group_live(group_id: int) -> GroupLive:
    """Return one group with its running timers and last events.

    Raises:
        RedundancyGroup.DoesNotExist: There is no such group.

    """
    (found,) = _live(RedundancyGroup.objects.filter(pk=group_id)) or (None,)
    if found is None:
        raise RedundancyGroup.DoesNotExist
    events = tuple(HaEvent.objects.filter(group_id=group_id)[:EVENTS])
    last = events[0].pk if events else 0
    return replace(found, events=events, version=f"{found.version}-{last}")


def all_live() -> tuple[GroupLive, ...]:
    """Return every group, by name, without events."""
    return _live(RedundancyGroup.objects.all())


def live_of(group_ids: Iterable[int]) -> dict[int, GroupLive]:
    """Return these groups by their key, without events."""
    found = _live(RedundancyGroup.objects.filter(pk__in=list(group_ids)))
    return {group.group_id: group for group in found}


def unassigned() -> tuple[NodeRow, ...]:
    """Return the nodes that are in no group."""
    servers = list(
        Server.objects.filter(server_type=ServerType.IMP, group=None).select_related(
            "runtime", "machine"
        )
    )
    counts = _Counts.of(servers)
    return tuple(_row(server, None, counts, offered=None) for server in servers)


@dataclass(frozen=True, slots=True)
class _Counts:
    assigned: Mapping[int, int]
    active: Mapping[int, int]

    @classmethod
    def of(cls, servers: Iterable[Server]) -> "_Counts":
        ids = [server.pk for server in servers]
        users = PresenceUser.objects.filter(home__in=ids).values("home").annotate(n=Count("pk"))
        sessions = (
            PresenceSession.objects.filter(node__in=ids).values("node").annotate(n=Count("pk"))
        )
        return cls(
            {row["home"]: row["n"] for row in users.order_by()},
            {row["node"]: row["n"] for row in sessions.order_by()},
        )


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
    counts = _Counts.of(servers)
    asked = set(
        SrmMessage.objects.filter(
            node__group__in=found, kind__in=[MessageKind.FAILOVER, MessageKind.FALLBACK]
        ).values_list("node__group_id", flat=True)
    )
    policy = policies.current()
    now = clock.lab_now()
    return tuple(
        _group(group, members.get(group.pk, []), counts, group.pk in asked, policy, now)
        for group in found
    )


def _group(
    group: RedundancyGroup,
    servers: list[Server],
    counts: _Counts,
    asked: bool,
    policy: Policy,
    now: float,
) -> GroupLive:
    offered = {} if asked or not group.ha_enabled else _offered(servers, policy, now)
    rows = tuple(
        _row(server, group, counts, offered.get(server.pk), policy, now) for server in servers
    )
    cause = advice = ""
    if len(servers) == 2:
        sides = [_side(server, group) for server in servers]
        explanation = explain(sides[0], sides[1])
        cause, advice = explanation.cause, explanation.advice
    timers = tuple(
        timer
        for server in servers
        if group.ha_enabled and _reports(server)
        for timer in _timers(server.runtime, policy, now)
    )
    text = repr((group.name, group.ha_enabled, rows, cause, timers))
    version = hashlib.blake2s(text.encode(), digest_size=8).hexdigest()
    return GroupLive(
        group.pk, group.name, group.ha_enabled, rows, cause, advice, timers, (), version
    )


def _offered(servers: list[Server], policy: Policy, now: float) -> dict[int, str]:
    """Return the action that fits each node, by its key: the one its SRM would carry out."""
    if len(servers) != 2 or not all(_reports(server) for server in servers):
        return {}
    if all(server.runtime.state == State.FAILED for server in servers):
        return {server.pk: "recover" for server in servers}
    nodes = {server.pk: _memory(server.runtime) for server in servers}
    return {
        pk: request.value
        for pk, node in nodes.items()
        for request in Request
        if node is not None and facts.offers(node, request, now, policy)
    }


def _reports(server: Server) -> bool:
    return server.machine.powered and server.machine.srm_running


def _memory(runtime: NodeRuntime) -> Node | None:
    return node_from_json(runtime.memory) if runtime.memory else None


def _side(server: Server, group: RedundancyGroup) -> tuple[str, State | None, Reason | None]:
    if not group.ha_enabled:
        return server.name, State.UNKNOWN, Reason.HA_NOT_ENABLED
    if not _reports(server):
        return server.name, None, None
    return server.name, State(server.runtime.state), Reason(server.runtime.reason)


def _row(
    server: Server,
    group: RedundancyGroup | None,
    counts: _Counts,
    offered: str | None,
    policy: Policy | None = None,
    now: float = 0,
) -> NodeRow:
    runtime = server.runtime
    state, reason, tone, sentence = _shown(server, group, policy, now)
    return NodeRow(
        server_id=server.pk,
        name=server.name,
        is_publisher=server.is_publisher,
        assigned=counts.assigned.get(server.pk, 0),
        active=counts.active.get(server.pk, 0),
        state=state,
        reason=reason,
        tone=tone,
        action=offered,
        serial=runtime.serial,
        sentence=sentence,
        since=runtime.since,
    )


def _shown(
    server: Server, group: RedundancyGroup | None, policy: Policy | None, now: float
) -> tuple[str, str, str, str]:
    """Return state, reason, tone and sentence of a node as an administrator sees it."""
    if group is None or not group.ha_enabled:
        return State.UNKNOWN, Reason.HA_NOT_ENABLED, "off", ""
    if not _reports(server):
        what = "is powered off" if not server.machine.powered else "has its SRM stopped"
        return NOT_RESPONDING, "", "bad", f"{server.name} {what}."
    runtime = server.runtime
    memory = _memory(runtime)
    coming = sentences.outlook(memory, now, policy) if memory and policy else ""
    state = State(runtime.state)
    return state, Reason(runtime.reason), TONES[state], f"{runtime.sentence} {coming}".strip()


def _timers(runtime: NodeRuntime, policy: Policy, now: float) -> list[Timer]:
    """Return the time limits that are running for this node's SRM."""
    node = _memory(runtime)
    if node is None or node.state is State.UNKNOWN:
        return []
    found: list[Timer] = []
    # A backup node whose peer is gone waits for nothing.
    waits = not facts.peer_gone(node, now, policy) and node.state is not State.FAILED
    if waits and facts.silence(node, now) > 2 * policy.heartbeat_interval:
        heard_at = facts.heard_at(node)
        found.append(
            Timer(
                node.name,
                f"{node.peer_name} is declared down in",
                heard_at,
                heard_at + facts.silence_limit(node, policy),
            )
        )
    for service in facts.down(node):
        limit = service.since + policy.critical_service_delay
        until = limit if node.state in {State.NORMAL, State.INITIALIZING} else None
        label = f"{service.name} down, fails over in" if until else f"{service.name} down for"
        found.append(Timer(node.name, label, service.since, until))
    unbroken = facts.unbroken_since(node)
    if (
        policy.automatic_fallback
        and unbroken is not None
        and node.state in {State.FAILED_OVER, State.AFFECTED}
    ):
        until = unbroken + policy.fallback_after
        found.append(Timer(node.name, "Automatic fallback in", unbroken, until))
    return found
