"""Faults of the lab take effect: one that breaks a move or a start once is used up by it.

The room ``faultlab`` puts them in force and lifts them.
"""

from collections.abc import Collection

from django.conf import settings
from django.db.models import QuerySet

from redundancy.models import EventKind, Fault, FaultKind, Server
from redundancy.models.fault import HELD
from redundancy.operations import events
from redundancy.srm.words import say


def take_moves(groups: Collection[int]) -> set[int]:
    """Return the groups, by their keys, whose session move under way shall fail; used up by it.

    Those that have something to move.
    """
    # In the caller's transaction: a move that is not stored has not used the fault up.
    failing = _of_moves(groups, 0).select_related("group") if settings.FAULT_LAB else ()
    taken = {fault.group_id for fault in failing if _use_up(fault)}
    return {group for group in taken if group is not None}


def held_moves(groups: Collection[int]) -> set[int]:
    """Return the groups, by their keys, whose session moves shall not be carried out now."""
    if not settings.FAULT_LAB:
        return set()
    held = _of_moves(groups, HELD).values_list("group", flat=True)
    return {group for group in held if group is not None}


def take_starts(nodes: Collection[int]) -> set[int]:
    """Return those of the nodes, by their keys, whose start of services under way shall fail; used up by it."""
    if not settings.FAULT_LAB:
        return set()
    # In the caller's transaction: a step that is not stored has not used the fault up.
    found = Fault.objects.filter(kind=FaultKind.START, node__in=nodes)
    taken: set[int] = set()
    for fault in found.select_related("group", "node__group").order_by("pk"):
        if fault.node_id is not None and fault.node_id not in taken and _use_up(fault):
            taken.add(fault.node_id)
    return taken


def take_start(node: Server) -> bool:
    """Return whether the start of services of this node shall fail, as ``take_starts``."""
    return bool(take_starts([node.pk]))


def end_pause(*, now: float) -> None:
    """Take away a pause that was over at ``now`` (lab seconds)."""
    Fault.objects.filter(kind=FaultKind.PAUSE, amount__lte=now).delete()


def record_fault(fault: Fault, sentence: str, actor: str) -> None:
    """Write into the history that ``fault`` was put in force, lifted or used up."""
    events.record(
        kind=EventKind.LAB, sentence=sentence, group=fault.group, node=fault.node, actor=actor
    )


def _of_moves(groups: Collection[int], amount: int) -> QuerySet[Fault]:
    return Fault.objects.filter(kind=FaultKind.MOVE, group__in=groups, amount=amount)


def _use_up(fault: Fault) -> bool:
    if not Fault.objects.filter(pk=fault.pk).delete()[0]:
        return False
    record_fault(fault, say("Fault used up: {fault}", fault=fault.sentence), "")
    return True
