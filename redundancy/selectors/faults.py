"""Which faults were put into the lab and are in force. Without the Fault Lab nobody is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings

from redundancy import clock
from redundancy.models import Fault, FaultKind
from redundancy.srm.words import say

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
            return say("Heartbeats from {node} do not reach its peer.", node=str(fault.node))
        case FaultKind.DELAY:
            return say(
                "Heartbeats within {group} arrive {seconds:g} s late.",
                group=str(fault.group),
                seconds=fault.amount,
            )
        case FaultKind.LOSS:
            return say(
                "{percent:g} % of the heartbeats within {group} are lost.",
                percent=fault.amount,
                group=str(fault.group),
            )
        case FaultKind.MOVE if fault.amount == HELD:
            return say(
                "Session moves of {group} wait until they are released.", group=str(fault.group)
            )
        case FaultKind.MOVE:
            return say("The next session move of {group} fails.", group=str(fault.group))
        case FaultKind.START:
            return say("The next start of critical services on {node} fails.", node=str(fault.node))
        case _:
            until = clock.lab_datetime(fault.amount)
            return say(
                "Nobody looks at the nodes until {until} UTC (lab time).",
                until=f"{until:%Y-%m-%d %H:%M:%S}",
            )
