"""The way of heartbeats from nodes to their peers, with the faults that were put on it."""

import random
from collections.abc import Iterable
from typing import NamedTuple

from redundancy import bus
from redundancy.models import FaultKind
from redundancy.selectors.faults import Faults
from redundancy.shards import shard_of
from redundancy.srm.types import Heartbeat


class Letter(NamedTuple):
    """A heartbeat on its way from node to node of ``group``, by their keys; sent at lab time ``now``."""

    heartbeat: Heartbeat
    sender: int
    receiver: int
    group: int
    now: float


def send_letters(letters: Iterable[Letter], faults: Faults, shards: int = 1) -> None:
    """Send all ``letters``, each within its group's shard of so many.

    A lost one is lost here, as on a wire: nobody learns of it but by not hearing it.
    """
    arriving: dict[int, dict[int, Heartbeat]] = {}
    for letter in letters:
        # No secret depends on this random number.
        lost = random.random() * 100 < faults[FaultKind.LOSS].get(letter.group, 0)
        if lost or letter.sender in faults[FaultKind.CUT]:
            continue
        delay = faults[FaultKind.DELAY].get(letter.group, 0)
        shard = shard_of(letter.group, shards)
        if delay:
            due = letter.now + delay
            bus.send_late(due, letter.sender, letter.receiver, letter.heartbeat, shard)
        else:
            arriving.setdefault(shard, {})[letter.receiver] = letter.heartbeat
    for shard, heartbeats in arriving.items():
        bus.send(heartbeats, shard)
