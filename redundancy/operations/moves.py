"""Move sessions between the nodes of a group: the one place where who serves whom is changed."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from redundancy.clock import lab_now
from redundancy.models import (
    EventKind,
    MessageKind,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.operations import events, faults, locks
from redundancy.operations.sessions import (
    Placement,
    begin_move,
    move_sessions_to,
    remember_move,
    send_home,
)
from redundancy.selectors import client_words, enterprise
from redundancy.srm.states import GRACEFUL
from redundancy.srm.types import MoveKind
from redundancy.srm.words import say_count, together


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """A move a node asked for, decided when the group's epoch was ``epoch``."""

    node_id: int
    kind: MoveKind
    epoch: int
    generation: int


def move_sessions(request: MoveRequest) -> None:
    """Move the sessions and tell the node, in one transaction; an old epoch moves nobody.

    Asked twice, it moves once: the second time the node is told that it is done.
    """
    with transaction.atomic():
        group = locks.hold(RedundancyGroup.objects.filter(servers=request.node_id)).first()
        if group is None or not group.ha_enabled or group.ha_generation != request.generation:
            return
        if faults.moves_held(group):
            return
        node = Server.objects.get(pk=request.node_id)
        taking = request.kind is MoveKind.TAKE_OVER
        if group.epoch != request.epoch:
            if taking and group.holder_id == node.pk and group.epoch > request.epoch:
                _tell(node, MessageKind.MOVED, request.kind, group.epoch)
                return
            holder = group.holder.name if group.holder else None
            _tell(node, MessageKind.MOVE_REFUSED, request.kind, group.epoch, holder)
            return
        # Nothing is away: the epoch stays, so that the peer's own request is not refused for it.
        if taking or group.holder_id is not None or _any_away(group):
            # A fault waits for a move that changes something.
            if faults.take_move(group):
                report_failure(request)
                return
            _move(group, node, taking=taking)
        _tell(node, MessageKind.MOVED, request.kind, group.epoch)


def report_failure(request: MoveRequest) -> None:
    """Tell the node that its sessions could not be moved."""
    node = Server.objects.filter(
        pk=request.node_id, group__ha_generation=request.generation
    ).first()
    if node is not None:
        _tell(node, MessageKind.MOVE_FAILED, request.kind, request.epoch)


def _move(group: RedundancyGroup, node: Server, *, taking: bool) -> None:
    now = lab_now()
    if taking:
        # The epoch rises even if nobody moves: a move home decided before must not be done after.
        begin_move(group, now, node)
        everybody = PresenceUser.objects.filter(home__group=group)
        placed = move_sessions_to(everybody, node, now, enterprise.clients())
        group.epoch += 1
        group.holder = node
        group.save(update_fields=["epoch", "holder"])
        runtime = NodeRuntime.objects.filter(server=node).first()
        sudden = runtime is None or runtime.reason not in GRACEFUL
        sentence = _with_push(_taken(placed, node), placed, sudden=sudden)
    else:
        placed = send_home(group, now)
        sentence = _with_push(_went_home(placed), placed, sudden=False)
    event = events.record(
        kind=EventKind.MOVE, sentence=sentence, group=group, node=node, epoch=group.epoch, at=now
    )
    remember_move(event, group, placed)


def _with_push(sentence: str, placed: Placement, *, sudden: bool) -> str:
    """Return the sentence of a move with what becomes of the push clients among the moved."""
    if not placed.pushed:
        return sentence
    fate = client_words.LOST if sudden else client_words.KEPT
    return together([sentence, client_words.pushed(placed.pushed), fate])


def _taken(placed: Placement, node: Server) -> str:
    if placed.clients.per_user == 1:
        return say_count(
            "{count} session moved to {node}.",
            "{count:,} sessions moved to {node}.",
            placed.moved,
            node=node.name,
        )
    return say_count(
        "{sessions:,} sessions of {count} user moved to {node}.",
        "{sessions:,} sessions of {count:,} users moved to {node}.",
        placed.moved,
        node=node.name,
        sessions=placed.sessions,
    )


def _went_home(placed: Placement) -> str:
    if placed.clients.per_user == 1:
        return say_count(
            "{count} session went home.", "{count:,} sessions went home.", placed.moved
        )
    return say_count(
        "{sessions:,} sessions of {count} user went home.",
        "{sessions:,} sessions of {count:,} users went home.",
        placed.moved,
        sessions=placed.sessions,
    )


def _any_away(group: RedundancyGroup) -> bool:
    return (
        PresenceSession.objects.filter(user__home__group=group)
        .exclude(node_id=F("user__home_id"))
        .exists()
    )


def _tell(
    node: Server, what: MessageKind, kind: MoveKind, epoch: int, holder: str | None = None
) -> None:
    payload = {"kind": kind.value, "epoch": epoch, "holder": holder}
    SrmMessage.objects.create(node=node, kind=what, payload=payload)
