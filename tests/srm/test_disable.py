"""HA is disabled: what SRM stopped runs again, what an administrator stopped does not."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from redundancy.srm.simulator import DATABASE, ENGINE, MONITORED, ROUTER, Simulator
from redundancy.srm.states import State
from redundancy.srm.types import Policy, Request

PUB, SUB = "imp-pub", "imp-sub"
DIRECTORY = "Cisco XCP Directory Service"
ARCHIVER = "Cisco XCP Message Archiver"


def normal() -> Simulator:
    sim = Simulator(Policy(), users={PUB: 300, SUB: 200})
    for name in (PUB, SUB):
        watched = dict.fromkeys(MONITORED, True) | {ARCHIVER: True, DIRECTORY: False}
        sim.deploy(name, watched, in_router=frozenset({ARCHIVER, DIRECTORY}))
    sim.enable_ha()
    sim.run_for(60)
    return sim


def failover(sim: Simulator) -> None:
    assert sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)


def failover_after_a_stop(sim: Simulator) -> None:
    sim.stop_service(PUB, ARCHIVER)
    sim.stop_service(PUB, DIRECTORY)
    sim.run_for(5)
    failover(sim)


def stop_and_failover_at_once(sim: Simulator) -> None:
    """SRM has not looked since the administrator stopped it."""
    sim.stop_service(PUB, ENGINE)
    sim.now += 0.1
    failover(sim)


def failover_and_start_and_stop(sim: Simulator) -> None:
    failover(sim)
    sim.start_service(PUB, ENGINE)
    sim.run_for(5)
    sim.stop_service(PUB, ENGINE)
    sim.run_for(5)


def failing_over(sim: Simulator) -> None:
    sim.hold_moves = True
    failover(sim)
    assert sim.state(PUB)[0] is State.FAILING_OVER


def failover_not_yet_looked_at(sim: Simulator) -> None:
    sim.ask(PUB, Request.FAILOVER)


def srm_restarted_at_once(sim: Simulator) -> None:
    sim.ask(PUB, Request.FAILOVER)
    sim.start_srm(PUB)


def not_yet_looked_at_after_a_stop(sim: Simulator) -> None:
    sim.stop_service(PUB, ENGINE)
    sim.now += 0.1
    sim.ask(PUB, Request.FAILOVER)


def taking_back(sim: Simulator) -> None:
    failover(sim)
    sim.hold_moves = True
    sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    assert sim.state(PUB)[0] is State.TAKING_BACK


def taking_back_and_nothing_starts(sim: Simulator) -> None:
    failover(sim)
    sim.fail_next_start.add(PUB)
    sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    assert sim.state(PUB)[0] is State.TAKING_BACK


def start_failed(sim: Simulator) -> None:
    taking_back_and_nothing_starts(sim)
    sim.run_for(120)
    assert sim.state(PUB)[0] is State.FAILED


def idle_after_a_reboot(sim: Simulator) -> None:
    failover(sim)
    sim.shut_down(PUB, reboot=True)
    sim.run_for(150)
    assert sim.state(PUB)[0] is State.IDLE
    assert not sim.machines[PUB].running(ROUTER)


def idle_after_an_srm_restart(sim: Simulator) -> None:
    failover(sim)
    sim.start_srm(PUB)
    sim.run_for(5)


def idle_with_its_srm_stopped(sim: Simulator) -> None:
    failover(sim)
    sim.stop_srm(PUB)
    sim.run_for(5)


def failed_over_by_a_dead_router(sim: Simulator) -> None:
    sim.stop_service(PUB, ROUTER)
    sim.run_for(100)


def idle_and_off(sim: Simulator) -> None:
    failover(sim)
    sim.power_off(PUB)
    sim.run_for(5)


def idle_and_the_start_fails(sim: Simulator) -> None:
    failover(sim)
    sim.fail_next_start.add(PUB)


ALL = {*MONITORED, ARCHIVER, DIRECTORY}


@dataclass(frozen=True)
class Case:
    prepare: Callable[[Simulator], None]
    stays_down: frozenset[str] = frozenset()


CASES = [
    Case(failover),
    Case(failover_after_a_stop, frozenset({ARCHIVER, DIRECTORY})),
    Case(stop_and_failover_at_once, frozenset({ENGINE})),
    Case(failover_and_start_and_stop, frozenset({ENGINE})),
    Case(failing_over),
    Case(failover_not_yet_looked_at),
    Case(srm_restarted_at_once),
    Case(not_yet_looked_at_after_a_stop, frozenset({ENGINE})),
    Case(taking_back),
    Case(taking_back_and_nothing_starts),
    Case(start_failed),
    Case(idle_after_a_reboot),
    Case(idle_after_an_srm_restart),
    Case(idle_with_its_srm_stopped),
    Case(failed_over_by_a_dead_router, frozenset({ROUTER, ARCHIVER, DIRECTORY})),
    Case(idle_and_off, frozenset(ALL)),
    Case(idle_and_the_start_fails, frozenset(ALL - {DATABASE})),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.prepare.__name__)
def test_disabling_starts_what_srm_stopped_and_nothing_else(case: Case) -> None:
    sim = normal()
    case.prepare(sim)
    sim.disable_ha()
    runs = {service for service in ALL if sim.machines[PUB].running(service)}
    assert ALL - runs == case.stays_down
    assert sim.sessions(PUB) == 300
    assert sim.nodes[PUB].stopped == ()
    assert all(sim.machines[SUB].running(service) for service in ALL)


def test_a_fallback_leaves_nothing_to_start_again() -> None:
    sim = normal()
    failover(sim)
    sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    assert sim.state(PUB)[0] is State.NORMAL
    sim.stop_service(PUB, ENGINE)
    sim.disable_ha()
    assert not sim.machines[PUB].running(ENGINE)
