"""A fallback restarts the critical services; the users go home when these run again."""

from dataclasses import replace

import pytest

from redundancy.srm.simulator import DATABASE, ENGINE, MONITORED, ROUTER, Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.step import falls_back_at
from redundancy.srm.types import Policy, Request
from tests.srm.one_node import NOW, POLICY, PUB, SUB, S, beat, node

DIRECTORY = "Cisco XCP Directory Service"
ARCHIVER = "Cisco XCP Message Archiver"


def failed_over(policy: Policy | None = None) -> Simulator:
    """imp-pub was failed over for a stopped Presence Engine, which runs again."""
    sim = Simulator(policy or Policy(), users={PUB: 300, SUB: 200})
    for name in (PUB, SUB):
        watched = dict.fromkeys(MONITORED, True) | {ARCHIVER: True, DIRECTORY: False}
        sim.deploy(name, watched, in_router=frozenset({ARCHIVER, DIRECTORY}))
    sim.enable_ha()
    sim.run_for(60)
    sim.stop_service(PUB, ENGINE)
    sim.run_for(120)
    sim.start_service(PUB, ENGINE)
    sim.run_for(30)
    assert sim.state(PUB)[0] is State.FAILED_OVER
    return sim


def idle() -> Simulator:
    sim = Simulator(Policy(), users={PUB: 300, SUB: 200})
    for name in (PUB, SUB):
        watched = dict.fromkeys(MONITORED, True) | {ARCHIVER: True, DIRECTORY: False}
        sim.deploy(name, watched, in_router=frozenset({ARCHIVER, DIRECTORY}))
    sim.enable_ha()
    sim.run_for(60)
    assert sim.ask(PUB, Request.FAILOVER)
    sim.run_for(60)
    assert sim.state(PUB)[0] is State.IDLE
    return sim


def since(sim: Simulator, *names: str) -> list[float]:
    services = sim.machines[PUB].services
    assert all(services[name][0] for name in names)
    return [services[name][1] for name in names]


@pytest.mark.parametrize("state", ["Idle", "Failed Over"])
def test_a_manual_fallback_restarts_all_but_the_database(state: str) -> None:
    sim = idle() if state == "Idle" else failed_over()
    database = since(sim, DATABASE)
    asked_at = sim.now
    assert sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    assert (sim.state(PUB)[0], sim.state(SUB)[0]) == (State.NORMAL, State.NORMAL)
    assert since(sim, ROUTER, ENGINE, ARCHIVER, DIRECTORY) == [asked_at] * 4
    assert since(sim, DATABASE) == database
    assert (sim.sessions(PUB), sim.sessions(SUB)) == (300, 200)


def test_what_an_administrator_stopped_beside_the_router_stays_stopped() -> None:
    sim = failed_over()
    sim.stop_service(PUB, DIRECTORY)
    assert sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    assert sim.state(PUB)[0] is State.NORMAL
    assert not sim.machines[PUB].running(DIRECTORY)


def test_an_automatic_fallback_restarts_them_too() -> None:
    sim = failed_over(Policy(automatic_fallback=True))
    sim.run_for(1800)
    assert (sim.state(PUB)[0], sim.state(SUB)[0]) == (State.NORMAL, State.NORMAL)
    (begun,) = [e.at for e in sim.history if e.change.new_state is State.TAKING_BACK]
    assert since(sim, ROUTER, ENGINE, ARCHIVER) == [begun] * 3


def test_users_stay_where_they_are_served_until_the_services_run_again() -> None:
    sim = failed_over()
    sim.fail_next_start.add(PUB)
    assert sim.ask(PUB, Request.FALLBACK)
    sim.run_for(30)
    assert (sim.state(PUB)[0], sim.state(SUB)[0]) == (State.TAKING_BACK, State.FALLING_BACK)
    assert (sim.sessions(PUB), sim.sessions(SUB)) == (0, 500)
    assert sim.active(SUB) == sim.clients.active(PUB, sim.now) + sim.clients.active(SUB, sim.now)
    # An administrator is faster than the Critical Service Delay.
    for service in (ROUTER, ENGINE, ARCHIVER):
        sim.start_service(PUB, service)
    sim.run_for(5)
    assert (sim.state(PUB)[0], sim.state(SUB)[0]) == (State.NORMAL, State.NORMAL)
    assert (sim.sessions(PUB), sim.sessions(SUB)) == (300, 200)


def test_services_that_do_not_start_again_end_in_failed_mode() -> None:
    sim = failed_over()
    sim.fail_next_start.add(PUB)
    assert sim.ask(PUB, Request.FALLBACK)
    sim.run_for(89)
    assert sim.state(PUB)[0] is State.TAKING_BACK
    sim.run_for(2)
    assert sim.state(PUB) == (State.FAILED, Reason.START_FAILED)
    assert sim.state(SUB) == (State.FAILED, Reason.START_FAILED)


def test_what_the_restart_stopped_is_started_again_when_ha_is_disabled() -> None:
    sim = failed_over()
    sim.fail_next_start.add(PUB)
    assert sim.ask(PUB, Request.FALLBACK)
    sim.run_for(30)
    sim.disable_ha()
    sim.run_for(1)
    assert since(sim, ROUTER, ENGINE, ARCHIVER, DIRECTORY) == [sim.now - 1] * 4


def test_a_fallback_that_nobody_answers_leaves_the_services_running() -> None:
    sim = failed_over(Policy(automatic_fallback=True))
    begun = len(sim.history)
    sim.cut.add((PUB, SUB))
    sim.run_for(15)
    asked_at = sim.now
    assert sim.ask(PUB, Request.FALLBACK)
    sim.run_for(61)
    assert sim.state(PUB) == (State.FAILED_OVER, Reason.PEER_DOWN)
    assert since(sim, ROUTER, ENGINE, ARCHIVER) == [asked_at] * 3
    sim.cut.clear()
    # The 30 minutes begin where it is Failed Over again.
    sim.run_for(1790)
    assert sim.state(PUB)[0] is State.FAILED_OVER
    sim.run_for(30)
    assert sim.state(PUB)[0] is State.NORMAL
    own = [entry.change.new_state for entry in sim.history[begun:] if entry.node == PUB]
    assert own == [State.TAKING_BACK, State.FAILED_OVER, State.TAKING_BACK, State.NORMAL]


@pytest.mark.parametrize(
    ("healthy_for", "enabled", "said", "at"),
    [
        (1799, True, S.BACKUP, 1.0),
        (1800, True, S.BACKUP, 0.0),
        (5000, True, S.BACKUP, 0.0),
        (5000, False, S.BACKUP, None),
        # Who does not serve the users cannot give them back.
        (5000, True, S.NORMAL, None),
    ],
)
def test_when_a_node_will_fall_back_by_itself(
    healthy_for: float, enabled: bool, said: State, at: float | None
) -> None:
    since = NOW - healthy_for
    over = node(S.FAILED_OVER, peer=beat(said), peer_at=NOW, healthy_since=since, settled_at=since)
    policy = replace(POLICY, automatic_fallback=enabled)
    assert falls_back_at(over, NOW, policy) == (None if at is None else NOW + at)
    assert falls_back_at(replace(over, state=S.IDLE), NOW, policy) is None
