"""What waits for a node's SRM, as events of ``srm``."""

from collections.abc import Iterator, Sequence

from redundancy.models import MessageKind, NodeRuntime, SrmMessage
from redundancy.srm import types
from redundancy.srm.types import Event, Heartbeat, MoveKind, Request

ADMIN = frozenset({MessageKind.FAILOVER, MessageKind.FALLBACK})


def events_of(
    runtime: NodeRuntime,
    generation: int,
    messages: Sequence[SrmMessage],
    heartbeat: Heartbeat | None,
) -> Iterator[tuple[Event, str]]:
    """Yield the events for one step of a node, each with the name of who caused it.

    Args:
        runtime: The node, with its server, group and machine.
        generation: Of the HA the node remembers; 0 when it remembers nothing.
        messages: What was stored for it, oldest first.
        heartbeat: The last one in its inbox.

    """
    group = runtime.server.group
    assert group is not None
    if generation != group.ha_generation:
        recover = [m for m in messages if m.kind == MessageKind.RECOVER]
        actor = recover[0].actor if recover else ""
        yield (
            types.Enabled(
                group.ha_generation,
                runtime.server.machine.incarnation,
                group.epoch,
                recover=bool(recover),
            ),
            actor,
        )
    starts = [i for i, m in enumerate(messages) if m.kind == MessageKind.STARTED]
    # What was asked of an SRM that was restarted since is not asked of its successor.
    asked = [m for m in messages[starts[-1] if starts else 0 :] if m.kind in ADMIN]
    for message in messages:
        event = None if message.kind in ADMIN else _event(message, runtime)
        if event is not None:
            yield event, message.actor
    if heartbeat is not None:
        yield types.Heard(heartbeat), ""
    # An administrator's request meets the node as it is after the news from its peer.
    for message in asked:
        event = _event(message, runtime)
        if event is not None:
            yield event, message.actor


def _event(message: SrmMessage, runtime: NodeRuntime) -> Event | None:
    payload = message.payload
    match message.kind:
        case MessageKind.STARTED:
            group = runtime.server.group
            assert group is not None
            holder = group.holder.name if group.holder else None
            return types.Started(payload["incarnation"], group.epoch, holder)
        case MessageKind.SHUTDOWN:
            return types.Leaving(payload["reboot"])
        case MessageKind.FAILOVER:
            return types.Asked(Request.FAILOVER)
        case MessageKind.FALLBACK:
            return types.Asked(Request.FALLBACK)
        case MessageKind.MOVED:
            return types.Moved(MoveKind(payload["kind"]), payload["epoch"])
        case MessageKind.MOVE_REFUSED:
            return types.MoveRefused(MoveKind(payload["kind"]), payload["epoch"], payload["holder"])
        case MessageKind.MOVE_FAILED:
            return types.MoveFailed(MoveKind(payload["kind"]), payload["epoch"])
    # RECOVER is part of Enabled.
    return None
