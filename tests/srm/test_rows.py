"""Each row of the table of pair states is reached by doing what its cause says."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from redundancy.srm.advice import explain
from redundancy.srm.simulator import DATABASE, ROUTER, Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveSessions, Policy, Request

PUB, SUB = "imp-pub", "imp-sub"
S, R = State, Reason


def normal(policy: Policy | None = None) -> Simulator:
    sim = Simulator(policy, users={PUB: 300, SUB: 200})
    sim.enable_ha()
    sim.run_for(60)
    assert sim.state(PUB) == sim.state(SUB) == (S.NORMAL, R.NORMAL)
    return sim


def failed_over_by_hand() -> Simulator:
    sim = normal()
    assert sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    return sim


def service_down(service: str = ROUTER) -> Simulator:
    sim = normal()
    sim.stop_service(PUB, service)
    sim.run_for(95)
    return sim


def healthy_again() -> Simulator:
    sim = service_down()
    sim.start_service(PUB)
    sim.run_for(1)
    return sim


def during(sim: Simulator, act: Callable[[Simulator], object]) -> Simulator:
    """Do ``act`` with every session move held back, so that the transition can be looked at."""
    held: list[MoveSessions] = []
    sim._move = lambda name, kind, epoch: held.append(MoveSessions(kind, epoch))  # type: ignore[method-assign]
    act(sim)
    sim.run_for(1)
    assert held, "the transition waits for no move"
    return sim


def row_2() -> Simulator:
    return during(normal(), lambda sim: sim.ask(PUB, Request.FAILOVER))


def row_4() -> Simulator:
    return during(failed_over_by_hand(), lambda sim: sim.ask(PUB, Request.FALLBACK))


def row_5() -> Simulator:
    sim = failed_over_by_hand()
    sim.start_srm(PUB)
    sim.run_for(5)
    return sim


def row_6() -> Simulator:
    sim = row_5()
    sim.start_srm(SUB)
    sim.run_for(5)
    return sim


def row_7() -> Simulator:
    sim = failed_over_by_hand()
    sim.start_srm(SUB)
    sim.run_for(5)
    return sim


def row_8() -> Simulator:
    sim = row_2()
    sim.start_srm(SUB)
    sim.run_for(1)
    return sim


def row_9() -> Simulator:
    sim = row_4()
    sim.start_srm(PUB)
    sim.run_for(1)
    return sim


def row_10() -> Simulator:
    sim = healthy_again()
    sim.policy = Policy(automatic_fallback=True)
    return during(sim, lambda sim: sim.run_for(1800))


def row_11_by_reboot() -> Simulator:
    sim = service_down()
    sim.shut_down(PUB, reboot=True)
    sim.run_for(200)
    return sim


def row_14() -> Simulator:
    sim = failed_over_by_hand()
    sim.fail_next_start.add(PUB)
    sim.ask(PUB, Request.FALLBACK)
    sim.run_for(100)
    return sim


def row_15() -> Simulator:
    sim = service_down()
    sim.stop_service(SUB)
    sim.run_for(95)
    return sim


def row_16() -> Simulator:
    sim = normal()
    sim.power_off(SUB)
    sim.run_for(65)
    return sim


def row_17() -> Simulator:
    sim = normal()
    sim.shut_down(SUB)
    sim.run_for(5)
    return sim


def row_18() -> Simulator:
    sim = Simulator(users={PUB: 300})
    sim.power_off(SUB)
    sim.enable_ha()
    sim.run_for(125)
    sim.power_on(SUB)
    sim.run_for(5)
    return sim


def row_19() -> Simulator:
    sim = normal()
    sim.fail_next_move = True
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    return sim


def row_20() -> Simulator:
    sim = failed_over_by_hand()
    sim.fail_next_move = True
    sim.ask(PUB, Request.FALLBACK)
    sim.run_for(5)
    return sim


def row_21() -> Simulator:
    sim = row_19()
    sim.start_srm(SUB)
    sim.run_for(5)
    return sim


def lost_on_backup(service: str) -> Simulator:
    sim = healthy_again()
    sim.stop_service(SUB, service)
    sim.run_for(95)
    return sim


def row_24() -> Simulator:
    sim = normal()
    sim.disable_ha()
    sim.run_for(5)
    return sim


def row_25() -> Simulator:
    sim = normal()
    sim.cut = {(PUB, SUB), (SUB, PUB)}
    sim.run_for(80)
    assert sim.state(PUB)[0] is sim.state(SUB)[0] is S.BACKUP
    sim.cut = set()
    sim.run_for(20)
    return sim


@dataclass(frozen=True)
class Case:
    row: int
    reach: Callable[[], Simulator]
    pub: tuple[State, Reason]
    sub: tuple[State, Reason]
    # Sessions on imp-pub and imp-sub.
    sessions: tuple[int, int]
    off: str = ""


HOME, ON_SUB, ON_PUB = (300, 200), (0, 500), (500, 0)
ADMIN, CSD, DB, INIT = (
    R.ON_ADMIN_REQUEST,
    R.CRITICAL_SERVICE_DOWN,
    R.DATABASE_FAILURE,
    R.INITIALIZATION,
)
CASES = [
    Case(1, normal, (S.NORMAL, R.NORMAL), (S.NORMAL, R.NORMAL), HOME),
    Case(2, row_2, (S.FAILING_OVER, ADMIN), (S.TAKING_OVER, ADMIN), HOME),
    Case(3, failed_over_by_hand, (S.IDLE, ADMIN), (S.BACKUP, ADMIN), ON_SUB),
    Case(4, row_4, (S.TAKING_BACK, ADMIN), (S.FALLING_BACK, ADMIN), ON_SUB),
    Case(5, row_5, (S.IDLE, INIT), (S.BACKUP, ADMIN), ON_SUB),
    Case(6, row_6, (S.IDLE, INIT), (S.BACKUP, INIT), ON_SUB),
    Case(7, row_7, (S.IDLE, ADMIN), (S.BACKUP, INIT), ON_SUB),
    Case(8, row_8, (S.FAILING_OVER, ADMIN), (S.TAKING_OVER, INIT), HOME),
    Case(9, row_9, (S.TAKING_BACK, INIT), (S.FALLING_BACK, ADMIN), ON_SUB),
    Case(10, row_10, (S.TAKING_BACK, R.AUTOMATIC_FALLBACK), (S.FALLING_BACK, R.AUTOMATIC_FALLBACK), ON_SUB),
    Case(11, healthy_again, (S.FAILED_OVER, CSD), (S.BACKUP, CSD), ON_SUB),
    Case(11, row_11_by_reboot, (S.FAILED_OVER, INIT), (S.BACKUP, CSD), ON_SUB),
    Case(12, service_down, (S.FAILED_OVER_DOWN, CSD), (S.BACKUP, CSD), ON_SUB),
    Case(13, lambda: service_down(DATABASE), (S.FAILED_OVER_DOWN, DB), (S.BACKUP, DB), ON_SUB),
    Case(14, row_14, (S.FAILED, R.START_FAILED), (S.FAILED, R.START_FAILED), ON_SUB),
    Case(15, row_15, (S.FAILED, CSD), (S.FAILED, CSD), ON_SUB),
    Case(16, row_16, (S.BACKUP, R.PEER_DOWN), (S.NORMAL, R.NORMAL), ON_PUB, off=SUB),
    Case(17, row_17, (S.BACKUP, R.PEER_REBOOT), (S.NORMAL, R.NORMAL), ON_PUB, off=SUB),
    Case(18, row_18, (S.BACKUP, R.PEER_DOWN_DURING_INITIALIZATION), (S.FAILED_OVER, INIT), (300, 0)),
    Case(19, row_19, (S.FAILED, R.TAKE_OVER_FAILED), (S.FAILED, R.TAKE_OVER_FAILED), HOME),
    Case(20, row_20, (S.FAILED, R.TAKE_BACK_FAILED), (S.FAILED, R.TAKE_BACK_FAILED), ON_SUB),
    Case(21, row_21, (S.FAILED, R.UNKNOWN), (S.FAILED, R.UNKNOWN), HOME),
    Case(22, lambda: lost_on_backup(DATABASE), (S.BACKUP_ACTIVATED, R.AUTO_RECOVER_DATABASE), (S.AFFECTED, R.AUTO_RECOVER_DATABASE), ON_PUB),
    Case(23, lambda: lost_on_backup(ROUTER), (S.BACKUP_ACTIVATED, R.AUTO_RECOVER_SERVICE), (S.AFFECTED, R.AUTO_RECOVER_SERVICE), ON_PUB),
    Case(24, row_24, (S.UNKNOWN, R.HA_NOT_ENABLED), (S.UNKNOWN, R.HA_NOT_ENABLED), HOME),
    Case(25, row_25, (S.FAILED, R.SPLIT_BRAIN), (S.FAILED, R.SPLIT_BRAIN), ON_PUB),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"row-{case.row}-{case.reach.__name__}")
def test_row_is_reached_by_its_cause(case: Case) -> None:
    sim = case.reach()
    assert (sim.state(PUB), sim.state(SUB)) == (case.pub, case.sub), [
        f"{entry.at} {entry.node} {entry.change}" for entry in sim.history
    ]
    assert (sim.sessions(PUB), sim.sessions(SUB)) == case.sessions


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"row-{case.row}-{case.reach.__name__}")
def test_row_has_its_explanation(case: Case) -> None:
    sides = [
        (name, None, None) if name == case.off else (name, *state)
        for name, state in ((PUB, case.pub), (SUB, case.sub))
    ]
    found = explain(sides[0], sides[1], Policy())
    assert found.number == case.row
    assert "{" not in found.cause + found.advice
    # The same pair seen the other way round means the same.
    assert explain(sides[1], sides[0], Policy()).number == case.row


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"row-{case.row}-{case.reach.__name__}")
def test_the_advice_tells_of_automatic_fallback_where_it_will_come(case: Case) -> None:
    """Where a node waits for its users: not where an administrator chose so, and not while it is disabled."""
    sides = [
        (name, None, None) if name == case.off else (name, *state)
        for name, state in ((PUB, case.pub), (SUB, case.sub))
    ]
    waiting = {11: PUB, 12: PUB, 13: PUB, 18: SUB, 22: SUB, 23: SUB}.get(case.row)
    told = explain(sides[0], sides[1], Policy(automatic_fallback=True)).advice
    by_itself = (
        f"Automatic fallback is enabled: {waiting} takes its users back by itself "
        "when it has been healthy for 30 min without a break."
    )
    assert told.endswith(by_itself) == (waiting is not None)
    assert "Automatic fallback" not in explain(sides[0], sides[1], Policy()).advice
