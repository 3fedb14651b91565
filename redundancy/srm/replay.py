"""What a failover would have been under other limits: the same cause, replayed in virtual time. Pure.

What is assumed: both nodes were Normal; the cause came right after a heartbeat, and ended when it
really did; the heartbeats, the services and the moves take no time of their own; nobody else did
anything. Users of the failed node are without service from the cause on, until their clients have
logged in at the other node, evenly between the two re-login limits or those of push clients, or until
the cause has ended. Behind a cut link, and when an administrator asked, they are served until their
sessions move.
"""

from dataclasses import dataclass
from enum import StrEnum

from redundancy.srm.clients import PUSH_WAIT
from redundancy.srm.simulator import NODES, ROUTER, Simulator
from redundancy.srm.types import Policy, Request

# Seconds after which a healthy pair of the simulator is Normal, and quiet.
SETTLING = 120.0
# Seconds after the longest limit in which a failover would have come.
PATIENCE = 120.0


class Cause(StrEnum):
    """What a failover began with."""

    SERVICE = "service"
    POWER = "power"
    LINK = "link"
    REQUEST = "request"


# Causes under which users are served until their sessions are moved.
SERVED = frozenset({Cause.LINK, Cause.REQUEST})


@dataclass(frozen=True, slots=True)
class Outage:
    """What happened to a node that ``users`` were logged in at.

    ``service``: which one went down, of a SERVICE. ``lasted``: seconds until the cause had ended;
    None when it had not.
    """

    cause: Cause
    users: int
    lasted: float | None = None
    service: str = ROUTER


@dataclass(frozen=True, slots=True)
class Replayed:
    """What would have been; seconds after the cause.

    ``declared``: when the first node changed its state; ``moved``: when the sessions moved. Both None
    when nobody would have failed over. ``lost``: user-minutes without service; None when they would
    have gone on.
    """

    declared: float | None
    moved: float | None
    lost: float | None


def replay(outage: Outage, policy: Policy, lower: float, upper: float, push: int = 0) -> Replayed:
    """Return what ``outage`` would have led to under these parameters and re-login limits.

    ``push``: of the users, how many percent have push clients.
    """
    failed = _failed(outage)
    sim = Simulator(policy, users={failed: outage.users})
    if outage.service not in sim.machines[failed].services:
        sim.activate(failed, outage.service, watched=True)
    sim.enable_ha()
    sim.run_until(SETTLING)
    sim.run_until(sim.nodes[failed].next_heartbeat)
    began, changes = sim.now, len(sim.history)
    _break(sim, outage)
    longest = max(
        policy.heartbeat_timeout, policy.initialization_timeout, policy.critical_service_delay
    )
    until = began + longest + PATIENCE
    end = None if outage.lasted is None else began + outage.lasted
    if end is not None and end < until and not _moves(sim, failed, end):
        _mend(sim, outage)
    if not _moves(sim, failed, until):
        if outage.cause in SERVED:
            return Replayed(None, None, 0.0)
        lost = None if outage.lasted is None else outage.users * outage.lasted / 60
        return Replayed(None, None, lost)
    declared = next(entry.at - began for entry in sim.history[changes:])
    moved = sim.now - began
    unserved = 0.0 if outage.cause in SERVED else moved
    waited = (sum(PUSH_WAIT) * push + (lower + upper) * (100 - push)) / 200
    return Replayed(declared, moved, outage.users * (unserved + waited) / 60)


def _failed(outage: Outage) -> str:
    """Return the node whose users move: behind a cut link the first node takes the second one's."""
    return NODES[1] if outage.cause is Cause.LINK else NODES[0]


def _break(sim: Simulator, outage: Outage) -> None:
    failed = _failed(outage)
    match outage.cause:
        case Cause.SERVICE:
            sim.stop_service(failed, outage.service)
        case Cause.POWER:
            sim.power_off(failed)
        case Cause.LINK:
            sim.cut = {NODES, NODES[::-1]}
        case Cause.REQUEST:
            sim.ask(failed, Request.FAILOVER)


def _mend(sim: Simulator, outage: Outage) -> None:
    failed = _failed(outage)
    match outage.cause:
        case Cause.SERVICE:
            sim.start_service(failed, outage.service)
        case Cause.POWER:
            sim.power_on(failed)
        case Cause.LINK:
            sim.cut.clear()


def _moves(sim: Simulator, failed: str, until: float) -> bool:
    """Let time pass until the users of ``failed`` are moved, or ``until``; return whether they are."""
    while sim.location[failed] == failed and sim.run_next(until):
        pass
    return sim.location[failed] != failed
