"""Where rows of the table take a reason from that is not fixed, each with its words and its function."""

from collections.abc import Callable
from dataclasses import dataclass

from redundancy.srm import facts
from redundancy.srm.states import Reason
from redundancy.srm.when import Situation


@dataclass(frozen=True, slots=True)
class Source:
    """A reason that depends on the situation. ``words`` are how the documentation calls it."""

    words: str
    reason: Callable[[Situation], Reason]


def _by_service(database: Reason, other: Reason) -> Callable[[Situation], Reason]:
    """Return a function that chooses by the service that has been down longest."""

    def choose(s: Situation) -> Reason:
        worst = facts.longest_down(s.node, s.now, s.policy)
        return database if worst is not None and worst.database else other

    return choose


def _gone(s: Situation) -> Reason:
    if s.node.peer is None:
        return Reason.PEER_DOWN_DURING_INITIALIZATION
    return Reason.PEER_REBOOT if s.node.peer.leaving else Reason.PEER_DOWN


def _peers(s: Situation) -> Reason:
    assert s.node.peer is not None, "only a trigger of what the peer says takes its reason"
    return s.node.peer.reason


KEEP = Source("own, unchanged", lambda s: s.node.reason)
PEER = Source("the peer's", _peers)
GONE = Source("Peer Down, Peer Reboot or Peer Down During Initialization", _gone)
FAULT = Source(
    "Critical Service Down or Database Failure",
    _by_service(Reason.DATABASE_FAILURE, Reason.CRITICAL_SERVICE_DOWN),
)
AUTO = Source(
    "Auto Recover Critical Service Down or Auto Recover Database Failure",
    _by_service(Reason.AUTO_RECOVER_DATABASE, Reason.AUTO_RECOVER_SERVICE),
)
