"""How a node and its pair are worded for an administrator: state, warning, advice, timers.

Pure with regard to time and rows: reads what was loaded, queries nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from redundancy.catalog import XCP_ROUTER
from redundancy.models import NodeRuntime, RedundancyGroup, RequestKind, Server, SrmMessage
from redundancy.selectors.access import unmonitored
from redundancy.selectors.presence import Presence
from redundancy.srm import facts, sentences
from redundancy.srm.advice import WAIT, WELL, Explanation, explain, warn
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import (
    AWAITING_FALLBACK,
    NOT_RESPONDING,
    SERVING,
    TRANSITIONS,
    Reason,
    State,
)
from redundancy.srm.step import offers
from redundancy.srm.types import Node, Policy, Request
from redundancy.srm.words import listed, say, together

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


# The tone of a node whose state was seen once, and is not seen now.
UNSEEN = "unseen"
# Tones from the one that needs somebody first to the one that needs nobody.
URGENCY = ("bad", "unseen", "warn", "busy", "off", "ok")

# Where a row keeps its memory as it was taken apart, beside what it was.
_KNOWN = "_known_memory"

# What an administrator can ask an SRM for, by the kind of the message that tells it.
ACTIONS = {kind.value: kind.label for kind in RequestKind}


@dataclass(frozen=True, slots=True)
class Timer:
    """A time that runs: counted up from ``since``, or down to ``until`` (lab seconds)."""

    node: str
    label: str
    since: float | None
    until: float | None


def explanation(
    group: RedundancyGroup,
    servers: list[Server],
    request: SrmMessage | None,
    policy: Policy,
    shut: Collection[str] = (),
) -> Explanation:
    """Return cause and advice: what is asked for, what is about to go wrong, or what the pair means.

    ``shut``: names of the nodes at which nobody can log in.
    """
    if len(servers) != 2:
        return Explanation(0, "", "")
    if request is not None:
        what = say(
            "{action} of {node} was requested; its SRM has not answered yet.",
            action=ACTIONS[request.kind],
            node=request.node.name,
        )
        return Explanation(0, what, WAIT)
    if group.ha_enabled:
        for server in servers:
            node = _memory(server.runtime) if reports(server) else None
            warning = warn(node, policy, shut) if node else None
            if warning is not None:
                return warning
        for server in servers:
            if server.machine.boots_at is not None:
                back = say(
                    "{server} is restarting; it is back at {moment}.",
                    server=server.name,
                    moment=_clock(server),
                )
                return Explanation(0, back, say("Wait until then."))
    sides = [_side(server, group) for server in servers]
    away = {s.name for s in servers if group.holder_id not in (None, s.pk)}
    return explain(sides[0], sides[1], policy, shut=shut, without=away)


def as_last_seen(found: Explanation) -> Explanation:
    """Return ``found`` while nobody looks at the nodes: its cause is past, and that all is well no advice."""
    if not found.cause:
        return found
    cause = say("When the nodes were last seen: {cause}", cause=found.cause)
    return replace(found, cause=cause, advice="" if found.number == WELL else found.advice)


def with_logins(found: Explanation, missing: Mapping[str, Sequence[str]]) -> Explanation:
    """Return cause and advice with what must be started for logins, which SRM does not watch.

    ``missing``: of each node at which nobody can log in, by its name, the services for want of which.
    """
    if not missing or not found.cause:
        return found
    first, then = [], []
    for node, services in missing.items():
        named = {"node": node, "services": listed(unmonitored(services))}
        if XCP_ROUTER not in services:
            first.append(say("Start on {node}: {services}.", **named))
        elif unmonitored(services):
            then.append(say("Afterwards start on {node}: {services}.", **named))
    if not found.closed:
        return replace(found, advice=together([*first, found.advice, *then]))
    return replace(found, advice=together([*first, *then]))


def _clock(server: Server) -> str:
    boots_at = server.machine.boots_at
    return sentences.clock_time(boots_at.timestamp()) if boots_at else ""


class Asked(NamedTuple):
    """What the action that fits a node follows from: whether its SRM runs, and what it remembers, if anything."""

    pk: int
    state: str
    reports: bool
    node: Node | None

    @classmethod
    def of(cls, server: Server) -> "Asked":
        """Return it of a node that was read with its machine and runtime."""
        return cls(server.pk, server.runtime.state, reports(server), _memory(server.runtime))


def fitting_actions(pair: Sequence[Asked], policy: Policy, now: float) -> dict[int, str]:
    """Return the action that fits each node, by its key: the one its SRM would carry out."""
    if len(pair) != 2 or not all(each.reports for each in pair):
        return {}
    if all(each.state == State.FAILED for each in pair):
        return {each.pk: "recover" for each in pair}
    return {
        each.pk: request.value
        for each in pair
        for request in Request
        if each.node is not None and offers(each.node, request, now, policy)
    }


def withheld(server: Server) -> str:
    """Return why Failover does not fit a Normal node whose peer is Normal, too; empty for others.

    Its peer could not serve the users: a critical service does not run there.
    """
    node = _memory(server.runtime) if reports(server) else None
    if node is None or node.peer is None or node.state is not State.NORMAL:
        return ""
    if node.peer.state is not State.NORMAL or node.peer.healthy:
        return ""
    return sentences.why_not(node, Request.FAILOVER)


def reports(server: Server) -> bool:
    """Return whether the node's SRM runs, so that it can be asked."""
    return server.machine.powered and server.machine.srm_running


def _memory(runtime: NodeRuntime) -> Node | None:
    """Return what the SRM remembers; taken apart once, however much is worded of the row that was read."""
    if not runtime.memory:
        return None
    known: tuple[object, Node] | None = vars(runtime).get(_KNOWN)
    if known is None or known[0] is not runtime.memory:
        known = vars(runtime)[_KNOWN] = (runtime.memory, node_from_json(runtime.memory))
    return known[1]


def _side(server: Server, group: RedundancyGroup) -> tuple[str, State | None, Reason | None]:
    if not group.ha_enabled:
        return server.name, State.UNKNOWN, Reason.HA_NOT_ENABLED
    if not reports(server):
        return server.name, None, None
    if not server.runtime.memory:
        return server.name, State.INITIALIZING, Reason.INITIALIZATION
    return server.name, State(server.runtime.state), Reason(server.runtime.reason)


def face(
    *,
    ha_enabled: bool,
    reports: bool,
    state: State | None,
    reason: Reason,
    endangered: bool,
    seeing: bool = True,
) -> tuple[str, str, str]:
    """Return state, reason and tone of a node as an administrator sees it.

    ``state`` and ``reason``: as its SRM remembers them, None before it remembers anything.
    ``endangered``: whether its SRM sees a monitored service down, or nobody can log in. ``seeing``:
    whether the nodes are being looked at.
    """
    if not ha_enabled:
        return State.UNKNOWN, Reason.HA_NOT_ENABLED, "off"
    if not reports:
        return NOT_RESPONDING, "", "bad"
    if state is None:
        return State.INITIALIZING, Reason.INITIALIZATION, "busy" if seeing else UNSEEN
    if not seeing:
        return state, reason, UNSEEN
    return state, reason, "warn" if endangered and state in SERVING else TONES[state]


def appearance(
    server: Server,
    group: RedundancyGroup | None,
    here: Presence,
    policy: Policy | None,
    now: float,
    *,
    seeing: bool = True,
) -> tuple[str, str, str, str]:
    """Return state, reason, tone and sentence of a node as an administrator sees it.

    ``here``: the sessions on it. ``seeing``: as for ``face``.
    """
    ha_enabled, runtime = group is not None and group.ha_enabled, server.runtime
    memory = _memory(runtime) if policy is not None else None
    seen = face(
        ha_enabled=ha_enabled,
        reports=reports(server),
        state=State(runtime.state) if memory else None,
        reason=Reason(runtime.reason),
        endangered=memory is not None and (not here.serves or bool(facts.down(memory))),
        seeing=seeing,
    )
    return *seen, _sentence(server, ha_enabled, memory, here, policy, now, seeing=seeing)


def _sentence(
    server: Server,
    ha_enabled: bool,
    memory: Node | None,
    here: Presence,
    policy: Policy | None,
    now: float,
    *,
    seeing: bool,
) -> str:
    """Return why the node is in its state, and what it waits for."""
    if not ha_enabled:
        return ""
    if not reports(server):
        why, sessions = why_silent(server), here.sessions
        if server.machine.powered or not sessions:
            return say("{why}.", why=why)
        return say("{why}; {sessions:,} sessions on it are not served.", why=why, sessions=sessions)
    if memory is None or policy is None:
        return say("High Availability is enabled; SRM is starting.")
    if not seeing:
        return sentences.told(server.runtime.sentence, say("Not seen now."))
    coming = sentences.outlook(memory, now, policy)
    if warn(memory, policy) is not None:
        return coming
    now_so = sentences.present(memory, now, policy, serves=here.serves)
    return sentences.told(server.runtime.sentence, now_so, coming)


def why_silent(server: Server) -> str:
    """Return why the node's SRM does not answer, without a full stop."""
    if server.machine.srm_silent:
        return say(
            "The SRM of {server} does not report: its process {worker} is silent",
            server=server.name,
            worker=server.machine.srm_worker,
        )
    if server.machine.powered:
        return say("The SRM of {server} is stopped", server=server.name)
    if server.machine.boots_at is not None:
        return say(
            "{server} is restarting; it is back at {moment}",
            server=server.name,
            moment=_clock(server),
        )
    return say("{server} is powered off", server=server.name)


def timers(runtime: NodeRuntime, policy: Policy, now: float) -> list[Timer]:
    """Return the time limits that are running for this node's SRM."""
    node = _memory(runtime)
    if node is None or node.state is State.UNKNOWN:
        return []
    found: list[Timer] = []
    gone_at = facts.missed_until(node, now, policy)
    if gone_at is not None:
        label = say("{peer} is declared down in", peer=node.peer_name)
        found.append(Timer(node.name, label, facts.heard_at(node), gone_at))
    for service in facts.down(node):
        # What SRM stopped by itself waits for nothing.
        if service.name in node.stopped:
            continue
        limit = service.since + policy.critical_service_delay
        until = limit if node.state in {State.NORMAL, State.INITIALIZING} else None
        label = (
            say("{service} down, fails over in", service=service.name)
            if until
            else say("{service} down for", service=service.name)
        )
        found.append(Timer(node.name, label, service.since, until))
    unbroken = facts.unbroken_since(node)
    if policy.automatic_fallback and unbroken is not None and node.state in AWAITING_FALLBACK:
        until = unbroken + policy.fallback_after
        found.append(Timer(node.name, say("Automatic fallback in"), unbroken, until))
    return found
