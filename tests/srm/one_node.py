"""One node in any state, what one step makes of it, and the rules of what its peer says."""

from itertools import product
from typing import Any

from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.types import (
    Event,
    Heartbeat,
    MoveKind,
    Node,
    Policy,
    Reading,
    RestartServices,
    StartServices,
    StateChanged,
    StopServices,
    Tick,
)

S, R = State, Reason
PUB, SUB = "imp-pub", "imp-sub"
NOW = 10_000.0
POLICY = Policy()
ADMIN, INIT = R.ON_ADMIN_REQUEST, R.INITIALIZATION
# Reasons by which one sees whose of them a node took.
OWN, PEERS = R.START_FAILED, R.TAKE_BACK_FAILED
UP, DOWN = (True,), (False,)
ANY = (True, False)
# What a node becomes: its state, its reason, and what it starts, restarts, stops and moves.
Becomes = tuple[State, Reason, str] | None
BACKUPS = (S.BACKUP, S.BACKUP_ACTIVATED)
OVER = (S.IDLE, S.FAILED_OVER, S.FAILED_OVER_DOWN)


def services(router: float | None = None, database: float | None = None) -> tuple[Reading, ...]:
    """A router and a database; a number says for how many seconds it has been down."""
    return (
        Reading("A Cisco DB", database is None, NOW - (database or 5000), database=True),
        Reading("Cisco XCP Router", router is None, NOW - (router or 5000)),
    )


def beat(state: State, reason: Reason = PEERS, **more: Any) -> Heartbeat:
    values: dict[str, Any] = {
        "sender": SUB,
        "incarnation": 1,
        "seq": 7,
        "generation": 1,
        "epoch": 0,
        "healthy": True,
        "hears": True,
    }
    return Heartbeat(state=state, reason=reason, **values | more)


def node(state: State, reason: Reason = OWN, *, up: bool = True, **more: Any) -> Node:
    values: dict[str, Any] = {
        "first": True,
        "services": services(None if up else 5),
        "healthy_since": NOW - 5000 if up else None,
        "listening_since": NOW - 5,
        "settled_at": NOW - 5,
        "stepped_at": NOW - 1,
        "next_heartbeat": NOW + 5,
        "incarnation": 1,
        "generation": 1,
        "policy": POLICY,
    }
    return Node(PUB, SUB, state=state, reason=reason, **values | more)


def becomes(before: Node, event: Event, policy: Policy = POLICY) -> Becomes:
    """What one step makes of a node; None when it stays as it was."""
    outcome = step(before, event, NOW, policy)
    changes = [action for action in outcome.actions if isinstance(action, StateChanged)]
    does = ["start" for action in outcome.actions if isinstance(action, StartServices)]
    does += ["restart" for action in outcome.actions if isinstance(action, RestartServices)]
    does += ["stop" for action in outcome.actions if isinstance(action, StopServices)]
    after = outcome.node
    if not changes:
        assert (after.state, after.reason, does) == (before.state, before.reason, [])
        return None
    assert (changes[0].old_state, changes[0].old_reason) == (before.state, before.reason)
    assert (changes[-1].new_state, changes[-1].new_reason) == (after.state, after.reason)
    if after.move is not None:
        does.append({MoveKind.TAKE_OVER: "take", MoveKind.HOME: "home"}[after.move.kind])
    return after.state, after.reason, " ".join(does)


def tick(before: Node, policy: Policy = POLICY) -> Becomes:
    return becomes(before, Tick(before.services), policy)


# Own state, whether own services run, what the peer says, and what becomes of it.
HEARS: list[tuple[State, tuple[bool, ...], tuple[State, ...], Becomes]] = [
    (S.INITIALIZING, UP, (S.INITIALIZING, S.NORMAL), (S.NORMAL, R.NORMAL, "home")),
    (S.INITIALIZING, UP, (S.FAILING_OVER, *OVER, S.AFFECTED), (S.TAKING_OVER, PEERS, "take")),
    (S.INITIALIZING, UP, (S.TAKING_OVER, *BACKUPS), (S.FAILED_OVER, R.INITIALIZATION, "")),
    (S.INITIALIZING, DOWN, (S.TAKING_OVER, *BACKUPS), (S.FAILED_OVER_DOWN, R.INITIALIZATION, "")),
    (S.INITIALIZING, ANY, (S.TAKING_BACK,), (S.FALLING_BACK, PEERS, "")),
    (S.INITIALIZING, ANY, (S.FALLING_BACK,), (S.TAKING_BACK, R.INITIALIZATION, "start home")),
    (S.INITIALIZING, ANY, (S.FAILED,), (S.FAILED, R.UNKNOWN, "")),
    (S.NORMAL, ANY, (S.FAILING_OVER, *OVER, S.AFFECTED), (S.TAKING_OVER, PEERS, "take")),
    (S.NORMAL, ANY, (S.TAKING_OVER,), (S.FAILING_OVER, PEERS, "")),
    (S.NORMAL, UP, BACKUPS, (S.FAILED_OVER, PEERS, "")),
    (S.NORMAL, DOWN, BACKUPS, (S.FAILED_OVER_DOWN, PEERS, "")),
    (S.NORMAL, ANY, (S.TAKING_BACK,), (S.FALLING_BACK, PEERS, "")),
    (S.NORMAL, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
    (S.FAILING_OVER, UP, (*OVER, S.AFFECTED), (S.TAKING_OVER, PEERS, "take")),
    (S.FAILING_OVER, DOWN, OVER, (S.FAILED, OWN, "")),
    (S.FAILING_OVER, ANY, (S.FAILING_OVER,), (S.FAILED, OWN, "")),
    (S.FAILING_OVER, UP, BACKUPS, (S.FAILED_OVER, PEERS, "")),
    (S.FAILING_OVER, DOWN, BACKUPS, (S.FAILED_OVER_DOWN, PEERS, "")),
    (S.FAILING_OVER, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
    (S.TAKING_OVER, ANY, (S.TAKING_OVER, *BACKUPS), (S.FAILED, R.SPLIT_BRAIN, "")),
    (S.TAKING_OVER, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
    *(
        rule
        for own in BACKUPS
        for rule in (
            (own, ANY, (S.TAKING_OVER, *BACKUPS), (S.FAILED, R.SPLIT_BRAIN, "")),
            (own, ANY, (S.TAKING_BACK,), (S.FALLING_BACK, PEERS, "")),
            (own, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
        )
    ),
    (S.IDLE, ANY, (S.FAILING_OVER, *OVER, S.AFFECTED), (S.TAKING_OVER, PEERS, "start take")),
    (S.IDLE, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
    (S.FAILED_OVER, ANY, (S.FAILING_OVER, S.AFFECTED), (S.TAKING_OVER, PEERS, "take")),
    (S.FAILED_OVER, UP, OVER, (S.TAKING_OVER, PEERS, "take")),
    (S.FAILED_OVER, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
    (S.FAILED_OVER_DOWN, ANY, (S.FAILING_OVER, S.FAILED), (S.FAILED, PEERS, "")),
    (S.FAILED_OVER_DOWN, ANY, (S.AFFECTED,), (S.FAILED, R.CRITICAL_SERVICE_DOWN, "")),
    (S.TAKING_BACK, ANY, (S.AFFECTED,), (S.TAKING_OVER, PEERS, "start take")),
    (S.TAKING_BACK, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
    (S.FALLING_BACK, ANY, (S.NORMAL,), (S.NORMAL, R.NORMAL, "")),
    (S.FALLING_BACK, ANY, (S.FAILING_OVER, *OVER, S.AFFECTED), (S.TAKING_OVER, PEERS, "take")),
    (S.FALLING_BACK, UP, (S.TAKING_OVER, *BACKUPS), (S.FAILED_OVER, PEERS, "")),
    (S.FALLING_BACK, DOWN, (S.TAKING_OVER, *BACKUPS), (S.FAILED_OVER_DOWN, PEERS, "")),
    (S.FALLING_BACK, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
    (S.AFFECTED, UP, (S.FAILING_OVER, S.AFFECTED), (S.TAKING_OVER, PEERS, "take")),
    (S.AFFECTED, ANY, (S.FAILED,), (S.FAILED, PEERS, "")),
]
HEARD = {
    (own, up, said): then for own, ups, said_s, then in HEARS for up, said in product(ups, said_s)
}
