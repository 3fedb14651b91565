"""Which faults were put into the lab and are in force. Without the Fault Lab nobody is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings

from redundancy import clock
from redundancy.models import Fault, FaultKind

# Amount of a fault of moves: they are held, instead of the next one failing.
HELD = 1


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault as it is shown: ``pk`` of its row, what it breaks, the group it belongs to."""

    pk: int
    kind: FaultKind
    sentence: str
    group_id: int | None
    node_id: int | None

    @property
    def of_link(self) -> bool:
        """Whether it is about the link between the nodes of the group."""
        return self.kind in {FaultKind.CUT, FaultKind.DELAY, FaultKind.LOSS}


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of links and of the observer.

    ``cut``: nodes whose heartbeats get lost. ``delay`` in lab seconds and ``loss`` in percent, by
    group. ``paused_until``: lab time.
    """

    cut: frozenset[int] = frozenset()
    delay: Mapping[int, float] = field(default_factory=dict)
    loss: Mapping[int, float] = field(default_factory=dict)
    paused_until: float = 0


NONE = Faults()


def in_force() -> Faults:
    """Return the faults of links and observer, in one query; in none without the Fault Lab."""
    if not settings.FAULT_LAB:
        return NONE
    rows = list(Fault.objects.values_list("kind", "group_id", "node_id", "amount"))
    if not rows:
        return NONE
    return Faults(
        cut=frozenset(node for kind, _, node, _ in rows if kind == FaultKind.CUT),
        delay={group: amount for kind, group, _, amount in rows if kind == FaultKind.DELAY},
        loss={group: amount for kind, group, _, amount in rows if kind == FaultKind.LOSS},
        paused_until=max(
            (amount for kind, _, _, amount in rows if kind == FaultKind.PAUSE), default=0
        ),
    )


def active() -> list[ActiveFault]:
    """Return every fault in force, oldest first, each with a sentence; none without the Fault Lab."""
    if not settings.FAULT_LAB:
        return []
    rows = list(Fault.objects.select_related("group", "node__group"))
    now = clock.lab_now() if rows else 0
    return [
        ActiveFault(
            fault.pk,
            FaultKind(fault.kind),
            sentence(fault),
            fault.node.group_id if fault.node else fault.group_id,
            fault.node_id,
        )
        for fault in rows
        if fault.kind != FaultKind.PAUSE or fault.amount > now
    ]


def sentence(fault: Fault) -> str:
    """Return what ``fault`` does while it is in force."""
    match fault.kind:
        case FaultKind.CUT:
            return f"Heartbeats from {fault.node} do not reach its peer."
        case FaultKind.DELAY:
            return f"Heartbeats within {fault.group} arrive {fault.amount:g} s late."
        case FaultKind.LOSS:
            return f"{fault.amount:g} % of the heartbeats within {fault.group} are lost."
        case FaultKind.MOVE if fault.amount == HELD:
            return f"Session moves of {fault.group} wait until they are released."
        case FaultKind.MOVE:
            return f"The next session move of {fault.group} fails."
        case FaultKind.START:
            return f"The next start of critical services on {fault.node} fails."
        case _:
            until = clock.lab_datetime(fault.amount)
            return f"Nobody looks at the nodes until {until:%Y-%m-%d %H:%M:%S} UTC (lab time)."
