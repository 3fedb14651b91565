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


NODES = [
    Node("imp-pub", "imp-sub", first=True),
    normal(),
    idle(),
    replace(normal(), move=Move(MoveKind.HOME, 12.5), stop_asked_at=3.0, starting_since=1.0),
]


@pytest.mark.parametrize("node", NODES)
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


@pytest.mark.parametrize("node", NODES)
def test_a_changed_node_is_the_one_the_standard_library_makes(node: Node) -> None:
    before = replace(node)
    assert changed(node, epoch=7, peer=None) == replace(node, epoch=7, peer=None)
    assert node == before
