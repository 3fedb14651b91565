"""What waits for a node's SRM, as events of ``srm``."""

from collections.abc import Iterator

from redundancy.live.due import DueNode, StoredNode
from redundancy.models import MessageKind, SrmMessage
from redundancy.srm import types
from redundancy.srm.types import Event, MoveKind, Node, Request

ADMIN = frozenset({MessageKind.FAILOVER, MessageKind.FALLBACK})


def srm_events(situation: DueNode, node: Node) -> Iterator[tuple[Event, str]]:
    """Yield the events for one step of a node, each with the name of who caused it.

    ``node``: what it remembers. The heartbeat that it heard last is no event again, unless its SRM was started since.
    """
    stored, messages, heartbeat = situation.stored, situation.messages, situation.heartbeat
    if node.generation != stored.generation:
        recover = [m for m in messages if m.kind == MessageKind.RECOVER]
        actor = recover[0].actor if recover else ""
        yield (
            types.Enabled(
                stored.generation, stored.incarnation, stored.epoch, recover=bool(recover)
            ),
            actor,
        )
    starts = [i for i, m in enumerate(messages) if m.kind == MessageKind.STARTED]
    # Requests to an SRM that was restarted since are not passed to the new one.
    asked = [m for m in messages[starts[-1] if starts else 0 :] if m.kind in ADMIN]
    for message in messages:
        event = None if message.kind in ADMIN else _event(message, stored)
        if event is not None:
            yield event, message.actor
    if heartbeat is not None and (starts or heartbeat != node.peer):
        yield types.Heard(heartbeat), ""
    # Last, so that a request is judged with what the peer said.
    for message in asked:
        event = _event(message, stored)
        if event is not None:
            yield event, message.actor


def _event(message: SrmMessage, stored: StoredNode) -> Event | None:
    payload = message.payload
    match message.kind:
        case MessageKind.STARTED:
            return types.Started(payload["incarnation"], stored.epoch, stored.holder)
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
