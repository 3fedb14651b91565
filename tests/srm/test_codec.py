"""SRM's memory goes through JSON and back, also between versions."""

import json
from dataclasses import replace

import pytest

from redundancy.srm.codec import (
    heartbeat_from_json,
    heartbeat_to_json,
    node_from_json,
    node_to_json,
)
from redundancy.srm.simulator import Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Move, MoveKind, Node, Request
from redundancy.srm.types import replace as changed


def normal() -> Node:
    sim = Simulator()
    sim.enable_ha()
    sim.run_for(60)
    return sim.nodes["imp-pub"]


def idle() -> Node:
    sim = Simulator()
    sim.enable_ha()
    sim.run_for(60)
    sim.ask("imp-pub", Request.FAILOVER)
    sim.run_for(60)
    assert sim.nodes["imp-pub"].stopped
    return sim.nodes["imp-pub"]


def new() -> Node:
    return Node("imp-pub", "imp-sub", first=True)


def moving() -> Node:
    return replace(normal(), move=Move(MoveKind.HOME, 12.5), stop_asked_at=3.0, starting_since=1.0)


# Made by the tests: what runs while tests are collected, `make mutants` has to import anew.
@pytest.fixture(params=[new, normal, idle, moving])
def node(request: pytest.FixtureRequest) -> Node:
    made: Node = request.param()
    return made


def test_a_memory_comes_back_as_it_was(node: Node) -> None:
    data = json.loads(json.dumps(node_to_json(node)))
    assert node_from_json(data) == node
    if node.peer is not None:
        assert (
            heartbeat_from_json(json.loads(json.dumps(heartbeat_to_json(node.peer)))) == node.peer
        )


def test_what_another_version_wrote_is_read() -> None:
    node = idle()
    data = json.loads(json.dumps(node_to_json(node)))
    # A later one knows more, an earlier one less.
    for part in (data, data["peer"], data["policy"], *data["services"]):
        part["of_tomorrow"] = 1
    for missing in ("policy", "stopped", "stop_asked_at"):
        del data[missing]
    assert node_from_json(data) == replace(node, policy=None, stopped=(), stop_asked_at=None)


def test_a_changed_node_is_the_one_the_standard_library_makes(node: Node) -> None:
    before = replace(node)
    assert changed(node, epoch=7, peer=None) == replace(node, epoch=7, peer=None)
    assert node == before


def test_a_memory_is_kept_under_the_names_of_its_fields() -> None:
    """Whoever stores it, and a version to come, finds them there."""
    data = node_to_json(moving())
    assert data["move"] == {"kind": "home", "asked_at": 12.5}
    assert data["policy"]["heartbeat_interval"] == 15
    assert data["stopped"] == []
    assert data["services"][0] == {"name": "A Cisco DB", "up": True, "since": 0, "database": True}
    assert data["peer"] == heartbeat_to_json(heartbeat_from_json(data["peer"]))
    assert (data["state"], data["peer"]["state"]) == ("Normal", "Normal")
    blank = node_to_json(new())
    assert (blank["peer"], blank["move"], blank["policy"]) == (None, None, None)
    # A node that nothing has happened to begins at nought.
    numbers = [each for each in blank.values() if type(each) in (int, float)]
    assert len(numbers) >= 10
    assert set(numbers) == {0}


def test_what_is_read_are_states_reasons_and_moves_again() -> None:
    node = node_from_json(json.loads(json.dumps(node_to_json(moving()))))
    assert node.peer is not None
    assert node.move is not None
    for value, kind in (
        (node.state, State),
        (node.reason, Reason),
        (node.peer.state, State),
        (node.peer.reason, Reason),
        (node.move.kind, MoveKind),
        (node.services, tuple),
        (node.stopped, tuple),
    ):
        assert type(value) is kind
