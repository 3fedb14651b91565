"""Which faults were put into the lab and are in force. Without the Fault Lab nobody is asked."""

from collections.abc import Mapping

from django.conf import settings

from redundancy import clock
from redundancy.models import Fault, FaultKind

# Of each kind the amounts in force, by the key of the node or group they belong to; by None those of
# the whole lab. What an amount means: see ``Fault.amount``.
Faults = Mapping[str, Mapping[int | None, float]]

NONE: Faults = {kind: {} for kind in FaultKind}


def in_force() -> Faults:
    """Return the amounts of every fault, in one query; none without the Fault Lab."""
    if not settings.FAULT_LAB:
        return NONE
    amounts: dict[str, dict[int | None, float]] = {kind: {} for kind in FaultKind}
    for kind, group, node, amount in Fault.objects.values_list(
        "kind", "group_id", "node_id", "amount"
    ):
        amounts[kind][node or group] = amount
    return amounts


def active() -> list[Fault]:
    """Return every fault in force, oldest first; none without the Fault Lab."""
    if not settings.FAULT_LAB:
        return []
    rows = list(Fault.objects.select_related("group", "node"))
    now = clock.lab_now() if rows else 0
    return [fault for fault in rows if fault.kind != FaultKind.PAUSE or fault.amount > now]
