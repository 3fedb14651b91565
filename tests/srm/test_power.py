"""The services and the power of a node in virtual time."""

from dataclasses import replace

from redundancy.srm.machine import REBOOT_SECONDS
from redundancy.srm.simulator import DATABASE, ENGINE, MONITORED, NODES, ROUTER, Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Policy, Reading, Request

PUB, SUB = NODES
S = State
ARCHIVER, DIRECTORY = "Cisco XCP Message Archiver", "Cisco XCP Directory Service"


def normal(**policy: float) -> Simulator:
    sim = Simulator(replace(Policy(), **policy), users={PUB: 300, SUB: 200})  # type: ignore[arg-type]
    for name in NODES:
        watched = dict.fromkeys(MONITORED, True) | {ARCHIVER: True, DIRECTORY: False}
        sim.deploy(name, watched, in_router=frozenset({ARCHIVER, DIRECTORY}))
    sim.enable_ha()
    sim.run_until(60)
    return sim


def state(sim: Simulator) -> tuple[State, State]:
    return sim.state(PUB)[0], sim.state(SUB)[0]


def running(sim: Simulator) -> set[str]:
    machine = sim.machines[PUB]
    return {name for name in machine.services if machine.running(name)}


ALL = {*MONITORED, ARCHIVER, DIRECTORY}


def test_a_new_pair_runs_and_has_no_ha() -> None:
    sim = Simulator()
    assert (sim.now, sim.ha_enabled, sim.epoch, sim.holder) == (0, False, 0, None)
    assert state(sim) == (S.UNKNOWN, S.UNKNOWN)
    assert sim.users == {PUB: 0, SUB: 0}
    for machine in sim.machines.values():
        assert machine.steps
        assert machine.srm_since == 0
        assert machine.readings() == tuple(
            Reading(name, True, 0.0, database=name == DATABASE) for name in MONITORED
        )
    sim.run_until(1000)
    assert (sim.now, sim.history) == (1000, [])


def test_an_srm_sees_what_it_watches() -> None:
    names = [reading.name for reading in normal().machines[PUB].readings()]
    assert names == [*MONITORED, ARCHIVER]


def test_with_the_router_stops_what_is_in_it_and_nothing_else() -> None:
    sim = normal()
    sim.stop_service(PUB, ENGINE)
    assert running(sim) == ALL - {ENGINE}
    sim.run_for(5)
    sim.stop_service(PUB, ROUTER)
    assert running(sim) == {DATABASE}
    down = {reading.name: reading.since for reading in sim.machines[PUB].readings()}
    assert down == {DATABASE: 0, ENGINE: 60, ROUTER: 65, ARCHIVER: 65}
    # What is down already, or runs already, is not touched.
    sim.run_for(5)
    sim.stop_service(PUB, ROUTER)
    sim.start_service(PUB, DATABASE)
    assert {r.name: r.since for r in sim.machines[PUB].readings()} == down
    assert running(sim) == {DATABASE}
    sim.start_service(PUB, "no such service")
    assert not sim.machines[PUB].running("no such service")


def test_a_restart_takes_with_it_what_ran_in_the_router() -> None:
    sim = normal()
    sim.stop_service(PUB, DIRECTORY)
    sim.run_for(5)
    sim.restart_service(PUB, ROUTER)
    assert running(sim) == ALL - {DIRECTORY}
    since = {reading.name: reading.since for reading in sim.machines[PUB].readings()}
    assert since == {DATABASE: 0, ENGINE: 0, ROUTER: 65, ARCHIVER: 65}
    sim.restart_service(PUB, ENGINE)
    assert running(sim) == ALL - {DIRECTORY}


def test_a_service_is_activated_and_deactivated() -> None:
    sim = normal()
    sim.deactivate(PUB, ARCHIVER)
    assert running(sim) == ALL - {ARCHIVER}
    assert ARCHIVER not in [reading.name for reading in sim.machines[PUB].readings()]
    sim.stop_service(PUB, ROUTER)
    # In a router that is down it cannot run; elsewhere it can.
    sim.activate(PUB, ARCHIVER, watched=True)
    sim.activate(PUB, "Cisco AXL Web Service", watched=False)
    sim.run_for(1)
    assert running(sim) == {DATABASE, ENGINE, "Cisco AXL Web Service"}
    readings = {reading.name: reading.up for reading in sim.nodes[PUB].services}
    assert readings == {DATABASE: True, ENGINE: True, ROUTER: False, ARCHIVER: False}
    # One that is activated already stays as it is.
    sim.activate(PUB, ENGINE, watched=True)
    assert sim.machines[PUB].services[ENGINE] == (True, 0)
    sim.start_service(PUB, ROUTER)
    sim.deactivate(PUB, ARCHIVER)
    sim.activate(PUB, ARCHIVER, watched=True)
    assert sim.machines[PUB].services[ARCHIVER] == (True, 61)
    sim.power_off(PUB)
    sim.activate(PUB, "another", watched=True)
    assert not sim.machines[PUB].running("another")


def test_what_srm_starts_comes_with_what_is_in_the_router() -> None:
    sim = normal()
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    assert running(sim) == {DATABASE}
    sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    assert running(sim) == ALL
    assert state(sim) == (S.NORMAL, S.NORMAL)


def test_a_start_that_shall_fail_fails_once() -> None:
    sim = normal()
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    sim.fail_next_start.add(PUB)
    sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    assert (running(sim), sim.fail_next_start) == ({DATABASE}, set())
    sim.run_for(95)
    sim.recover()
    assert running(sim) == {DATABASE}
    sim.run_for(5)
    assert running(sim) == ALL


def test_a_start_that_shall_fail_fails_where_a_node_takes_over_by_itself() -> None:
    sim = normal()
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    sim.fail_next_start.add(PUB)
    sim.power_off(SUB)
    sim.run_for(65)
    assert (sim.state(PUB)[0], running(sim)) == (S.TAKING_OVER, {DATABASE})
    assert sim.fail_next_start == set()
    sim.run_for(90)
    assert sim.state(PUB) == (S.FAILED, Reason.START_FAILED)


def test_power_off_stops_everything_and_power_on_starts_it() -> None:
    sim = normal()
    sim.power_off(PUB)
    machine = sim.machines[PUB]
    assert (running(sim), machine.steps, machine.srm_running) == (set(), False, False)
    # What is off can start nothing.
    sim.start_service(PUB, ROUTER)
    sim.start_srm(PUB)
    assert (running(sim), machine.srm_running, machine.incarnation) == (set(), False, 1)
    sim.run_for(30)
    sim.power_on(PUB)
    assert (running(sim), machine.steps) == (ALL, True)
    assert (machine.incarnation, machine.srm_since) == (2, 90)
    # Once more is nothing more.
    sim.run_for(5)
    sim.power_on(PUB)
    assert (machine.incarnation, machine.srm_since) == (2, 90)


def test_a_stopped_srm_looks_at_nothing() -> None:
    sim = normal()
    sim.stop_srm(PUB)
    before = sim.nodes[PUB]
    sim.stop_service(PUB, ROUTER)
    sim.run_for(300)
    assert sim.nodes[PUB] == before
    assert sim.machines[PUB].powered
    sim.start_srm(PUB)
    assert sim.machines[PUB].incarnation == 2
    sim.run_for(1)
    assert sim.nodes[PUB].started_at == 360


def test_a_node_that_restarts_is_back_when_it_has_booted() -> None:
    sim = normal()
    sim.shut_down(PUB, reboot=True)
    assert REBOOT_SECONDS == 120
    assert sim.machines[PUB].boots_at == 60 + REBOOT_SECONDS
    sim.run_for(REBOOT_SECONDS - 1)
    assert not sim.machines[PUB].powered
    sim.run_for(1)
    assert sim.machines[PUB].powered
    assert sim.machines[PUB].boots_at is None
    assert sim.machines[PUB].incarnation == 2


def test_somebody_at_the_power_button_is_faster_than_the_boot() -> None:
    sim = normal()
    sim.shut_down(PUB, reboot=True)
    sim.run_for(30)
    sim.power_off(PUB)
    assert sim.machines[PUB].boots_at is None
    sim.run_for(200)
    assert not sim.machines[PUB].powered


def test_a_shutdown_without_ha_or_srm_is_not_announced() -> None:
    sim = Simulator()
    sim.shut_down(PUB)
    assert not sim.machines[PUB].powered
    sim.shut_down(SUB, reboot=True)
    sim.run_for(REBOOT_SECONDS)
    assert sim.machines[SUB].powered
    silent = normal()
    silent.stop_srm(PUB)
    silent.shut_down(PUB)
    assert not silent.machines[PUB].powered
    assert not silent.nodes[PUB].leaving
    silent.shut_down(PUB, reboot=True)
    assert silent.machines[PUB].boots_at is None
