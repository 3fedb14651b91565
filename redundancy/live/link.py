"""The way of heartbeats from nodes to their peers, with the faults that were put on it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from redundancy import bus
from redundancy.models import FaultKind
from redundancy.selectors.faults import Faults
from redundancy.srm.types import Heartbeat


@dataclass(frozen=True, slots=True)
class Letter:
    """A heartbeat on its way from node to node of ``group``, by their keys; sent at lab time ``now``."""

    heartbeat: Heartbeat
    sender: int
    receiver: int
    group: int
    now: float


def send_letters(letters: Iterable[Letter], faults: Faults) -> None:
    """Send all ``letters``.

    A lost one is lost here, as on a wire: nobody learns of it but by not hearing it.
    """
    arriving = {}
    for letter in letters:
        # No secret depends on this random number.
        lost = random.random() * 100 < faults[FaultKind.LOSS].get(letter.group, 0)
        if lost or letter.sender in faults[FaultKind.CUT]:
            continue
        delay = faults[FaultKind.DELAY].get(letter.group, 0)
        if delay:
            bus.send_late(letter.now + delay, letter.sender, letter.receiver, letter.heartbeat)
        else:
            arriving[letter.receiver] = letter.heartbeat
    bus.send(arriving)
