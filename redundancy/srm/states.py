"""The words of high availability: node states and their reasons.

Numbers are the values of ``tkhaserverstate`` in the vendor's published schema; the two states
without one there have none here.
"""

from enum import StrEnum

from redundancy.srm.words import mark


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

# The command line has shorter words for these states than the pages.
SHORT: dict[str, str] = {State.FAILED.value: "Failed", State.FAILING_OVER.value: "Failover"}

# --- sets of states ----------------------------------------------------------------------------

# A failover or a fallback is in progress, on the node itself or on its peer.
FAILOVER_IN_PROGRESS = frozenset({State.FAILING_OVER, State.TAKING_OVER})
FALLBACK_IN_PROGRESS = frozenset({State.TAKING_BACK, State.FALLING_BACK})
# States that pass by themselves.
TRANSITIONS = FAILOVER_IN_PROGRESS | FALLBACK_IN_PROGRESS | {State.INITIALIZING}

# A node in one of these serves its peer's users too; or it is about to, as well.
BACKUP_MODES = frozenset({State.BACKUP, State.BACKUP_ACTIVATED})
SERVING_FOR_PEER = BACKUP_MODES | {State.TAKING_OVER}
# A critical service that goes down on a node in one of these costs users their service.
SERVING = BACKUP_MODES | {State.NORMAL}

# A node in one of these may fall back by itself, once its services run.
AWAITING_FALLBACK = frozenset({State.FAILED_OVER, State.AFFECTED})
# The peer of a node in one of these serves its users.
FAILED_OVER_STATES = AWAITING_FALLBACK | {State.FAILED_OVER_DOWN, State.IDLE}
# No client is logged in at a node in one of these.
SERVES_NOBODY = FAILED_OVER_STATES | {State.FAILED}

# States that are no failover, nor a part of one.
CALM = frozenset({State.NORMAL, State.INITIALIZING, State.UNKNOWN})
# Some sessions of the pair are away from home, or are on their way.
AWAY = frozenset(State) - CALM - {State.FAILED}


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


# --- sets of reasons ---------------------------------------------------------------------------

AUTO_REASONS = frozenset({Reason.AUTO_RECOVER_SERVICE, Reason.AUTO_RECOVER_DATABASE})
# A node lost a critical service.
SERVICE_REASONS = AUTO_REASONS | {Reason.CRITICAL_SERVICE_DOWN, Reason.DATABASE_FAILURE}
# A node gave its users up before it went, so that nothing of theirs is lost.
GRACEFUL = frozenset({Reason.ON_ADMIN_REQUEST, Reason.PEER_REBOOT})
# A node was not heard, or said that it would not be.
SILENCE_REASONS = frozenset(
    {Reason.PEER_DOWN, Reason.PEER_REBOOT, Reason.PEER_DOWN_DURING_INITIALIZATION}
)
