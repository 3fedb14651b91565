"""What is kept of a change of state, as SRM knew it then."""

from dataclasses import replace

from redundancy.srm.inputs import inputs_of
from redundancy.srm.simulator import ROUTER, Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Policy
from tests.srm.one_node import NOW, beat, node, services


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


def test_everything_that_is_kept() -> None:
    before = node(
        State.NORMAL,
        peer=beat(State.IDLE, Reason.PEER_DOWN, leaving=True),
        peer_at=NOW - 1.23456,
        started_at=7.00049,
        services=services(5.55555),
        healthy_since=None,
    )
    policy = Policy(1, 2, 3, 4, True)
    assert inputs_of(before, NOW, policy) == {
        "heard_at": round(NOW - 1.23456, 3),
        "silence": 1.235,
        "peer": {"state": "Idle", "reason": "Peer Down", "leaving": True},
        "down": [["Cisco XCP Router", round(NOW - 5.55555, 3)]],
        "healthy_since": None,
        "srm_since": 7.0,
        "heartbeat_interval": 1,
        "heartbeat_timeout": 2,
        "initialization_timeout": 3,
        "critical_service_delay": 4,
        "automatic_fallback": True,
    }
    assert inputs_of(replace(before, healthy_since=9.87654), NOW, policy)["healthy_since"] == 9.877
