"""HA is enabled: what both nodes become, and when, by their services and by who hears whom."""

from dataclasses import dataclass, field

import pytest

from redundancy.srm.sentences import outlook
from redundancy.srm.simulator import DATABASE, ENGINE, ROUTER, Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Policy

PUB, SUB = "imp-pub", "imp-sub"
S, R = State, Reason
WAITING = (S.INITIALIZING, R.INITIALIZATION)
NORMAL = (S.NORMAL, R.NORMAL)
ALONE = (S.BACKUP, R.PEER_DOWN_DURING_INITIALIZATION)


@dataclass(frozen=True)
class Case:
    """``down``: node and service → for how long already. ``cut``: who is not heard by whom."""

    name: str
    # State of each node at a moment after enabling.
    at: dict[float, tuple[tuple[State, Reason], tuple[State, Reason]]]
    down: dict[tuple[str, str], float] = field(default_factory=dict)
    cut: frozenset[tuple[str, str]] = frozenset()


def failed_over(reason: Reason) -> tuple[tuple[State, Reason], tuple[State, Reason]]:
    return (S.FAILED_OVER_DOWN, reason), (S.BACKUP, reason)


def failed(first: Reason, second: Reason) -> tuple[tuple[State, Reason], tuple[State, Reason]]:
    return (S.FAILED, first), (S.FAILED, second)


DOWN, DB = R.CRITICAL_SERVICE_DOWN, R.DATABASE_FAILURE
DEAF_PUB, DEAF_SUB = frozenset({(SUB, PUB)}), frozenset({(PUB, SUB)})
CASES = [
    Case("healthy", {0: (NORMAL, NORMAL), 600: (NORMAL, NORMAL)}),
    Case("long down: at once", {0: failed_over(DOWN)}, {(PUB, ROUTER): 3600}),
    Case("database long down: at once", {0: failed_over(DB)}, {(PUB, DATABASE): 3600}),
    Case("down for the delay: at once", {0: failed_over(DOWN)}, {(PUB, ENGINE): 90}),
    Case(
        "down for a part of the delay: the rest",
        {29: (WAITING, WAITING), 30: failed_over(DOWN)},
        {(PUB, ENGINE): 60},
    ),
    Case(
        "long down on both: at once",
        {0: failed(DOWN, DB)},
        {(PUB, ROUTER): 3600, (SUB, DATABASE): 7200},
    ),
    Case(
        "long down on one, shortly on the other: when its delay is over",
        {29: ((S.FAILING_OVER, DOWN), WAITING), 30: failed(DOWN, DOWN)},
        {(PUB, ROUTER): 3600, (SUB, ROUTER): 60},
    ),
    Case(
        "node 1 is deaf",
        {119: (WAITING, WAITING), 121: (ALONE, (S.FAILED_OVER, R.INITIALIZATION))},
        cut=DEAF_PUB,
    ),
    Case(
        "node 2 is deaf",
        {119: (WAITING, WAITING), 121: ((S.FAILED_OVER, R.INITIALIZATION), ALONE)},
        cut=DEAF_SUB,
    ),
    Case(
        "the deaf node cannot serve",
        {119: (WAITING, WAITING), 121: (WAITING, ALONE)},
        {(PUB, ROUTER): 3600},
        DEAF_PUB,
    ),
    Case(
        "the node that is not heard cannot serve",
        {119: (WAITING, (S.FAILING_OVER, DOWN)), 121: (ALONE, (S.FAILED_OVER_DOWN, R.PEER_DOWN_DURING_INITIALIZATION))},
        {(SUB, ROUTER): 3600},
        DEAF_PUB,
    ),
    Case(
        "neither hears the other",
        {119: (WAITING, WAITING), 121: (ALONE, ALONE)},
        cut=DEAF_PUB | DEAF_SUB,
    ),
]  # fmt: skip


def enabled(case: Case) -> Simulator:
    sim = Simulator(Policy(), users={PUB: 300, SUB: 200})
    for (name, service), seconds in sorted(case.down.items(), key=lambda item: -item[1]):
        sim.run_until(10_000 - seconds)
        sim.stop_service(name, service)
    sim.run_until(10_000)
    sim.cut = set(case.cut)
    sim.enable_ha()
    return sim


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_enabling(case: Case) -> None:
    sim = enabled(case)
    for after, states in case.at.items():
        sim.run_until(10_000 + after)
        assert (sim.state(PUB), sim.state(SUB)) == states, after
    assert sim.sessions(PUB) + sim.sessions(SUB) == 500


def test_a_node_that_is_not_heard_says_what_it_waits_for() -> None:
    sim = enabled(next(case for case in CASES if case.name == "node 1 is deaf"))
    sim.run_for(60)
    assert outlook(sim.nodes[SUB], sim.now, sim.policy) == f"Waits for {PUB} to hear this node."
    sim.cut = set()
    sim.run_for(20)
    assert (sim.state(PUB), sim.state(SUB)) == (NORMAL, NORMAL)
