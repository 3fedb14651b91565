"""What is kept of a change of state, as SRM knew it then."""

from dataclasses import replace

from redundancy.srm.inputs import inputs_of
from redundancy.srm.simulator import ROUTER, Simulator
from redundancy.srm.types import Policy


def normal() -> Simulator:
    sim = Simulator()
    sim.enable_ha()
    sim.run_for(60)
    return sim


def test_a_service_that_is_down_is_named_with_its_moment() -> None:
    sim = normal()
    sim.stop_service("imp-pub", ROUTER)
    sim.run_for(30)
    told = inputs_of(sim.nodes["imp-pub"], sim.now, Policy(critical_service_delay=120))
    assert told["down"] == [[ROUTER, 60.0]]
    assert told["healthy_since"] is None
    assert told["critical_service_delay"] == 120
    assert told["peer"] == {"state": "Normal", "reason": "Normal", "leaving": False}
    assert told["silence"] <= 15


def test_silence_is_told_with_the_last_heartbeat() -> None:
    sim = normal()
    sim.power_off("imp-sub")
    sim.run_for(45)
    told = inputs_of(sim.nodes["imp-pub"], sim.now, sim.policy)
    assert told["heard_at"] <= 60
    assert told["silence"] == sim.now - told["heard_at"]
    assert told["down"] == []


def test_a_peer_never_heard_is_none() -> None:
    node = replace(normal().nodes["imp-pub"], peer=None, listening_since=7)
    told = inputs_of(node, 20, Policy())
    assert told["peer"] is None
    assert (told["heard_at"], told["silence"]) == (7, 13)
