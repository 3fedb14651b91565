"""The words of high availability: node states and their reasons.

Numbers are the values of ``tkhaserverstate`` in the vendor's published schema; the two states
without one there have none here.
"""

from enum import Enum, StrEnum

from redundancy.srm.words import mark


class Kind(Enum):
    """What sort of state this is: one that lasts, one that passes, one that failed."""

    STEADY = "steady"
    TRANSITION = "transition"


class State(StrEnum):
    """State of one node, as its own SRM sees it. The value is the vendor's name."""

    UNKNOWN = mark("Unknown")
    INITIALIZING = mark("Initializing")
    IDLE = mark("Idle")
    NORMAL = mark("Normal")
    BACKUP = mark("Running in Backup Mode")
    TAKING_OVER = mark("Taking Over")
    TAKING_BACK = mark("Taking Back")
    FAILING_OVER = mark("Failing Over")
    FAILED_OVER = mark("Failed Over")
    FAILED_OVER_DOWN = mark("Failed Over with Critical Services not Running")
    FALLING_BACK = mark("Falling Back")
    FAILED = mark("Running in Failed Mode")
    BACKUP_ACTIVATED = mark("Backup Activated")
    AFFECTED = mark("Failover Affected Services")


# Never a node's own state: what the administration shows of a node whose SRM does not report.
NOT_RESPONDING = mark("Cisco Server Recovery Manager Not Responding")

NUMBERS: dict[State, int] = {
    State.UNKNOWN: 0,
    State.INITIALIZING: 1,
    State.IDLE: 2,
    State.NORMAL: 3,
    State.BACKUP: 4,
    State.TAKING_OVER: 5,
    State.TAKING_BACK: 6,
    State.FAILING_OVER: 7,
    State.FAILED_OVER: 8,
    State.FAILED_OVER_DOWN: 9,
    State.FALLING_BACK: 10,
    State.FAILED: 11,
}

TRANSITIONS: frozenset[State] = frozenset(
    {
        State.INITIALIZING,
        State.TAKING_OVER,
        State.TAKING_BACK,
        State.FAILING_OVER,
        State.FALLING_BACK,
    }
)

# A node in one of these serves, or is about to serve, its peer's users too.
SERVING_FOR_PEER: frozenset[State] = frozenset(
    {State.TAKING_OVER, State.BACKUP, State.BACKUP_ACTIVATED}
)

# A node in one of these serves nobody.
NOT_SERVING: frozenset[State] = frozenset(
    {State.IDLE, State.FAILED_OVER, State.FAILED_OVER_DOWN, State.AFFECTED}
)

# No client is logged in at a node in one of these.
SERVES_NOBODY: frozenset[State] = NOT_SERVING | {State.FAILED}


def kind(state: State) -> Kind:
    """Return whether ``state`` lasts or passes."""
    return Kind.TRANSITION if state in TRANSITIONS else Kind.STEADY


class Reason(StrEnum):
    """Why a node is in its state. The value is the vendor's name."""

    UNKNOWN = mark("Unknown")
    NORMAL = mark("Normal")
    ON_ADMIN_REQUEST = mark("On Admin Request")
    CRITICAL_SERVICE_DOWN = mark("Critical Service Down")
    DATABASE_FAILURE = mark("Database Failure")
    PEER_DOWN = mark("Peer Down")
    PEER_REBOOT = mark("Peer Reboot")
    TAKE_OVER_FAILED = mark("Cisco Server Recovery Manager Take Over Users Failed")
    TAKE_BACK_FAILED = mark("Cisco Server Recovery Manager Take Back Users Failed")
    INITIALIZATION = mark("Initialization")
    HA_NOT_ENABLED = mark("High Availability Not Enabled")
    START_FAILED = mark("Start of Critical Services Failed")
    PEER_DOWN_DURING_INITIALIZATION = mark("Peer Down During Initialization")
    SPLIT_BRAIN = mark("Split Brain")
    AUTO_RECOVER_SERVICE = mark("Auto Recover Critical Service Down")
    AUTO_RECOVER_DATABASE = mark("Auto Recover Database Failure")
    AUTOMATIC_FALLBACK = mark("Automatic Fallback")
