"""Parameters that change while a timer runs: no change by itself fails anybody over."""

from dataclasses import replace
from typing import Any

import pytest

from redundancy.srm import facts, timers
from redundancy.srm.codec import node_from_json, node_to_json
from redundancy.srm.simulator import ROUTER, Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Node, Policy, Reading, Request

PUB, SUB = "imp-pub", "imp-sub"
WAITED = 100.0
# Everything began at 0 s; the parameters change at WAITED.
WAITING = Node(
    PUB,
    SUB,
    first=True,
    state=State.NORMAL,
    generation=1,
    peer=Heartbeat(
        sender=SUB, incarnation=1, seq=1, generation=1, state=State.NORMAL, reason=Reason.NORMAL,
        epoch=0, healthy=True, hears=True,
    ),
    services=(Reading(ROUTER, up=False, since=0.0), Reading("A Cisco DB", up=True, since=0.0)),
    starting_since=0.0,
    stepped_at=WAITED,
)  # fmt: skip


def policy(**values: Any) -> Policy:
    return replace(Policy(), **values)


# Each timer: its parameter, the memory in which it runs, and its start in there.
TIMERS = {
    "silence": ("heartbeat_timeout", WAITING, lambda node: node.peer_at),
    "initialization": (
        "initialization_timeout",
        replace(WAITING, peer=None),
        lambda node: node.listening_since,
    ),
    "service down": ("critical_service_delay", WAITING, lambda node: node.services[0].since),
    "services start": ("critical_service_delay", WAITING, lambda node: node.starting_since),
    "fallback unanswered": (
        "heartbeat_timeout",
        replace(WAITING, state=State.TAKING_BACK),
        lambda node: node.settled_at,
    ),
}


@pytest.mark.parametrize("timer", TIMERS)
@pytest.mark.parametrize(
    ("old", "new", "ends"),
    [
        # Lowered below what has run: the new limit counts from now on.
        (300, 30, WAITED + 30),
        (300, 99, WAITED + 99),
        # Or the timer ends when it would have, if that is sooner.
        (120, 60, 120),
        (101, 15, 101),
        # Lowered, and not reached either way.
        (3600, 150, WAITED + 150),
        # Raised: what has run counts.
        (120, 300, 300),
        (120, 120, 120),
    ],
)
def test_when_a_running_timer_ends_after_a_change(
    timer: str, old: float, new: float, ends: float
) -> None:
    key, node, start = TIMERS[timer]
    before, after = policy(**{key: old}), policy(**{key: new})
    changed = timers.notice_parameters(replace(node, policy=before), WAITED, after)
    assert start(changed) + new == ends
    # Once noticed, the change does nothing more.
    assert timers.notice_parameters(changed, WAITED + 1, after) == changed
    # What runs healthily is left alone.
    assert changed.services[1] == node.services[1]


def test_a_second_change_gives_no_sooner_end_than_the_first() -> None:
    node = replace(WAITING, policy=Policy(heartbeat_timeout=120))
    for now, limit in ((100.0, 90), (110.0, 30)):
        node = timers.notice_parameters(node, now, Policy(heartbeat_timeout=limit))
    assert node.peer_at + 30 == 120


def test_the_first_step_of_an_srm_and_the_memory_of_an_older_version_change_nothing() -> None:
    memory = node_to_json(replace(WAITING, policy=Policy(heartbeat_timeout=120)))
    assert node_from_json(memory).policy == Policy(heartbeat_timeout=120)
    del memory["policy"]
    node = timers.notice_parameters(node_from_json(memory), WAITED, Policy(heartbeat_timeout=15))
    assert node.peer_at == WAITING.peer_at


def normal(policy: Policy) -> Simulator:
    sim = Simulator(policy, users={PUB: 300, SUB: 200})
    sim.enable_ha()
    sim.run_for(60)
    assert sim.state(PUB)[0] is sim.state(SUB)[0] is State.NORMAL
    return sim


ORDINARY = {
    "critical_service_delay": (90, 15),
    "heartbeat_timeout": (60, 15),
    "initialization_timeout": (120, 60),
    "heartbeat_interval": (15, 1),
    "automatic_fallback": (False, True),
}


@pytest.mark.parametrize("key", ORDINARY)
def test_a_healthy_pair_does_not_move_whatever_changes_whenever(key: str) -> None:
    """At every second of an interval, down and up again."""
    low, high = sorted(ORDINARY[key])
    extra = {"heartbeat_interval": 5} if key == "heartbeat_timeout" else {}
    sim = normal(policy(**extra))
    for at in range(40):
        for value in (high, low) if at % 2 else (low, high):
            sim.run_until(120 + at * 37)
            sim.set_policy(policy(**extra, **{key: value}))
    sim.run_for(300)
    assert [entry.change.new_state for entry in sim.history if entry.at > 60] == []


def failed_over() -> Simulator:
    sim = normal(Policy())
    sim.stop_service(PUB, ROUTER)
    sim.run_for(100)
    sim.start_service(PUB, ROUTER)
    sim.run_for(1)
    assert sim.state(PUB)[0] is State.FAILED_OVER
    return sim


@pytest.mark.parametrize(("healthy", "waits"), [(2400, 0), (1800, 0), (600, 1200)])
def test_automatic_fallback_switched_on_late_counts_the_minutes_that_were(
    healthy: float, waits: float
) -> None:
    """It is no failover: the 30 unbroken minutes have been, and the new value asks for no others."""
    sim = failed_over()
    began = facts.unbroken_since(sim.nodes[PUB])
    assert began is not None
    sim.run_until(began + healthy)
    sim.set_policy(Policy(automatic_fallback=True))
    if waits:
        sim.run_until(began + healthy + waits - 1)
        assert sim.state(PUB)[0] is State.FAILED_OVER
    sim.run_until(began + healthy + waits + 1)
    assert sim.state(PUB)[0] is State.NORMAL


def test_a_long_interval_made_short_is_no_absence_of_the_observer() -> None:
    """The node slept for 200 s because its interval was 300 s; the service has been down for 80 s."""
    slow = Policy(heartbeat_interval=300, heartbeat_timeout=600, initialization_timeout=600)
    sim = normal(slow)
    sim.run_until(500)
    sim.stop_service(PUB, ROUTER)
    sim.run_until(580)
    sim.set_policy(replace(slow, heartbeat_interval=15))
    sim.run_until(589)
    assert sim.state(PUB)[0] is State.NORMAL
    sim.run_until(591)
    assert sim.state(PUB)[0] is State.FAILED_OVER_DOWN


def test_a_manual_failover_is_left_alone() -> None:
    sim = normal(Policy())
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(60)
    sim.set_policy(Policy(automatic_fallback=True, critical_service_delay=15, heartbeat_timeout=30))
    sim.run_for(7200)
    assert sim.state(PUB)[0] is State.IDLE
