"""Move sessions between the nodes of a group: the one place where who serves whom is changed.

The moves of many groups are done together, in a number of statements that does not grow with them.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from django.db import transaction
from django.db.models import Count, F

from redundancy.clock import lab_now
from redundancy.models import (
    EventKind,
    HaEvent,
    MessageKind,
    NodeRuntime,
    PresenceSession,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.models.bulk import insert
from redundancy.operations import events, faults, locks
from redundancy.operations.sessions import Placement, remember_moves, serve
from redundancy.outage import is_outage
from redundancy.selectors import client_words
from redundancy.srm.states import GRACEFUL
from redundancy.srm.types import MoveKind
from redundancy.srm.words import say_count, together

logger = logging.getLogger(__name__)

# What one transaction moves at most: so long others wait for it. A larger group has one of its own.
MOST_GROUPS, MOST_SESSIONS = 500, 50_000


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """A move a node asked for, decided when the group's epoch was ``epoch``."""

    node_id: int
    kind: MoveKind
    epoch: int
    generation: int


class Verdict(Enum):
    """What becomes of a request to move."""

    MOVE = auto()
    # Only if somebody is away: the epoch stays else, so that the peer's own request is not refused for it.
    MOVE_IF_AWAY = auto()
    DONE = auto()
    REFUSED = auto()


def judge(request: MoveRequest, epoch: int, holder: int | None) -> Verdict:
    """Return what becomes of ``request`` where the group has this epoch and this node (by its key) as holder."""
    taking = request.kind is MoveKind.TAKE_OVER
    if epoch == request.epoch:
        return Verdict.MOVE if taking or holder is not None else Verdict.MOVE_IF_AWAY
    if taking and holder == request.node_id and epoch > request.epoch:
        # Asked twice, it moves once: the second time the node is told that it is done.
        return Verdict.DONE
    return Verdict.REFUSED


def portions(
    requests: Sequence[MoveRequest], group_of: Mapping[int, int], sessions: Mapping[int, int]
) -> Iterator[list[MoveRequest]]:
    """Yield the requests in portions, each for one transaction, and those of one group in their order.

    ``group_of``: the group of each node; requests of others are left out. ``sessions``: of each group, as
    far as it has any. A group is once in a portion: what it asks for next is judged by what came of that.
    """
    waiting = [request for request in requests if request.node_id in group_of]
    while waiting:
        portion, later = list[MoveRequest](), list[MoveRequest]()
        seen, size = set[int](), 0
        for request in waiting:
            group = group_of[request.node_id]
            of_group = sessions.get(group, 0)
            full = len(portion) == MOST_GROUPS or (portion and size + of_group > MOST_SESSIONS)
            if full or group in seen:
                later.append(request)
            else:
                portion.append(request)
                size += of_group
            seen.add(group)
        yield portion
        waiting = later


def move_all(requests: Sequence[MoveRequest]) -> None:
    """Move sessions as these nodes ask, and tell each: many groups in one transaction.

    What fails in one group is told to its node, and holds no other up. A group that somebody else holds
    is waited for last.

    Raises:
        django.db.Error: The database is busy, full, read-only or away: see ``is_outage``. What was not
            done by then is asked for again.

    """
    nodes = Server.objects.filter(pk__in={request.node_id for request in requests})
    group_of = dict(nodes.filter(group__isnull=False).values_list("pk", "group_id"))
    held: list[MoveRequest] = []
    for portion in portions(requests, group_of, _sessions_of(set(group_of.values()))):
        held += _together(portion, wait=False)
    for request in held:
        _together([request], wait=True)


def move_sessions(request: MoveRequest) -> None:
    """Move the sessions and tell the node, in one transaction; an old epoch moves nobody."""
    with transaction.atomic():
        _carry_out([request], wait=True)


def report_failure(request: MoveRequest) -> None:
    """Tell the node that its sessions could not be moved."""
    node = Server.objects.filter(
        pk=request.node_id, group__ha_generation=request.generation
    ).first()
    if node is not None:
        _message(request, MessageKind.MOVE_FAILED, request.epoch).save(force_insert=True)


def _sessions_of(groups: Collection[int]) -> dict[int, int]:
    """Return how many sessions each of these groups has; none where it does not matter."""
    if len(groups) < 2:
        return {}
    nodes = dict(Server.objects.filter(group__in=groups).values_list("pk", "group_id"))
    counts = PresenceSession.objects.filter(node__in=nodes).values_list("node").order_by()
    found: dict[int, int] = {}
    for node, number in counts.annotate(number=Count("pk")):
        group = nodes[node]
        if group is not None:
            found[group] = found.get(group, 0) + number
    return found


def _together(requests: Sequence[MoveRequest], *, wait: bool) -> list[MoveRequest]:
    """Carry these requests out; return those whose group somebody else holds."""
    try:
        with transaction.atomic():
            return _carry_out(requests, wait=wait)
    except Exception as error:
        if is_outage(error):
            raise
        if len(requests) == 1:
            logger.exception("%s failed", requests[0])
            report_failure(requests[0])
            return []
        # Told once: halves of these fail for the same cause.
        text = "%d moves together failed (%s: %s); they are tried in halves"
        logger.warning(text, len(requests), type(error).__name__, error)
    # Nothing of it was stored. Only the broken one shall fail.
    half = len(requests) // 2
    return _together(requests[:half], wait=wait) + _together(requests[half:], wait=wait)


def _carry_out(requests: Sequence[MoveRequest], *, wait: bool) -> list[MoveRequest]:
    """Carry out requests of different groups, in the caller's transaction.

    ``wait``: for who holds a group; else return the requests of those groups.
    """
    asking = [request.node_id for request in requests]
    wanted = Server.objects.filter(pk__in=asking, group__isnull=False).values("group")
    held = locks.hold(RedundancyGroup.objects.filter(pk__in=wanted), wait=wait)
    groups = {group.pk: group for group in held}
    nodes = {node.pk: node for node in Server.objects.filter(group__in=groups)}
    for node in nodes.values():
        if node.group_id is not None:
            node.group = groups[node.group_id]
    for group in groups.values():
        if group.holder_id in nodes:
            group.holder = nodes[group.holder_id]
    present = [request for request in requests if request.node_id in nodes]
    moving, told = _sort_out(present, nodes)
    if moving:
        # A fault waits for a move that changes something.
        failing = faults.take_moves([nodes[r.node_id].group_id or 0 for r in moving])
        failed = [r for r in moving if nodes[r.node_id].group_id in failing]
        told += [_message(r, MessageKind.MOVE_FAILED, r.epoch) for r in failed]
        moving = [r for r in moving if r not in failed]
    if moving:
        told += _move(moving, nodes)
    insert(told)
    return [request for request in requests if request.node_id not in nodes] if not wait else []


def _sort_out(
    requests: Sequence[MoveRequest], nodes: Mapping[int, Server]
) -> tuple[list[MoveRequest], list[SrmMessage]]:
    """Return the requests by which sessions are to move, and what the nodes of the others are told."""
    group_of = {r: nodes[r.node_id].group for r in requests}
    held = faults.held_moves([group.pk for group in group_of.values() if group is not None])
    verdicts = {
        request: judge(request, group.epoch, group.holder_id)
        for request, group in group_of.items()
        if group is not None
        and group.ha_enabled
        and group.ha_generation == request.generation
        and group.pk not in held
    }
    doubtful = [r for r, verdict in verdicts.items() if verdict is Verdict.MOVE_IF_AWAY]
    away = _away({nodes[request.node_id].group_id for request in doubtful})
    moving, told = [], []
    for request, verdict in verdicts.items():
        group = group_of[request]
        assert group is not None
        if verdict is Verdict.MOVE or (verdict is Verdict.MOVE_IF_AWAY and group.pk in away):
            moving.append(request)
        elif verdict is Verdict.REFUSED:
            holder = group.holder.name if group.holder else None
            told.append(_message(request, MessageKind.MOVE_REFUSED, group.epoch, holder))
        else:
            told.append(_message(request, MessageKind.MOVED, group.epoch))
    return moving, told


def _move(requests: Sequence[MoveRequest], nodes: Mapping[int, Server]) -> list[SrmMessage]:
    """Move the sessions and write it into the history; return what the nodes are told."""
    now = lab_now()
    asking = [(request, nodes[request.node_id]) for request in requests]
    goals = [
        (node.group, node if request.kind is MoveKind.TAKE_OVER else None)
        for request, node in asking
        if node.group is not None
    ]
    placed = serve(goals, list(nodes.values()), now)
    reasons = dict(
        NodeRuntime.objects.filter(server__in=[n.pk for _, n in goals if n]).values_list(
            "server", "reason"
        )
    )
    told = [
        _told(node, placed[node.group_id or 0], goal, reasons.get(node.pk), now)
        for (_, node), (_, goal) in zip(asking, goals, strict=True)
    ]
    written = insert(told)
    remember_moves(
        [
            (event, group, placed[group.pk])
            for event, (group, _) in zip(written, goals, strict=True)
        ],
        nodes.values(),
    )
    return [
        _message(request, MessageKind.MOVED, group.epoch)
        for request, (group, _) in zip(requests, goals, strict=True)
    ]


def _told(
    node: Server, placed: Placement, goal: Server | None, reason: str | None, now: float
) -> HaEvent:
    group = node.group
    assert group is not None
    sudden = goal is not None and reason not in GRACEFUL
    sentence = _taken(placed, node) if goal is not None else _went_home(placed)
    return events.event(
        kind=EventKind.MOVE,
        sentence=_with_push(sentence, placed, sudden=sudden),
        place=events.Place(node.pk, node.name, group.pk, group.name),
        epoch=group.epoch,
        at=now,
    )


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


def _away(groups: Collection[int | None]) -> set[int | None]:
    """Return which of these groups have sessions that are not at home, in one query."""
    if not groups:
        return set()
    away = PresenceSession.objects.filter(user__home__group__in=groups).exclude(
        node_id=F("user__home_id")
    )
    return set(away.values_list("user__home__group", flat=True).distinct())


def _message(
    request: MoveRequest, what: MessageKind, epoch: int, holder: str | None = None
) -> SrmMessage:
    payload = {"kind": request.kind.value, "epoch": epoch, "holder": holder}
    return SrmMessage(node_id=request.node_id, kind=what, payload=payload)
