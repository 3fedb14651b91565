"""Put an SRM into a state, with the memory it would have there."""

from redundancy.clock import lab_now
from redundancy.models import NodeRuntime, PresenceSession, RedundancyGroup, Server
from redundancy.srm.codec import node_to_json
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Node, Reading


def remember(
    node: Server,
    state: tuple[State, Reason],
    peer: Server,
    said: tuple[State, Reason],
    *,
    stopped: tuple[str, ...] = (),
    peer_healthy: bool = True,
) -> None:
    """Let the SRM of ``node`` be in ``state``, healthy, having just heard ``said`` from its peer.

    ``peer_healthy``: what the peer said of its critical services. ``stopped``: services which it remembers to have stopped.
    """
    now = lab_now()
    heartbeat = Heartbeat(
        sender=peer.name,
        incarnation=1,
        seq=1,
        generation=1,
        state=said[0],
        reason=said[1],
        epoch=0,
        healthy=peer_healthy,
        hears=True,
    )
    memory = Node(
        name=node.name,
        peer_name=peer.name,
        first=node.slot == 1,
        state=state[0],
        reason=state[1],
        since=now,
        settled_at=now,
        incarnation=1,
        generation=1,
        peer=heartbeat,
        peer_at=now,
        services=(Reading("A Cisco DB", up=True, since=now, database=True),),
        healthy_since=now,
        stepped_at=now,
        holds=True,
        stopped=stopped,
    )
    NodeRuntime.objects.filter(server=node).update(
        state=state[0], reason=state[1], since=now, memory=node_to_json(memory)
    )


def remember_pair(
    first: Server, one: tuple[State, Reason], second: Server, two: tuple[State, Reason]
) -> None:
    """Put both nodes of a group into these states."""
    remember(first, one, second, two)
    remember(second, two, first, one)


def fail_over(group: RedundancyGroup, *, healthy_for: float) -> None:
    """Let the second node of ``group`` serve everybody for the first, which is healthy for so long (lab seconds)."""
    first, second = group.servers.select_related("runtime").order_by("slot")
    over, backup = (
        (state, Reason.CRITICAL_SERVICE_DOWN) for state in (State.FAILED_OVER, State.BACKUP)
    )
    remember_pair(first, over, second, backup)
    runtime = NodeRuntime.objects.get(server=first)
    since = lab_now() - healthy_for
    runtime.memory |= {"healthy_since": since, "settled_at": since}
    runtime.save(update_fields=["memory"])
    PresenceSession.objects.filter(user__home__group=group).update(node=second)
