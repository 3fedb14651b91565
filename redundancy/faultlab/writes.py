"""Put faults into the lab, and take them out again. Refused where the Fault Lab is off.

Faults of the link are kept until they are lifted; failing moves and starts until they have failed
once; a pause of the observer until its time is over. Each is an event of the history, at both ends.
"""

import math

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import Fault, FaultKind, RedundancyGroup, Server, ServerType
from redundancy.operations import locks
from redundancy.operations.faults import record
from redundancy.selectors import faults
from redundancy.srm.words import say

MAX_DELAY = 3600.0
MAX_PAUSE = 86400.0
_LINK = (FaultKind.CUT, FaultKind.DELAY, FaultKind.LOSS)


def cut_link(
    *,
    group: RedundancyGroup,
    sender: Server | None = None,
    receiver: Server | None = None,
    actor: str,
) -> None:
    """Lose every heartbeat from ``sender`` to ``receiver``; both ways when neither is given."""
    with transaction.atomic():
        _begin()
        members = _members(group)
        for field, server in (("sender", sender), ("receiver", receiver)):
            if server is not None and server not in members:
                raise Refused(
                    say("{node} is not a node of {group}.", node=server.name, group=group.name),
                    field=field,
                )
        if sender is not None and sender == receiver:
            raise Refused(say("A link has two different ends."), field="receiver")
        for node in members:
            if (sender is None or node == sender) and node != receiver:
                _put(FaultKind.CUT, node=node, actor=actor)


def restore_link(*, group: RedundancyGroup, actor: str) -> None:
    """Let heartbeats pass again: no cut, no delay, no loss. What is under way still arrives late."""
    with transaction.atomic():
        _begin()
        _lift(_of(group).filter(kind__in=_LINK), actor)


def delay_link(*, group: RedundancyGroup, seconds: float, actor: str) -> None:
    """Let every heartbeat arrive so many lab ``seconds`` late."""
    with transaction.atomic():
        _begin()
        _members(group)
        rule = say("Delay must be more than 0 and at most {most:g} seconds.", most=MAX_DELAY)
        limited = _within(seconds, rule, MAX_DELAY, field="seconds")
        _put(FaultKind.DELAY, group=group, amount=limited, actor=actor)


def lose_heartbeats(*, group: RedundancyGroup, percent: int, actor: str) -> None:
    """Lose so many ``percent`` of the heartbeats, each by chance."""
    with transaction.atomic():
        _begin()
        _members(group)
        rule = say("Loss must be more than 0 and at most {most:g} percent.", most=100)
        limited = _within(percent, rule, 100, field="percent")
        _put(FaultKind.LOSS, group=group, amount=limited, actor=actor)


def fail_next_move(*, group: RedundancyGroup, actor: str) -> None:
    """Let the next session move of the group fail, whichever node asks for it."""
    with transaction.atomic():
        _begin()
        _members(group)
        _put(FaultKind.MOVE, group=group, actor=actor)


def hold_moves(*, group: RedundancyGroup, actor: str) -> None:
    """Carry no session move of the group out until ``release_moves``; its nodes ask again and again."""
    with transaction.atomic():
        _begin()
        _members(group)
        _put(FaultKind.MOVE, group=group, amount=faults.HELD, actor=actor)


def release_moves(*, group: RedundancyGroup, actor: str) -> None:
    """Let held session moves be carried out when a node asks again."""
    with transaction.atomic():
        _begin()
        _lift(_of(group).filter(kind=FaultKind.MOVE, amount=faults.HELD), actor)


def fail_next_start(*, node: Server, actor: str) -> None:
    """Let SRM's next start of critical services on ``node`` have no effect."""
    with transaction.atomic():
        _begin()
        if node.server_type != ServerType.IMP:
            raise Refused(
                say(
                    "{node} is not a server of type {type}.",
                    node=node.name,
                    type=ServerType.IMP.label,
                ),
                field="node",
            )
        _put(FaultKind.START, node=node, actor=actor)


def pause_observer(*, seconds: float, actor: str) -> None:
    """Let nobody look at any node for so many lab ``seconds``, as if no sweep ran."""
    with transaction.atomic():
        _begin()
        rule = say("Pause must be more than 0 and at most {most:g} seconds.", most=MAX_PAUSE)
        limited = _within(seconds, rule, MAX_PAUSE, field="seconds")
        _put(FaultKind.PAUSE, amount=lab_now() + limited, actor=actor)


def clear(*, group: RedundancyGroup | None, actor: str) -> None:
    """Lift every fault of the group and its nodes; of the whole lab, the pause too, when None."""
    with transaction.atomic():
        _begin()
        _lift(Fault.objects.all() if group is None else _of(group), actor)


def lift(*, fault_id: int, actor: str) -> None:
    """Lift one fault. Does nothing when it is over already."""
    with transaction.atomic():
        _begin()
        _lift(Fault.objects.filter(pk=fault_id), actor)


def _begin() -> None:
    if not settings.FAULT_LAB:
        raise Refused(say("The Fault Lab is off; it takes FAULT_LAB=1 in the environment."))
    locks.one_administrator()


def _of(group: RedundancyGroup) -> QuerySet[Fault]:
    return Fault.objects.filter(Q(group=group) | Q(node__group=group))


def _members(group: RedundancyGroup) -> list[Server]:
    members = list(Server.objects.filter(group=group).select_related("group").order_by("slot"))
    if len(members) != 2:
        raise Refused(
            say("{group} has no two nodes with a link between them.", group=group.name),
            field="group",
        )
    return members


def _within(value: float, rule: str, most: float, *, field: str) -> float:
    """Return ``value``; refuse with ``rule`` what is not more than 0 and at most ``most``."""
    if not (math.isfinite(value) and 0 < value <= most):
        raise Refused(rule, field=field)
    return float(value)


def _put(
    kind: FaultKind,
    *,
    group: RedundancyGroup | None = None,
    node: Server | None = None,
    amount: float = 0,
    actor: str,
) -> None:
    """Put a fault in force, in the place of one of the same kind."""
    fault, created = Fault.objects.get_or_create(
        kind=kind, group=group, node=node, defaults={"amount": amount, "actor": actor}
    )
    if not created and fault.amount == amount:
        return
    fault.amount, fault.actor = amount, actor
    fault.save(update_fields=["amount", "actor"])
    record(fault, say("Fault: {fault}", fault=faults.sentence(fault)), actor)


def _lift(which: QuerySet[Fault], actor: str) -> None:
    for fault in which.select_related("group", "node__group"):
        record(fault, say("Fault lifted: {fault}", fault=faults.sentence(fault)), actor)
        fault.delete()
