"""The conditions on rows of the table, each with its words and its predicate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from redundancy.srm import facts
from redundancy.srm.states import AUTO_REASONS, BACKUP_MODES, FAILED_OVER_STATES, Reason, State
from redundancy.srm.types import Heartbeat, Node, Policy


class Situation(NamedTuple):
    """What a row is judged by. ``holder``: who holds the sessions, by the group's record; None: nobody."""

    node: Node
    now: float
    policy: Policy
    holder: str | None = None

    @property
    def peer(self) -> Heartbeat | None:
        """The last heartbeat of the peer; None while it is not heard."""
        return self.node.peer if facts.peer_heard(self.node, self.now, self.policy) else None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a row. ``words`` are how the documentation calls it."""

    words: str
    holds: Callable[[Situation], bool]


def _reason(said: Node | Heartbeat | None, reason: Reason) -> bool:
    return said is not None and said.reason is reason


def _admin(said: Node | Heartbeat | None) -> bool:
    return _reason(said, Reason.ON_ADMIN_REQUEST)


def _restarted(said: Node | Heartbeat | None) -> bool:
    return _reason(said, Reason.INITIALIZATION)


def _peer(judge: Callable[[Heartbeat], bool]) -> Callable[[Situation], bool]:
    """Return the predicate that the peer is heard, and what it says is judged true."""
    return lambda s: (peer := s.peer) is not None and judge(peer)


ALWAYS = Condition("", lambda _: True)

# The node itself.
HEALTHY = Condition("own services run", lambda s: facts.healthy(s.node))
SERVICES_DOWN = Condition(
    "own services down for the Critical Service Delay",
    lambda s: facts.longest_down(s.node, s.now, s.policy) is not None,
)
ADMIN = Condition("own reason is On Admin Request", lambda s: _admin(s.node))
AUTO_RECOVER = Condition("own reason is Auto Recover", lambda s: s.node.reason in AUTO_REASONS)
FIRST = Condition("this is node 1", lambda s: s.node.first)

# Its peer.
PEER_KNOWN = Condition("peer is heard", lambda s: s.peer is not None)
PEER_SILENT = Condition("peer is not heard", lambda s: s.peer is None)
PEER_FIT = Condition(
    "peer says Normal, and its services run",
    _peer(lambda peer: peer.state is State.NORMAL and peer.healthy),
)
PEER_ADMIN = Condition("peer's reason is On Admin Request", _peer(_admin))
PEER_UNKNOWN = Condition(
    "peer's reason is Unknown", _peer(lambda peer: peer.reason is Reason.UNKNOWN)
)
PEER_SERVES = Condition(
    "peer runs in backup mode and hears this node",
    _peer(lambda peer: peer.state in BACKUP_MODES and peer.hears),
)
# Of an Idle node SRM itself stopped the services: that they do not run says nothing.
PEER_CAN_SERVE = Condition(
    "peer is failed over and could serve",
    _peer(
        lambda peer: peer.state in FAILED_OVER_STATES and (peer.healthy or peer.state is State.IDLE)
    ),
)
PEER_CANNOT_SERVE = Condition(
    "peer is failed over and cannot serve",
    _peer(lambda peer: peer.state in FAILED_OVER_STATES - {State.IDLE} and not peer.healthy),
)

# Both.
BOTH_HEALTHY = Condition(
    "own and peer's services run, and the peer hears this node",
    lambda s: (
        facts.healthy(s.node) and (peer := s.peer) is not None and peer.healthy and peer.hears
    ),
)
PEER_UNFIT = Condition(
    "own services run, the peer's do not",
    lambda s: facts.healthy(s.node) and (peer := s.peer) is not None and not peer.healthy,
)
MAY_TAKE = Condition(
    "own services run, and the peer's do not or this is node 1",
    lambda s: (
        facts.healthy(s.node)
        and (peer := s.peer) is not None
        and (s.node.first or not peer.healthy)
    ),
)
GIVES_UP = Condition(
    "own reason is On Admin Request; the peer's is not, or this is node 2",
    lambda s: _admin(s.node) and not (_admin(s.peer) and s.node.first),
)
BY_FAULT = Condition(
    "neither reason is On Admin Request", lambda s: not (_admin(s.node) or _admin(s.peer))
)
YIELDS = Condition(
    "own SRM was restarted, the peer's was not",
    lambda s: _restarted(s.node) and s.peer is not None and not _restarted(s.peer),
)
EQUAL = Condition(
    "neither or both SRMs were restarted",
    lambda s: s.peer is not None and _restarted(s.node) == _restarted(s.peer),
)

# The group's record.
HOLDER = Condition(
    "the group's record names this node as holder", lambda s: s.holder == s.node.name
)
HOLDER_PEER = Condition(
    "the group's record names the peer as holder", lambda s: s.holder == s.node.peer_name
)
