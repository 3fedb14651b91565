"""Faults of the lab take effect: one that breaks a move or a start once is used up by it.

The room ``faultlab`` puts them in force and lifts them.
"""

from django.conf import settings
from django.db.models import Q

from redundancy.models import EventKind, Fault, FaultKind, RedundancyGroup, Server
from redundancy.models.fault import HELD
from redundancy.operations import events
from redundancy.srm.words import say


def take_move(group: RedundancyGroup) -> bool:
    """Return whether the session move under way, which has something to move, shall fail; used up by it."""
    return _take(Q(kind=FaultKind.MOVE, group=group, amount=0))


def moves_held(group: RedundancyGroup) -> bool:
    """Return whether the session move under way shall not be carried out now."""
    held = Fault.objects.filter(kind=FaultKind.MOVE, group=group, amount=HELD)
    return settings.FAULT_LAB and held.exists()


def take_start(node: Server) -> bool:
    """Return whether the start of services under way shall fail; the fault is used up by it."""
    return _take(Q(kind=FaultKind.START, node=node))


def end_pause(*, now: float) -> None:
    """Take away a pause that was over at ``now`` (lab seconds)."""
    Fault.objects.filter(kind=FaultKind.PAUSE, amount__lte=now).delete()


def record_fault(fault: Fault, sentence: str, actor: str) -> None:
    """Write into the history that ``fault`` was put in force, lifted or used up."""
    events.record(
        kind=EventKind.LAB, sentence=sentence, group=fault.group, node=fault.node, actor=actor
    )


def _take(which: Q) -> bool:
    # In the caller's transaction: a step that is not stored has not used the fault up.
    if not settings.FAULT_LAB:
        return False
    fault = Fault.objects.select_related("group", "node__group").filter(which).first()
    if fault is None or not Fault.objects.filter(pk=fault.pk).delete()[0]:
        return False
    record_fault(fault, say("Fault used up: {fault}", fault=fault.sentence), "")
    return True
