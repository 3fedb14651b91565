"""Running timers after something other than time has passed: nobody looked, or a limit was changed."""

from redundancy.srm import facts
from redundancy.srm.states import State
from redundancy.srm.types import Node, Policy, replace


def notice_gap(node: Node, now: float, policy: Policy) -> Node:
    """Return ``node`` with its running timers set back by the time nobody looked.

    A longer gap between two steps than usual adds one heartbeat interval to any timer; after it
    the node is ``dazed`` and its next tick judges nothing. A clock that was set back by more than
    an interval is such a gap, too, and adds nothing.
    """
    if node.stepped_at is None or node.state is State.UNKNOWN:
        return node
    # Until now it was called as often as the parameters of its last step wanted.
    before = node.policy or policy
    interval, gap = before.heartbeat_interval, now - node.stepped_at
    if -interval <= gap <= _usual_gap(before, max(before.tick, policy.tick)):
        return node
    lost = gap - (interval if gap > 0 else 0)
    return replace(
        node,
        dazed=True,
        settled_at=node.settled_at + lost,
        started_at=node.started_at + lost,
        peer_at=node.peer_at + lost,
        listening_since=node.listening_since + lost,
        services=tuple(
            replace(service, since=service.since + lost) if service.up is False else service
            for service in node.services
        ),
        healthy_since=None if node.healthy_since is None else node.healthy_since + lost,
        starting_since=None if node.starting_since is None else node.starting_since + lost,
    )


def _usual_gap(policy: Policy, tick: float) -> float:
    """Return how far apart two steps may be without the observer having been away.

    Never so far that the peer's silence over one such gap, after an interval, reaches the timeout.
    """
    late = policy.heartbeat_interval + 2 * tick
    return min(late, policy.heartbeat_timeout - policy.heartbeat_interval)


def notice_parameters(node: Node, now: float, policy: Policy) -> Node:
    """Return ``node`` with its running timers as they go on under changed parameters.

    A limit that was lowered counts from now on: a timer that runs ends when the old limit would
    have ended it, or when the new one has passed from now on, whichever is sooner. So a change by
    itself fails nobody over.
    """
    before = node.policy
    if before is policy or before == policy:
        return node
    node = replace(node, policy=policy)
    return node if before is None else _under_new_limits(node, now, before)


def _under_new_limits(node: Node, now: float, before: Policy) -> Node:
    policy = node.policy
    assert policy is not None
    interval, silent = before.heartbeat_interval, facts.silence(node, now)
    if (
        interval != policy.heartbeat_interval
        and not facts.announced(node)
        and silent < 2 * interval
    ):
        # Until its next heartbeat the peer kept the old interval, by which it was not late (any
        # timeout is two intervals or more): its silence so far says nothing about the new limits.
        node = replace(node, peer_at=now, listening_since=now)

    def later(since: float, old: float, new: float) -> float:
        return max(since, min(since + old - new, now))

    timeout = before.heartbeat_timeout, policy.heartbeat_timeout
    delay = before.critical_service_delay, policy.critical_service_delay
    waiting = max(node.settled_at, node.started_at)
    return replace(
        node,
        peer_at=later(node.peer_at, *timeout),
        listening_since=later(
            node.listening_since, before.initialization_timeout, policy.initialization_timeout
        ),
        services=tuple(
            replace(service, since=later(service.since, *delay)) if service.up is False else service
            for service in node.services
        ),
        starting_since=None if node.starting_since is None else later(node.starting_since, *delay),
        settled_at=later(waiting, *timeout) if node.state is State.TAKING_BACK else node.settled_at,
    )
