"""Which time limits of a node are shown as running, and which action is offered."""

from dataclasses import replace
from typing import Any

import pytest

from redundancy.models import Machine, NodeRuntime, Server
from redundancy.selectors.wording import UNSEEN, Asked, face, fitting_actions, timers
from redundancy.srm.codec import node_to_json
from redundancy.srm.states import NOT_RESPONDING, Reason, State
from redundancy.srm.types import Node, Policy
from tests.srm.one_node import NOW, POLICY, beat, services
from tests.srm.one_node import node as in_state

AUTOMATIC = replace(POLICY, automatic_fallback=True)
S = State


def a_node(state: State, **more: Any) -> Node:
    said = beat(S.BACKUP if state is not S.NORMAL else S.NORMAL)
    values: dict[str, Any] = {"peer": said, "peer_at": NOW - 1, "settled_at": NOW - 600}
    return in_state(state, **values | more)


def shown(node: Node, policy: Policy) -> list[tuple[str, float | None, float | None]]:
    """Each timer: its label, the seconds that it runs, and those that are left."""
    found = timers(NodeRuntime(memory=node_to_json(node)), policy, NOW)
    assert {timer.node for timer in found} <= {"imp-pub"}
    return [
        (
            timer.label,
            None if timer.since is None else NOW - timer.since,
            None if timer.until is None else timer.until - NOW,
        )
        for timer in found
    ]


LATE = ("imp-sub is declared down in", 31, 29)
ROUTER_DOWN = {"services": services(router=20), "healthy_since": None}


@pytest.mark.parametrize(
    ("node", "policy", "found"),
    [
        (a_node(S.NORMAL), AUTOMATIC, []),
        (a_node(S.NORMAL, peer_at=NOW - 30), POLICY, []),
        (a_node(S.NORMAL, peer_at=NOW - 31), POLICY, [LATE]),
        (a_node(S.NORMAL, peer_at=NOW - 61), POLICY, []),
        (a_node(S.FAILED, peer_at=NOW - 31), POLICY, []),
        (
            a_node(S.NORMAL, **ROUTER_DOWN),
            POLICY,
            [("Cisco XCP Router down, fails over in", 20, 70)],
        ),
        (
            a_node(S.INITIALIZING, peer_at=NOW - 31, **ROUTER_DOWN),
            POLICY,
            [LATE, ("Cisco XCP Router down, fails over in", 20, 70)],
        ),
        (
            a_node(S.FAILED_OVER_DOWN, **ROUTER_DOWN),
            POLICY,
            [("Cisco XCP Router down for", 20, None)],
        ),
        # What SRM stopped by itself waits for nothing; the others are still told.
        (
            a_node(
                S.IDLE,
                services=services(router=20, database=30),
                healthy_since=None,
                stopped=("A Cisco DB",),
            ),
            POLICY,
            [("Cisco XCP Router down for", 20, None)],
        ),
        (a_node(S.FAILED_OVER), POLICY, []),
        (a_node(S.FAILED_OVER), AUTOMATIC, [("Automatic fallback in", 600, 1200)]),
        (a_node(S.AFFECTED), AUTOMATIC, [("Automatic fallback in", 600, 1200)]),
        (a_node(S.IDLE), AUTOMATIC, []),
        (
            a_node(S.FAILED_OVER, **ROUTER_DOWN),
            AUTOMATIC,
            [("Cisco XCP Router down for", 20, None)],
        ),
        (a_node(S.UNKNOWN, peer_at=NOW - 31, **ROUTER_DOWN), POLICY, []),
    ],
)
def test_limits_that_run_are_shown(
    node: Node, policy: Policy, found: list[tuple[str, float | None, float | None]]
) -> None:
    assert shown(node, policy) == found


def test_who_remembers_nothing_waits_for_nothing() -> None:
    assert timers(NodeRuntime(memory={}), POLICY, NOW) == []


def a_server(pk: int, node: Node | None, **machine: Any) -> Server:
    server = Server(pk=pk, name=f"imp-{pk}")
    Machine(server=server, **{"powered": True, "srm_running": True} | machine)
    memory = node_to_json(node) if node else {}
    NodeRuntime(server=server, memory=memory, state=node.state if node else S.INITIALIZING)
    return server


FAILED, OVER, NORMAL = a_node(S.FAILED), a_node(S.FAILED_OVER), a_node(S.NORMAL)
BACKUP = a_node(S.BACKUP)


@pytest.mark.parametrize(
    ("servers", "offered"),
    [
        ([a_server(1, NORMAL), a_server(2, NORMAL)], {1: "failover", 2: "failover"}),
        ([a_server(1, OVER), a_server(2, BACKUP)], {1: "fallback"}),
        ([a_server(1, FAILED), a_server(2, FAILED)], {1: "recover", 2: "recover"}),
        ([a_server(1, FAILED), a_server(2, BACKUP)], {}),
        # Whoever cannot be asked, or has nobody to ask with it, is offered nothing.
        ([a_server(1, NORMAL), a_server(2, NORMAL, srm_running=False)], {}),
        ([a_server(1, FAILED), a_server(2, FAILED, powered=False)], {}),
        ([a_server(1, NORMAL)], {}),
        ([a_server(1, None), a_server(2, NORMAL)], {2: "failover"}),
        ([], {}),
    ],
)
def test_the_action_is_the_one_that_srm_would_carry_out(
    servers: list[Server], offered: dict[int, str]
) -> None:
    assert fitting_actions(list(map(Asked.of, servers)), POLICY, NOW) == offered


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, (S.NORMAL, Reason.NORMAL, "ok")),
        ({"endangered": True}, (S.NORMAL, Reason.NORMAL, "warn")),
        ({"state": S.FAILED, "endangered": True}, (S.FAILED, Reason.NORMAL, "bad")),
        # Of a node that nobody looks at, nobody knows whether it still is what it was.
        ({"seeing": False, "endangered": True}, (S.NORMAL, Reason.NORMAL, UNSEEN)),
        ({"state": None}, (S.INITIALIZING, Reason.INITIALIZATION, "busy")),
        ({"state": None, "seeing": False}, (S.INITIALIZING, Reason.INITIALIZATION, UNSEEN)),
        ({"reports": False, "endangered": True}, (NOT_RESPONDING, "", "bad")),
        ({"ha_enabled": False, "reports": False}, (S.UNKNOWN, Reason.HA_NOT_ENABLED, "off")),
    ],
)
def test_the_face_of_a_node(changes: dict[str, Any], shown: tuple[str, str, str]) -> None:
    values: dict[str, Any] = {
        "ha_enabled": True,
        "reports": True,
        "state": S.NORMAL,
        "reason": Reason.NORMAL,
        "endangered": False,
    }
    assert face(**values | changes) == shown
