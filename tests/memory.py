"""Put an SRM into a state, with the memory it would have there."""

from redundancy.clock import lab_now
from redundancy.models import NodeRuntime, Server
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
) -> None:
    """Let the SRM of ``node`` be in ``state``, healthy, having just heard ``said`` from its peer.

    ``stopped``: services which it remembers to have stopped.
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
        healthy=True,
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
