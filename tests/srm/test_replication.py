"""Feature services that the Data Monitor holds at Starting while database replication is not set up."""

import pytest

from redundancy.srm.simulator import DATABASE, ENGINE, NODES, ROUTER, Simulator
from redundancy.srm.types import Reading

PUB, SUB = NODES


@pytest.fixture
def sim() -> Simulator:
    """A pair whose second node is not replicated; its engine was stopped, and shall start."""
    sim = Simulator()
    for name in NODES:
        sim.deploy(
            name,
            dict.fromkeys((DATABASE, ROUTER, ENGINE), True),
            in_router=frozenset(),
            features=frozenset({ENGINE}),
        )
    sim.enable_ha()
    sim.run_for(60)
    sim.unreplicated = {SUB}
    for name in NODES:
        sim.stop_service(name, ENGINE)
    sim.run_for(5)
    for name in NODES:
        sim.start_service(name, ENGINE)
    sim.run_for(5)
    return sim


def engine(sim: Simulator, name: str) -> Reading:
    """What the SRM of a node has seen of its engine."""
    (found,) = (each for each in sim.nodes[name].services if each.name == ENGINE)
    return found


def test_where_replication_is_not_set_up_a_feature_service_waits(sim: Simulator) -> None:
    assert sim.unreplicated == {SUB}
    assert (engine(sim, PUB).up, engine(sim, SUB).up) == (True, False)
    assert (sim.machines[PUB].starting, sim.machines[SUB].starting) == (set(), {ENGINE})
    # Others start.
    sim.restart_service(SUB, ROUTER)
    assert sim.machines[SUB].running(ROUTER)


def test_once_it_is_set_up_what_waits_starts_and_srm_sees_it(sim: Simulator) -> None:
    sim.unreplicated = set()
    sim.run_for(1)
    assert engine(sim, SUB) == Reading(ENGINE, up=True, since=70)
    assert sim.machines[SUB].starting == set()
    assert sim.unreplicated == set()


def test_a_monitor_that_is_disabled_holds_nothing_and_an_enabled_one_stops_nothing(
    sim: Simulator,
) -> None:
    sim.set_monitor(PUB, on=False)
    sim.run_for(1)
    assert not engine(sim, SUB).up
    sim.set_monitor(SUB, on=False)
    sim.run_for(1)
    assert engine(sim, SUB) == Reading(ENGINE, up=True, since=71)
    sim.set_monitor(SUB, on=True)
    sim.run_for(1)
    assert engine(sim, SUB) == Reading(ENGINE, up=True, since=71)
    # Stopped, it would wait again.
    sim.restart_service(SUB, ENGINE)
    assert not sim.machines[SUB].running(ENGINE)


def test_what_waits_and_is_stopped_waits_no_more(sim: Simulator) -> None:
    sim.stop_service(SUB, ENGINE)
    sim.unreplicated = set()
    sim.run_for(1)
    assert not engine(sim, SUB).up
    # Neither does one that is deactivated.
    sim.unreplicated = {SUB}
    sim.start_service(SUB, ENGINE)
    sim.deactivate(SUB, ENGINE)
    assert sim.machines[SUB].starting == set()
