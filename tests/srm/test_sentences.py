"""A decision is a sentence: why it was taken, or why not yet."""

import re

import pytest

from redundancy.srm.sentences import clock_time, fill, outlook
from redundancy.srm.simulator import DATABASE, ENGINE, ROUTER, Simulator
from redundancy.srm.states import State
from redundancy.srm.types import Node, Policy, Reading, Request

PUB, SUB = "imp-pub", "imp-sub"


def normal(policy: Policy | None = None) -> Simulator:
    sim = Simulator(policy)
    sim.enable_ha()
    sim.run_for(60)
    return sim


def outlook_of(sim: Simulator, name: str) -> str:
    return outlook(sim.nodes[name], sim.now, sim.policy)


def last_why(sim: Simulator, name: str) -> str:
    return next(e.change.sentence for e in reversed(sim.history) if e.node == name)


def test_a_silent_peer_is_announced_and_then_declared_down_with_its_figures() -> None:
    sim = normal()
    sim.power_off(SUB)
    sim.run_for(40)
    heard = sim.nodes[PUB].peer_at
    assert outlook_of(sim, PUB) == (
        f"No heartbeat from {SUB} since {clock_time(heard)}; "
        f"it is declared down at {clock_time(heard + 60)}."
    )
    sim.run_for(25)
    taking = next(e for e in sim.history if e.change.new_state is State.TAKING_OVER)
    assert taking.change.sentence == f"No heartbeat from {SUB} for 1 min (limit 1 min)."


def test_a_service_is_named_with_how_long_it_was_down() -> None:
    sim = normal()
    sim.stop_service(PUB)
    sim.run_for(95)
    failing = next(e for e in sim.history if e.change.new_state is State.FAILING_OVER)
    assert failing.change.sentence == f"{ROUTER} was down for 1 min 30 s (limit 1 min 30 s)."
    assert last_why(sim, PUB) == f"{SUB} serves the users; here {ROUTER} is not running."


@pytest.mark.parametrize(
    ("stops", "failing", "yields"),
    [
        # Stopped together: one figure for both.
        (
            {ROUTER: 0, ENGINE: 0},
            f"{ROUTER} and {ENGINE} were down for 1 min 30 s (limit 1 min 30 s).",
            f"{SUB} serves the users; here {ROUTER} and {ENGINE} are not running.",
        ),
        # The figure is true of the first only.
        (
            {ROUTER: 0, ENGINE: 30, DATABASE: 60},
            f"{ROUTER} was down for 1 min 30 s (limit 1 min 30 s).",
            f"{SUB} serves the users; here {DATABASE}, {ROUTER} and {ENGINE} are not running.",
        ),
    ],
)
def test_several_services_are_told_in_the_plural_and_a_figure_only_of_whom_it_is_true(
    stops: dict[str, float], failing: str, yields: str
) -> None:
    sim = normal()
    began = sim.now
    for service, after in stops.items():
        sim.run_until(began + after)
        sim.stop_service(PUB, service)
    sim.run_until(began + 95)
    told = [e.change.sentence for e in sim.history if e.node == PUB]
    assert told[-2:] == [failing, yields]


def test_a_sentence_begins_with_a_capital_also_where_no_service_can_be_named() -> None:
    node = Node(PUB, SUB, first=True, services=(Reading(ROUTER, up=None, since=0),))
    said = fill("{down} {are} not running.", node, 0, Policy())
    assert said == "A critical service is not running."
    assert fill("{peer} serves the users.", node, 0, Policy()) == f"{SUB} serves the users."


def test_the_wait_for_automatic_fallback_says_when_and_from_what() -> None:
    sim = normal(Policy(automatic_fallback=True))
    sim.stop_service(PUB)
    sim.run_for(100)
    sim.start_service(PUB)
    sim.run_for(10)
    sim.start_srm(PUB)
    sim.run_for(20)
    began = sim.nodes[PUB].started_at
    assert outlook_of(sim, PUB).endswith(f"began at {clock_time(began)}, when its SRM was started.")
    sim.run_for(600)
    sim.stop_service(PUB)
    sim.run_for(1)
    sim.start_service(PUB)
    restarted = sim.now
    sim.run_for(5)
    assert outlook_of(sim, PUB) == (
        f"Automatic fallback at {clock_time(restarted + 1800)}; "
        f"the 30 min began at {clock_time(restarted)}, when {ROUTER} was started."
    )
    assert restarted > began
    sim.run_until(restarted + 1799)
    assert sim.state(PUB)[0] is State.FAILED_OVER
    sim.run_until(restarted + 1801)
    assert sim.state(PUB)[0] is State.NORMAL
    assert re.search("healthy for 30 min", " ".join(e.change.sentence for e in sim.history), re.I)


def test_without_automatic_fallback_the_node_says_so() -> None:
    sim = normal()
    sim.stop_service(PUB)
    sim.run_for(100)
    sim.start_service(PUB)
    sim.run_for(5)
    assert outlook_of(sim, PUB).startswith("Automatic fallback is disabled")


def test_the_administrators_wait_is_never_ended_by_the_clock() -> None:
    sim = normal(Policy(automatic_fallback=True))
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(10)
    for service in (ROUTER, "Cisco Presence Engine"):
        sim.start_service(PUB, service)
    sim.run_for(7200)
    assert sim.state(PUB)[0] is State.IDLE
    assert outlook_of(sim, PUB) == ""


@pytest.mark.parametrize(
    ("prepare", "request_", "why"),
    [
        (lambda sim: None, Request.FALLBACK, "Fallback is not offered while imp-pub is Normal."),
        (
            lambda sim: sim.stop_service(PUB),
            Request.FALLBACK,
            f"Fallback needs all critical services of imp-pub to run; {ROUTER} is not running.",
        ),
        (
            lambda sim: sim.power_off(SUB),
            Request.FAILOVER,
            "Failover is not offered while imp-pub is Running in Backup Mode.",
        ),
    ],
)
def test_a_refusal_says_why(prepare, request_: Request, why: str) -> None:  # type: ignore[no-untyped-def]
    sim = normal()
    prepare(sim)
    sim.run_for(100)
    assert not sim.ask(PUB, request_)
    assert sim.refused == [why]
