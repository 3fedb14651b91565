"""What goes into a step of SRM and what comes out. All values are frozen; times are seconds.

One clock is meant throughout: the one whose readings are handed to ``step`` as ``now``.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from redundancy.srm.states import Reason, State

if TYPE_CHECKING:
    # Checkers know this one, and judge names and types of the changes.
    from dataclasses import replace as replace
else:

    def replace(value, /, **changes):
        """Return ``value`` with these changes, as ``dataclasses.replace`` does but ten times as fast."""
        if type(value) is not Node:
            return dataclasses.replace(value, **changes)
        changed = object.__new__(Node)
        vars(changed).update(vars(value), **changes)
        return changed


class IllegalRequest(Exception):
    """An administrator's request that the present state does not offer. Nothing was changed.

    ``request`` is what was asked for; ``sentence`` says why not to the administrator.
    """

    def __init__(self, request: "Request", sentence: str) -> None:
        super().__init__(sentence)
        self.request = request
        self.sentence = sentence


class MoveKind(StrEnum):
    """Which way sessions move."""

    TAKE_OVER = "take over"
    HOME = "home"


class Request(StrEnum):
    """What an administrator can ask of a node."""

    FAILOVER = "failover"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Policy:
    """The parameters in force, all in seconds. Defaults are the vendor's.

    ``tick`` is how far apart the observer's own steps may ordinarily be; a gap longer than a
    heartbeat interval and two ticks means that the observer was not there.
    """

    heartbeat_interval: float = 15
    heartbeat_timeout: float = 60
    initialization_timeout: float = 120
    critical_service_delay: float = 90
    automatic_fallback: bool = False
    fallback_after: float = 1800
    tick: float = 1

    @property
    def parameters(self) -> dict[str, float]:
        """The service parameters among the fields, by their keys in the catalogue."""
        return {name: getattr(self, name) for name in _PARAMETERS}


_PARAMETERS = tuple(
    field.name
    for field in dataclasses.fields(Policy)
    if field.name not in {"fallback_after", "tick"}
)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What one SRM tells its peer, every interval and at once after a change.

    It carries the whole of the sender's situation, so a lost or repeated one loses nothing.
    ``hears``: the sender hears the node it is sending to. ``leaving``: the sender's node is being
    shut down or restarted, announced.
    """

    sender: str
    incarnation: int
    seq: int
    generation: int
    state: State
    reason: Reason
    epoch: int
    healthy: bool
    hears: bool
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one monitored service.

    ``up`` is None when the status cannot be read, which is not the same as down. ``since``: when
    the service took this status.
    """

    name: str
    up: bool | None
    since: float
    database: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A session move this node wants done; asked again until its outcome is known."""

    kind: MoveKind
    asked_at: float | None = None


# Without slots: a node is copied several times a step, and a dictionary is copied quickest.
@dataclass(frozen=True)
class Node:
    """Everything one SRM remembers.

    Of its peer it knows the last heartbeat and when it arrived, nothing else. ``first`` breaks ties
    between two equal nodes. ``holds``: this node knows that the sessions are its own after a
    takeover. ``starting_since``: SRM asked the critical services to start and waits for them.
    ``dazed``: the observer was away; the next tick judges nothing. ``settled_at``: since when it is
    in its state, less the time nobody looked. ``policy``: the parameters of its last step.
    ``suspects``: the peer's silence has reached its limit; the next tick judges it.
    ``handed_over``: it agreed that the peer takes its users. ``stopped``: the critical services that
    SRM itself stopped and nobody has started since. ``stop_asked_at``: when it asked for that; the
    next look at the services says which of them it stopped.
    """

    name: str
    peer_name: str
    first: bool
    state: State = State.UNKNOWN
    reason: Reason = Reason.HA_NOT_ENABLED
    since: float = 0
    serial: int = 0
    incarnation: int = 0
    generation: int = 0
    epoch: int = 0
    seq: int = 0
    peer: Heartbeat | None = None
    peer_at: float = 0
    listening_since: float = 0
    services: tuple[Reading, ...] = ()
    healthy_since: float | None = None
    started_at: float = 0
    next_heartbeat: float = 0
    stepped_at: float | None = None
    dazed: bool = False
    starting_since: float | None = None
    move: Move | None = None
    holds: bool = False
    leaving: bool = False
    settled_at: float = 0
    policy: Policy | None = None
    suspects: bool = False
    handed_over: bool = False
    stopped: tuple[str, ...] = ()
    stop_asked_at: float | None = None


# --- events: what can happen to a node ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Enabled:
    """HA was enabled on the group, or its SRMs are restarted to recover.

    ``generation`` counts these; heartbeats of another generation do not count.
    """

    generation: int
    incarnation: int
    epoch: int
    recover: bool = False


@dataclass(frozen=True, slots=True)
class Disabled:
    """HA was disabled on the group. ``readings``: the monitored services as they are now."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """SRM was started; its memory of before is kept. ``holder`` and ``epoch`` are the group's record."""

    incarnation: int
    epoch: int
    holder: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """A heartbeat arrived."""

    heartbeat: Heartbeat


@dataclass(frozen=True, slots=True)
class Asked:
    """An administrator asks for something."""

    request: Request


@dataclass(frozen=True, slots=True)
class Leaving:
    """The node is being shut down (or restarted) in an orderly way."""

    reboot: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """Sessions were moved; the group's epoch is now ``epoch``."""

    kind: MoveKind
    epoch: int


@dataclass(frozen=True, slots=True)
class MoveRefused:
    """Sessions were not moved: the group's epoch is newer. ``epoch`` and ``holder`` are its record."""

    kind: MoveKind
    epoch: int
    holder: str | None


@dataclass(frozen=True, slots=True)
class MoveFailed:
    """Sessions could not be moved; nothing was changed. ``epoch``: at which the move was asked for."""

    kind: MoveKind
    epoch: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; ``readings`` are the monitored services as they are now."""

    readings: tuple[Reading, ...]


Event = (
    Enabled | Disabled | Started | Heard | Asked | Leaving | Moved | MoveRefused | MoveFailed | Tick
)


# --- actions: what a node wants done -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendHeartbeat:
    """Send this to the peer."""

    heartbeat: Heartbeat


@dataclass(frozen=True, slots=True)
class MoveSessions:
    """Move sessions, provided the group's epoch still is ``epoch``.

    TAKE_OVER: all sessions of the group to this node. HOME: each to its assigned node.
    """

    kind: MoveKind
    epoch: int


@dataclass(frozen=True, slots=True)
class StartServices:
    """Start the critical services of this node."""


@dataclass(frozen=True, slots=True)
class StopServices:
    """Stop the critical services of this node."""


@dataclass(frozen=True, slots=True)
class RestartServices:
    """Restart the critical services of this node, all but the database; start those that are stopped."""


@dataclass(frozen=True, slots=True)
class StartAgain:
    """Start these services, which SRM had stopped, and what stopped with them."""

    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PowerDown:
    """The last heartbeat is sent; the node may go."""

    reboot: bool


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The state or its reason changed, and why. Exactly one for each change."""

    old_state: State
    old_reason: Reason
    new_state: State
    new_reason: Reason
    sentence: str
    epoch: int


Action = (
    SendHeartbeat
    | MoveSessions
    | StartServices
    | StopServices
    | RestartServices
    | StartAgain
    | PowerDown
    | StateChanged
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a step: the node after it, what to do, and when it wants to be called at the latest."""

    node: Node
    actions: tuple[Action, ...]
    wake: float
