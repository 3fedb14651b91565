"""The way of a heartbeat from one node to its peer, with the faults that were put on it."""

import random

from redundancy import bus
from redundancy.selectors.faults import Faults
from redundancy.srm.types import Heartbeat


def send(
    heartbeat: Heartbeat, *, sender: int, receiver: int, group: int, now: float, faults: Faults
) -> None:
    """Send ``heartbeat`` at ``now`` (lab seconds) from node to node, by their keys.

    A lost one is lost here, as on a wire: nobody learns of it but by not hearing it.
    """
    # Not a secret: chance decides which heartbeat gets lost.
    if sender in faults.cut or random.random() * 100 < faults.loss.get(group, 0):
        return
    delay = faults.delay.get(group, 0)
    if delay:
        bus.send_late(now + delay, sender, receiver, heartbeat)
    else:
        bus.send({receiver: heartbeat})
