"""A node at rest is stepped for its own heartbeat and for its peer's, and for nothing else."""

from collections import Counter
from collections.abc import Callable

import pytest

from redundancy.srm.simulator import Simulator
from redundancy.srm.states import State
from redundancy.srm.types import Event, Policy, Request

PUB, SUB = "imp-pub", "imp-sub"


class Counting(Simulator):
    """A simulator that counts the steps of its nodes by node and kind of event."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.counted: Counter[tuple[str, str]] = Counter()

    def _step(self, name: str, event: Event) -> None:
        self.counted[name, type(event).__name__] += 1
        super()._step(name, event)


def normal(sim: Counting) -> None:
    assert sim.state(PUB)[0] is State.NORMAL


def idle(sim: Counting) -> None:
    sim.ask(PUB, Request.FAILOVER)


def failed_over_down(sim: Counting) -> None:
    sim.stop_service(PUB)


def failed_over(sim: Counting) -> None:
    sim.stop_service(PUB)
    sim.run_for(100)
    sim.start_service(PUB)


def failed(sim: Counting) -> None:
    sim.fail_next_move = True
    sim.ask(PUB, Request.FAILOVER)


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("become", [normal, idle, failed_over_down, failed_over, failed])
def test_eight_steps_a_minute(become: Callable[[Counting], None], automatic: bool) -> None:
    sim = Counting(Policy(automatic_fallback=automatic))
    sim.enable_ha()
    sim.run_for(60)
    become(sim)
    sim.run_for(107)
    sim.counted.clear()
    sim.run_for(600)
    assert sim.counted == {(name, event): 40 for name in (PUB, SUB) for event in ("Tick", "Heard")}


def test_a_node_whose_peer_is_gone_is_stepped_for_its_own_heartbeat() -> None:
    sim = Counting(Policy())
    sim.enable_ha()
    sim.run_for(60)
    sim.power_off(SUB)
    sim.run_for(107)
    sim.counted.clear()
    sim.run_for(600)
    assert sim.counted == {(PUB, "Tick"): 40}


def test_nodes_that_beat_at_different_moments_are_each_stepped_for_themselves() -> None:
    sim = Counting(Policy())
    sim.enable_ha()
    sim.run_for(67)
    sim.start_srm(PUB)
    sim.run_for(100)
    assert sim.nodes[PUB].next_heartbeat % 15 != sim.nodes[SUB].next_heartbeat % 15
    sim.counted.clear()
    sim.run_for(600)
    assert sim.counted == {(name, event): 40 for name in (PUB, SUB) for event in ("Tick", "Heard")}
