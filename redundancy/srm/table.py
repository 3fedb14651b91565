"""The transitions of one node, as data.

Rules for making changes here:

1. A row is own state, trigger, condition → new state, reason, actions, sentence. Only ``step`` reads
   it. What a condition means is in ``when``, where a reason comes from that is not fixed in ``take``.
2. A trigger is a fact the node can know by itself: what its peer last said, how long it has been
   silent, its own services, an administrator's request, the outcome of an action. Never the
   peer's true state.
3. Rows are tried in the order written; the first whose ``when`` holds is taken. No row: nothing
   happens, except for an administrator's request, which is then refused.
4. What the peer said is level-triggered: the row is tried at every step, not once per message.
   So a row must lead to a state in which it does not fire again.
5. A node that hears its peer serve for it yields. Two that both took over do not argue: both
   stop in failed mode, and an administrator decides.
6. A restarted SRM keeps the role it had (Idle, backup, taking over, falling back) if the group's
   record of who holds the sessions agrees; only its reason becomes Initialization. One that was
   taking back goes on only if its peer still gives the users back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from redundancy.srm import facts, take, when
from redundancy.srm.states import Reason, State
from redundancy.srm.take import Source
from redundancy.srm.types import Node, Policy, Request
from redundancy.srm.when import ALWAYS, Condition


class Trigger(StrEnum):
    """A fact that may change a node's state. The value is how the documentation calls it."""

    STARTED = "SRM started"
    ASKED_FAILOVER = "administrator asks for Failover"
    ASKED_FALLBACK = "administrator asks for Fallback"
    PEER_GONE = "peer silent, or announced its shutdown"
    PEER_INITIALIZING = "peer says Initializing"
    PEER_NORMAL = "peer says Normal"
    PEER_FAILING_OVER = "peer says Failing Over"
    PEER_TAKING_OVER = "peer says Taking Over"
    PEER_BACKUP = "peer says Running in Backup Mode or Backup Activated"
    PEER_TAKING_BACK = "peer says Taking Back"
    PEER_FALLING_BACK = "peer says Falling Back"
    PEER_FAILED_OVER = "peer says Idle or Failed Over"
    PEER_AFFECTED = "peer says Failover Affected Services"
    PEER_FAILED = "peer says Running in Failed Mode"
    SERVICES_DOWN = "a critical service down for the Critical Service Delay"
    UNHEALTHY = "a critical service not running"
    HEALTHY = "all critical services running"
    HEALTHY_LONG = "healthy for 30 unbroken minutes, automatic fallback enabled"
    START_FAILED = "critical services did not start in time"
    UNANSWERED = "peer does not give the users back"
    UNHEARD = "peer did not hear this node within the initialization timeout"
    MOVED = "sessions moved"
    MOVE_REFUSED = "move refused: the peer holds the sessions"
    MOVE_FAILED = "move failed"


# What the peer says, by the state in its heartbeat.
PEER_SAYS: dict[State, Trigger] = {
    State.INITIALIZING: Trigger.PEER_INITIALIZING,
    State.NORMAL: Trigger.PEER_NORMAL,
    State.FAILING_OVER: Trigger.PEER_FAILING_OVER,
    State.TAKING_OVER: Trigger.PEER_TAKING_OVER,
    State.BACKUP: Trigger.PEER_BACKUP,
    State.BACKUP_ACTIVATED: Trigger.PEER_BACKUP,
    State.TAKING_BACK: Trigger.PEER_TAKING_BACK,
    State.FALLING_BACK: Trigger.PEER_FALLING_BACK,
    State.IDLE: Trigger.PEER_FAILED_OVER,
    State.FAILED_OVER: Trigger.PEER_FAILED_OVER,
    State.FAILED_OVER_DOWN: Trigger.PEER_FAILED_OVER,
    State.AFFECTED: Trigger.PEER_AFFECTED,
    State.FAILED: Trigger.PEER_FAILED,
}
# What an administrator asks for.
ASKED: dict[Request, Trigger] = {
    Request.FAILOVER: Trigger.ASKED_FAILOVER,
    Request.FALLBACK: Trigger.ASKED_FALLBACK,
}
# What a look at the services and the clock tells, weightiest first.
JUDGED: dict[Trigger, Callable[[Node, float, Policy], bool]] = {
    Trigger.START_FAILED: facts.start_failed,
    Trigger.SERVICES_DOWN: lambda *seen: facts.longest_down(*seen) is not None,
    Trigger.UNHEALTHY: lambda node, *_: not facts.healthy(node),
    Trigger.HEALTHY: lambda node, *_: facts.healthy(node),
    Trigger.UNHEARD: facts.unheard,
    Trigger.UNANSWERED: facts.unanswered,
    Trigger.HEALTHY_LONG: facts.may_fall_back_by_itself,
}


class Do(StrEnum):
    """What to do on entering the state."""

    START = "start critical services"
    STOP = "stop critical services"
    RESTART = "restart critical services"
    TAKE = "take all sessions"
    HOME = "send sessions home"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: where to go, why, and what to do. ``why`` is the template of a sentence; ``sentences.fill`` knows its fields."""

    to: State
    reason: Reason | Source
    why: str
    when: Condition = ALWAYS
    do: tuple[Do, ...] = ()


Row = tuple[Rule, ...]
S, R, T = State, Reason, Trigger

_YIELD_INITIALIZING: Row = (
    Rule(S.IDLE, R.INITIALIZATION, "{peer} serves the users since the manual failover.", when.PEER_ADMIN, (Do.STOP,)),
    Rule(S.FAILED_OVER, R.INITIALIZATION, "{peer} already serves the users.", when.HEALTHY),
    Rule(S.FAILED_OVER_DOWN, R.INITIALIZATION, "{peer} already serves the users; here {down} {are} not running."),
)  # fmt: skip
_YIELD: Row = (
    Rule(S.IDLE, R.ON_ADMIN_REQUEST, "{peer} serves the users; the manual failover is complete.", when.ADMIN),
    Rule(S.FAILED_OVER, take.PEER, "{peer} serves the users.", when.HEALTHY),
    Rule(S.FAILED_OVER_DOWN, take.PEER, "{peer} serves the users; here {down} {are} not running."),
)  # fmt: skip
_YIELD_SETTLED: Row = _YIELD[1:]
_BOTH_TOOK_OVER: Row = (
    Rule(S.INITIALIZING, R.INITIALIZATION, "{peer} serves; this SRM was restarted and yields.", when.YIELDS),
    Rule(S.FAILED, R.SPLIT_BRAIN, "Both nodes took over from each other.", when.EQUAL),
)  # fmt: skip
_PEER_FAILED: Row = (Rule(S.FAILED, take.PEER, "{peer} runs in failed mode."),)
_TAKE: Row = (Rule(S.TAKING_OVER, take.PEER, "{peer} does not serve its users.", do=(Do.TAKE,)),)
_TAKE_HEALTHY: Row = (
    Rule(S.TAKING_OVER, take.PEER, "{peer} does not serve its users.", when.HEALTHY, (Do.TAKE,)),
)
_TAKE_STARTING: Row = (
    Rule(S.TAKING_OVER, take.PEER, "{peer} does not serve its users.", do=(Do.START, Do.TAKE)),
)
_GONE: Row = (Rule(S.TAKING_OVER, take.GONE, "{gone}.", do=(Do.TAKE,)),)
_GONE_HEALTHY: Row = (Rule(S.TAKING_OVER, take.GONE, "{gone}.", when.HEALTHY, (Do.TAKE,)),)
_GONE_STARTING: Row = (Rule(S.TAKING_OVER, take.GONE, "{gone}.", do=(Do.START, Do.TAKE)),)
_INITIALIZE: Row = (Rule(S.INITIALIZING, R.INITIALIZATION, "SRM was started."),)
_BOTH_NORMAL: Row = (
    Rule(S.NORMAL, R.NORMAL, "Both nodes are reachable and their critical services run.", when.BOTH_HEALTHY, (Do.HOME,)),
)  # fmt: skip
_GIVE_BACK: Row = (Rule(S.FALLING_BACK, take.PEER, "{peer} is taking its users back."),)
_NOT_STARTED: Row = (Rule(S.FAILED, R.START_FAILED, "{down} did not start within {down_limit}."),)
_FALLBACK: Row = (
    Rule(S.TAKING_BACK, R.ON_ADMIN_REQUEST, "An administrator asked for Fallback.", when.PEER_SERVES, (Do.RESTART, Do.HOME)),
)  # fmt: skip
_FALLBACK_BY_ITSELF: Row = (
    Rule(
        S.TAKING_BACK, R.AUTOMATIC_FALLBACK,
        "Healthy for {healthy} without a break, and automatic fallback is enabled.",
        when.PEER_SERVES, (Do.RESTART, Do.HOME),
    ),
)  # fmt: skip
_LOST_ON_BACKUP: Row = (
    Rule(S.AFFECTED, take.AUTO, "{overdue} {were} down for {down_for}; {peer} could serve.", when.PEER_CAN_SERVE),
    Rule(S.FAILED, take.FAULT, "{overdue} {were} down for {down_for}, and {peer} could not serve.", when.PEER_CANNOT_SERVE),
)  # fmt: skip

_IN_BACKUP: dict[Trigger, Row] = {
    T.PEER_TAKING_OVER: _BOTH_TOOK_OVER,
    T.PEER_BACKUP: _BOTH_TOOK_OVER,
    T.PEER_TAKING_BACK: _GIVE_BACK,
    T.PEER_FAILED: _PEER_FAILED,
    T.SERVICES_DOWN: _LOST_ON_BACKUP,
}

TABLE: dict[State, dict[Trigger, Row]] = {
    S.UNKNOWN: {},
    S.INITIALIZING: {
        T.STARTED: _INITIALIZE,
        T.PEER_GONE: _GONE_HEALTHY,
        T.PEER_INITIALIZING: _BOTH_NORMAL,
        T.PEER_NORMAL: _BOTH_NORMAL,
        T.PEER_FAILING_OVER: (
            *_TAKE_HEALTHY,
            Rule(S.FAILED, take.FAULT, "Critical services are down on both nodes.", when.SERVICES_DOWN),
        ),
        T.PEER_TAKING_OVER: _YIELD_INITIALIZING,
        T.PEER_BACKUP: _YIELD_INITIALIZING,
        T.PEER_TAKING_BACK: _GIVE_BACK,
        T.PEER_FALLING_BACK: (
            Rule(S.TAKING_BACK, R.INITIALIZATION, "{peer} is giving the users back.", do=(Do.START, Do.HOME)),
        ),
        T.PEER_FAILED_OVER: _TAKE_HEALTHY,
        T.PEER_AFFECTED: _TAKE_HEALTHY,
        T.PEER_FAILED: (Rule(S.FAILED, R.UNKNOWN, "SRM was started while {peer} ran in failed mode."),),
        T.SERVICES_DOWN: (
            Rule(S.FAILING_OVER, take.FAULT, "{overdue} {were} down for {down_for} (limit {down_limit}).", when.PEER_KNOWN),
        ),
        T.UNHEARD: (
            Rule(
                S.TAKING_OVER, R.PEER_DOWN_DURING_INITIALIZATION,
                "{peer} has not heard this node for {unheard}, and its critical services do not run.",
                when.PEER_UNFIT, (Do.TAKE,),
            ),
        ),
    },
    S.NORMAL: {
        T.STARTED: _INITIALIZE,
        T.ASKED_FAILOVER: (
            Rule(S.FAILING_OVER, R.ON_ADMIN_REQUEST, "An administrator asked for Failover.", when.PEER_FIT, (Do.STOP,)),
        ),
        T.PEER_GONE: _GONE_HEALTHY,
        T.PEER_FAILING_OVER: (
            Rule(S.TAKING_OVER, take.PEER, "{peer} is failing over.", do=(Do.TAKE,)),
        ),
        T.PEER_TAKING_OVER: (
            Rule(S.FAILING_OVER, take.PEER, "{peer} is taking the users over."),
        ),
        T.PEER_BACKUP: _YIELD,
        T.PEER_TAKING_BACK: _GIVE_BACK,
        T.PEER_FAILED_OVER: _TAKE,
        T.PEER_AFFECTED: _TAKE,
        T.PEER_FAILED: _PEER_FAILED,
        T.SERVICES_DOWN: (
            Rule(S.FAILING_OVER, take.FAULT, "{overdue} {were} down for {down_for} (limit {down_limit})."),
        ),
    },
    S.FAILING_OVER: {
        T.STARTED: _INITIALIZE,
        T.PEER_GONE: (
            Rule(S.TAKING_OVER, take.GONE, "{gone}.", when.ADMIN, (Do.START, Do.TAKE)),
            *_GONE_HEALTHY,
        ),
        T.PEER_FAILING_OVER: (
            Rule(S.NORMAL, R.NORMAL, "{peer} is failing over too; the manual failover is given up.", when.GIVES_UP, (Do.START,)),
            Rule(S.FAILED, take.KEEP, "Both nodes are failing over.", when.BY_FAULT),
        ),
        T.PEER_BACKUP: _YIELD,
        T.PEER_FAILED_OVER: (
            *_TAKE_HEALTHY,
            Rule(S.FAILED, take.KEEP, "Neither node can serve."),
        ),
        T.PEER_AFFECTED: _TAKE_HEALTHY,
        T.PEER_FAILED: _PEER_FAILED,
    },
    S.TAKING_OVER: {
        T.STARTED: (
            Rule(S.INITIALIZING, R.INITIALIZATION, "SRM was started; {peer} holds the sessions.", when.HOLDER_PEER),
            Rule(S.TAKING_OVER, R.INITIALIZATION, "SRM was started while taking over, and goes on.", do=(Do.START, Do.TAKE)),
        ),
        T.PEER_TAKING_OVER: _BOTH_TOOK_OVER,
        T.PEER_BACKUP: _BOTH_TOOK_OVER,
        T.PEER_FAILED: _PEER_FAILED,
        T.START_FAILED: _NOT_STARTED,
        T.MOVED: (
            Rule(S.BACKUP_ACTIVATED, take.KEEP, "The sessions of all users are here.", when.AUTO_RECOVER),
            Rule(S.BACKUP, take.KEEP, "The sessions of all users are here."),
        ),
        T.MOVE_REFUSED: (
            Rule(S.BACKUP, take.KEEP, "The users could not be taken: {peer} holds them.", when.PEER_SILENT),
        ),
        T.MOVE_FAILED: (Rule(S.FAILED, R.TAKE_OVER_FAILED, "Moving the users failed."),),
    },
    S.BACKUP: {
        T.STARTED: (
            Rule(S.BACKUP, R.INITIALIZATION, "SRM was started; this node holds the sessions.", when.HOLDER),
            *_INITIALIZE,
        ),
        **_IN_BACKUP,
    },
    S.IDLE: {
        T.STARTED: (
            Rule(S.IDLE, R.INITIALIZATION, "SRM was started; the manual failover stands.", when.HOLDER_PEER, (Do.STOP,)),
            *_INITIALIZE,
        ),
        T.ASKED_FALLBACK: _FALLBACK,
        T.PEER_GONE: _GONE_STARTING,
        T.PEER_FAILING_OVER: _TAKE_STARTING,
        T.PEER_FAILED_OVER: (
            Rule(S.TAKING_OVER, take.PEER, "{peer} does not serve its users.", when.FIRST, (Do.START, Do.TAKE)),
        ),
        T.PEER_AFFECTED: _TAKE_STARTING,
        T.PEER_FAILED: _PEER_FAILED,
    },
    S.FAILED_OVER: {
        T.STARTED: _INITIALIZE,
        T.ASKED_FALLBACK: _FALLBACK,
        T.PEER_GONE: _GONE,
        T.PEER_FAILING_OVER: _TAKE,
        T.PEER_FAILED_OVER: (
            Rule(S.TAKING_OVER, take.PEER, "{peer} does not serve its users.", when.MAY_TAKE, (Do.TAKE,)),
        ),
        T.PEER_AFFECTED: _TAKE,
        T.PEER_FAILED: _PEER_FAILED,
        T.UNHEALTHY: (
            Rule(S.FAILED_OVER_DOWN, take.KEEP, "{down} {are} not running."),
        ),
        T.HEALTHY_LONG: _FALLBACK_BY_ITSELF,
    },
    S.FAILED_OVER_DOWN: {
        T.STARTED: _INITIALIZE,
        T.PEER_FAILING_OVER: (Rule(S.FAILED, take.PEER, "Neither node can serve."),),
        T.PEER_AFFECTED: (
            Rule(S.FAILED, R.CRITICAL_SERVICE_DOWN, "{peer} lost its services, and here {down} {are} not running."),
        ),
        T.PEER_FAILED: _PEER_FAILED,
        T.HEALTHY: (Rule(S.FAILED_OVER, take.KEEP, "All critical services run again."),),
    },
    S.TAKING_BACK: {
        T.STARTED: _INITIALIZE,
        T.PEER_GONE: (
            Rule(S.TAKING_OVER, take.GONE, "{gone}.", do=(Do.START, Do.TAKE)),
        ),
        T.PEER_AFFECTED: _TAKE_STARTING,
        T.PEER_FAILED: _PEER_FAILED,
        T.START_FAILED: _NOT_STARTED,
        T.UNANSWERED: (
            Rule(S.FAILED_OVER, R.PEER_DOWN, "{peer} did not answer the fallback; it may not hear this node."),
        ),
        T.MOVED: (Rule(S.NORMAL, R.NORMAL, "The users are home again."),),
        T.MOVE_FAILED: (Rule(S.FAILED, R.TAKE_BACK_FAILED, "Moving the users home failed."),),
    },
    S.FALLING_BACK: {
        T.STARTED: (
            Rule(S.FALLING_BACK, R.INITIALIZATION, "SRM was started while falling back, and goes on."),
        ),
        T.PEER_GONE: _GONE,
        T.PEER_NORMAL: (Rule(S.NORMAL, R.NORMAL, "{peer} serves its users again."),),
        T.PEER_FAILING_OVER: _TAKE,
        T.PEER_TAKING_OVER: _YIELD_SETTLED,
        T.PEER_BACKUP: _YIELD_SETTLED,
        T.PEER_FAILED_OVER: _TAKE,
        T.PEER_AFFECTED: _TAKE,
        T.PEER_FAILED: _PEER_FAILED,
    },
    S.FAILED: {
        T.STARTED: _INITIALIZE,
        T.PEER_FAILED: (Rule(S.FAILED, R.UNKNOWN, "SRM of {peer} was restarted.", when.PEER_UNKNOWN),),
    },
    S.BACKUP_ACTIVATED: {
        T.STARTED: (
            Rule(S.BACKUP_ACTIVATED, R.INITIALIZATION, "SRM was started; this node holds the sessions.", when.HOLDER),
            *_INITIALIZE,
        ),
        **_IN_BACKUP,
    },
    S.AFFECTED: {
        T.STARTED: _INITIALIZE,
        T.ASKED_FALLBACK: _FALLBACK,
        T.PEER_GONE: _GONE_HEALTHY,
        T.PEER_FAILING_OVER: _TAKE_HEALTHY,
        T.PEER_AFFECTED: (
            Rule(S.TAKING_OVER, take.PEER, "{peer} does not serve its users.", when.MAY_TAKE, (Do.TAKE,)),
        ),
        T.PEER_FAILED: _PEER_FAILED,
        T.HEALTHY_LONG: _FALLBACK_BY_ITSELF,
    },
}  # fmt: skip
