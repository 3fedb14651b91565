"""What a node can know: readings of its own memory, pure and small.

Every time limit of SRM is judged here and nowhere else.
"""

from dataclasses import fields
from operator import attrgetter

from redundancy.srm.states import BACKUP_MODES, FAILED_OVER_STATES, State
from redundancy.srm.types import Heartbeat, MoveKind, Node, Policy, Reading, replace

# Of a node, and of what it heard last, all that a heartbeat in time does not change. Of fields to come, too.
_of_node = attrgetter(
    *(
        {each.name for each in fields(Node)}
        - {"seq", "next_heartbeat", "stepped_at", "peer", "peer_at"}
    )
)
_of_peer = attrgetter(*({each.name for each in fields(Heartbeat)} - {"seq"}))

# States in which the peer has answered a fallback, or need not.
ANSWERS_FALLBACK = frozenset({State.FALLING_BACK, State.NORMAL, State.INITIALIZING})


# --- the peer ----------------------------------------------------------------------------------


def hear(node: Node, heartbeat: Heartbeat, now: float) -> Node:
    """Return ``node`` after a heartbeat arrived at ``now``; a stale or foreign one changes nothing."""
    if heartbeat.sender != node.peer_name or heartbeat.generation != node.generation:
        return node
    known = node.peer
    if known is not None and (heartbeat.incarnation, heartbeat.seq) <= (
        known.incarnation,
        known.seq,
    ):
        return node
    newer = heartbeat.epoch > node.epoch
    return replace(
        node,
        peer=heartbeat,
        peer_at=now,
        epoch=max(node.epoch, heartbeat.epoch),
        # Somebody has moved the sessions since this node took them.
        holds=node.holds and not newer,
    )


def peer_start(node: Node) -> int | None:
    """Return which start of the peer's SRM this node hears; None before it heard any."""
    return node.peer.incarnation if node.peer else None


def silence_limit(node: Node, policy: Policy) -> float:
    """Return after how many seconds of silence the peer is declared down."""
    return policy.initialization_timeout if node.peer is None else policy.heartbeat_timeout


def heard_at(node: Node) -> float:
    """Return when the peer was last heard, or since when SRM listens for it."""
    return node.listening_since if node.peer is None else node.peer_at


def silence(node: Node, now: float) -> float:
    """Return for how many seconds the peer has not been heard."""
    return now - heard_at(node)


def late(node: Node, now: float, policy: Policy) -> bool:
    """Return whether a heartbeat of the peer is overdue: two intervals without one."""
    return silence(node, now) > 2 * policy.heartbeat_interval


def late_at(node: Node, policy: Policy) -> float:
    """Return when the silence of the peer is seen first, if nothing more is heard: late, or at its limit."""
    return heard_at(node) + min(2 * policy.heartbeat_interval, silence_limit(node, policy))


def looks_alike(before: Node, after: Node, now: float, policy: Policy) -> bool:
    """Return whether a step changed nothing but the beat of heartbeats that come in time.

    What is not known to be such a beat counts as a change.
    """
    return _without_beat(before, now, policy) == _without_beat(after, now, policy)


def _without_beat(node: Node, now: float, policy: Policy) -> tuple[object, ...]:
    # When a late peer was last heard is shown; else it is no news.
    peer_at = 0.0 if now < late_at(node, policy) else node.peer_at
    return _of_node(node), _of_peer(node.peer) if node.peer else None, peer_at


def peer_heard(node: Node, now: float, policy: Policy) -> bool:
    """Return whether the peer counts as alive.

    One that was never heard does not, but is declared down only after the initialization timeout.
    """
    if node.peer is None:
        return False
    return not node.peer.leaving and silence(node, now) < policy.heartbeat_timeout


def unheard(node: Node, now: float, policy: Policy) -> bool:
    """Return whether the peer says, for the initialization timeout now, that it does not hear this node."""
    return (
        node.state is State.INITIALIZING
        and peer_heard(node, now, policy)
        and node.peer is not None
        and not node.peer.hears
        and now - node.listening_since >= policy.initialization_timeout
    )


def announced(node: Node) -> bool:
    """Return whether the last thing the peer said was that it is being shut down."""
    return node.peer is not None and node.peer.leaving


def peer_gone(node: Node, now: float, policy: Policy) -> bool:
    """Return whether the peer is declared down: silent for its limit, or it announced its leave."""
    return announced(node) or silence(node, now) >= silence_limit(node, policy)


def gone_at(node: Node, policy: Policy) -> float:
    """Return when the peer reaches its limit of silence, if nothing more is heard."""
    return heard_at(node) + silence_limit(node, policy)


def missed_until(node: Node, now: float, policy: Policy) -> float | None:
    """Return when a peer that is late will be declared down; None when that is not to come."""
    if peer_gone(node, now, policy) or node.state is State.FAILED:
        return None
    return gone_at(node, policy) if late(node, now, policy) else None


# --- services ----------------------------------------------------------------------------------


def observe(node: Node, readings: tuple[Reading, ...], now: float, policy: Policy) -> Node:
    """Return ``node`` after a look at its monitored services.

    A status that cannot be read keeps what was known. A service that went down while nobody
    looked counts as down for at most one heartbeat interval, and as up for no longer one that came up then.
    """
    if node.state is State.UNKNOWN:
        return node
    if node.stopped or node.stop_asked_at is not None:
        node = replace(node, stopped=_still_stopped(node, readings), stop_asked_at=None)
    if readings == node.services and node.healthy_since is not None:
        # All ran, and all run: nothing new.
        return node
    known = {service.name: service for service in node.services}
    seen: list[Reading] = []
    for reading in readings:
        before = known.get(reading.name)
        if reading.up is None:
            seen.append(before or reading)
        elif reading.up is False and before is not None and before.up is False:
            # A status of the future was taken before the clock was set back.
            later = reading.since if reading.since <= now else before.since
            seen.append(replace(reading, since=max(later, before.since)))
        elif reading.up is False and node.dazed:
            seen.append(replace(reading, since=max(reading.since, now - policy.heartbeat_interval)))
        else:
            seen.append(reading)
    services = tuple(seen)
    if not services or any(reading.up is not True for reading in readings):
        return replace(node, services=services, healthy_since=None)
    unbroken = max(service.since for service in services)
    if node.dazed and (node.healthy_since is None or services != node.services):
        # One of them came up, or was restarted, while nobody looked.
        unbroken = max(unbroken, now - policy.heartbeat_interval)
    return replace(node, services=services, healthy_since=max(unbroken, node.healthy_since or 0))


def _still_stopped(node: Node, readings: tuple[Reading, ...]) -> tuple[str, ...]:
    """Return which services are down because SRM stopped them, after a look at them.

    One that somebody started, or that is not watched any more, is none of SRM's. The first look
    after the order to stop may be from before it was carried out.
    """
    asked = node.stop_asked_at
    if asked is None:
        return tuple(r.name for r in readings if r.name in node.stopped and r.up is not True)
    return tuple(
        r.name
        for r in readings
        if (r.up is True and r.since <= asked and not r.database)
        or (r.up is False and (r.name in node.stopped or (r.since >= asked and not r.database)))
    )


def stopped_by_restart(node: Node) -> tuple[str, ...]:
    """Return which services are down because of SRM until a restart has started them again."""
    return tuple(
        service.name
        for service in node.services
        if service.name in node.stopped or (service.up and not service.database)
    )


def healthy(node: Node) -> bool:
    """Return whether every monitored service is known to run."""
    # A plain loop: every step asks this several times.
    for service in node.services:
        if not service.up:
            return False
    return bool(node.services)


def down(node: Node) -> tuple[Reading, ...]:
    """Return the monitored services known to be down."""
    return tuple(service for service in node.services if service.up is False)


def longest_down(node: Node, now: float, policy: Policy) -> Reading | None:
    """Return the service that has been down longest, if that is the Critical Service Delay or more."""
    over = [
        service for service in down(node) if now - service.since >= policy.critical_service_delay
    ]
    return min(over, key=lambda service: service.since) if over else None


def start_failed(node: Node, now: float, policy: Policy) -> bool:
    """Return whether services SRM asked to start are still not running after the delay."""
    return (
        node.starting_since is not None
        and not healthy(node)
        and now - node.starting_since >= policy.critical_service_delay
    )


# --- fallback ----------------------------------------------------------------------------------


def unbroken_since(node: Node) -> float | None:
    """Return since when the node has been failed over and healthy; None while it is not healthy."""
    if node.healthy_since is None or not healthy(node):
        return None
    return max(node.healthy_since, node.settled_at)


def may_fall_back_by_itself(node: Node, now: float, policy: Policy) -> bool:
    """Return whether automatic fallback is enabled and the unbroken wait is over."""
    since = unbroken_since(node)
    return policy.automatic_fallback and since is not None and now - since >= policy.fallback_after


def unanswered(node: Node, now: float, policy: Policy) -> bool:
    """Return whether the peer, though heard, lets a fallback wait for the heartbeat timeout."""
    return (
        node.state is State.TAKING_BACK
        and node.starting_since is None
        and peer_heard(node, now, policy)
        and node.peer is not None
        and node.peer.state not in ANSWERS_FALLBACK
        and now - max(node.settled_at, node.started_at) >= policy.heartbeat_timeout
    )


def wanted_move(node: Node, now: float, policy: Policy) -> MoveKind | None:
    """Return the move this node should ask for now.

    Users go home only once the peer gives them back. A backup node whose takeover was refused asks
    again when it hears its peer, and knows the epoch, and that the peer does not serve.
    """
    heard = peer_heard(node, now, policy)
    peer = node.peer.state if heard and node.peer else None
    if node.state is State.TAKING_BACK:
        return MoveKind.HOME if peer in ANSWERS_FALLBACK else None
    if node.state in BACKUP_MODES and not node.holds:
        return MoveKind.TAKE_OVER if peer in FAILED_OVER_STATES else None
    return node.move.kind if node.move else None


# --- when to look again ------------------------------------------------------------------------


def deadlines(node: Node, policy: Policy) -> list[float]:
    """Return the moments at which a time limit of ``node`` will be reached."""
    found: list[float] = []
    if node.peer is None or not node.peer.leaving:
        found.append(gone_at(node, policy))
    found += [service.since + policy.critical_service_delay for service in down(node)]
    if node.starting_since is not None:
        found.append(node.starting_since + policy.critical_service_delay)
    since = unbroken_since(node)
    if policy.automatic_fallback and since is not None:
        found.append(since + policy.fallback_after)
    if node.move is not None and node.move.asked_at is not None:
        found.append(node.move.asked_at + policy.heartbeat_interval)
    if node.state is State.INITIALIZING:
        found.append(node.listening_since + policy.initialization_timeout)
    if node.state is State.TAKING_BACK:
        found.append(max(node.settled_at, node.started_at) + policy.heartbeat_timeout)
    return found


def wake(node: Node, now: float, policy: Policy) -> float:
    """Return when ``node`` wants its next tick at the latest; infinity while HA is off."""
    if node.state is State.UNKNOWN or node.leaving:
        return float("inf")
    return min(node.next_heartbeat, now + policy.heartbeat_interval, limit_at(node, now, policy))


def limit_at(node: Node, now: float, policy: Policy) -> float:
    """Return the next moment at which a time limit will be reached; infinity while there is none."""
    if node.state is State.UNKNOWN or node.leaving:
        return float("inf")
    return min((at for at in deadlines(node, policy) if at > now), default=float("inf"))
