"""Our own processes broken on purpose, on the real stack: the pair must not suffer for it.

After each: the audit finds nothing, no state has changed that no fault of a node explains, and the
pair comes to rest. One system runs for all of these tests; each begins with the pair at rest.
"""

import signal
import time

import pytest

from redundancy.srm.states import NOT_RESPONDING
from tests.live.lab import MISSED, RATE, REST, SABOTAGE, Lab
from tests.live.transitions import BACKUP, TRANSITIONS, Transition, check

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(240)]

FIVE_MINUTES = 300
WAYS = {
    "sweep": ("kill -9", "SIGSTOP", "restart", "one of two"),
    "moves": ("kill -9", "SIGSTOP", "restart"),
    "beat": ("kill -9", "SIGSTOP", "restart", "one of two"),
    "valkey": ("kill -9", "SIGSTOP", "restart"),
}


def outage(lab: Lab, victim: str, way: str) -> None:
    """Break a process of ours, and wait until the nodes are seen again."""
    match way:
        case "kill -9":
            lab.processes.kill(victim)
            lab.processes.start(victim)
        case "SIGSTOP":
            lab.processes.pause(victim)
            lab.wait_lab(FIVE_MINUTES)
            lab.processes.resume(victim)
        case "restart":
            lab.processes.restart(victim)
        case "one of two":
            lab.processes.start(f"{victim}-2")
            lab.wait_lab(MISSED)
            lab.processes.kill(victim)
            lab.wait_lab(MISSED)
            lab.processes.start(victim)
            lab.processes.kill(f"{victim}-2")
    lab.until_watched()
    lab.wait_lab(MISSED)


@pytest.mark.parametrize("victim", WAYS)
@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
def test_an_outage_of_ours_in_a_transition_is_survived(
    lab: Lab, transition: Transition, victim: str
) -> None:
    if victim not in lab.processes.names:
        pytest.skip("the Redis that REDIS_URL names is not ours to break")
    before = transition.enter(lab)
    for way in WAYS[victim]:
        outage(lab, victim, way)
        check(lab, before, said=f"{victim}: {way}")
    transition.leave(lab, before)


@pytest.mark.parametrize("victim", WAYS)
def test_a_transition_that_goes_on_during_an_outage_is_finished(lab: Lab, victim: str) -> None:
    """Nothing holds the pair: the process dies while it turns over, and home again."""
    if victim not in lab.processes.names:
        pytest.skip("the Redis that REDIS_URL names is not ours to break")
    before = lab.last_event()
    lab.request("failover")
    lab.processes.kill(victim)
    lab.wait_lab(MISSED)
    lab.processes.start(victim)
    lab.until("Idle", BACKUP, REST)
    lab.request("fallback")
    lab.processes.kill(victim)
    lab.wait_lab(MISSED)
    lab.processes.start(victim)
    lab.until("Normal", "Normal", REST)
    turning = {"Failing Over", "Taking Over", "Idle", BACKUP, "Taking Back", "Falling Back"}
    check(lab, before, turning | {"Normal"})


def test_work_done_and_not_acknowledged_is_not_done_twice(lab: Lab) -> None:
    """A worker dies between its database write and its acknowledgement: of a sweep, and of a move."""
    # The moves home that both nodes asked for on their way to Normal are done.
    lab.wait_lab(60)
    before = lab.last_event()
    task = "redundancy.tasks."
    lab.processes.kill("sweep")
    lab.processes.kill("moves")
    lab.request("failover")
    lab.processes.start("sweep", PYTHONPATH=SABOTAGE, SABOTAGE_TASK=f"{task}sweep")
    assert lab.processes.wait("sweep") == -signal.SIGKILL
    assert lab.ask("pair()")["imp-pub"][0] == "Failing Over"
    lab.processes.start("sweep")
    lab.processes.start("moves", PYTHONPATH=SABOTAGE, SABOTAGE_TASK=f"{task}move_sessions")
    assert lab.processes.wait("moves") == -signal.SIGKILL
    # The move is written, and so is the word of it: the pair needs no acknowledgement.
    lab.until("Idle", BACKUP, REST)
    # What was not acknowledged is handed out again when its time is over; here, at once.
    unacked = lab.ask("len(bus.client().zrange('unacked_index', 0, -1))")
    assert unacked
    lab.ask(
        "[bus.client().zadd('unacked_index', {tag: 0})"
        " for tag in bus.client().zrange('unacked_index', 0, -1)] and None"
    )
    lab.processes.start("moves")
    deadline = time.monotonic() + 60
    while lab.ask("bus.client().zcount('unacked_index', 0, 1)"):
        assert time.monotonic() < deadline, lab.processes.log()
        time.sleep(0.1)
    lab.wait_lab(60)
    moved = [event for event in lab.ask(f"history({before})") if event[1] == "move"]
    assert len(moved) == 1
    assert [node[2] for node in lab.ask("pair()").values()] == [0, 1000]
    check(lab, before, frozenset({"Failing Over", "Taking Over", "Idle", BACKUP}))


@pytest.mark.parametrize(
    ("call", "stored"),
    [("redundancy.operations.moves:remember_moves", 0), ("redundancy.bus:end_moves", 1)],
    ids=["before its commit", "after its commit"],
)
def test_a_worker_that_dies_within_its_moves_loses_none_and_repeats_none(
    lab: Lab, call: str, stored: int
) -> None:
    lab.wait_lab(60)
    before = lab.last_event()
    lab.processes.kill("moves")
    lab.request("failover")
    lab.until("Failing Over", "Taking Over")
    lab.processes.start("moves", PYTHONPATH=SABOTAGE, SABOTAGE_CALL=call)
    assert lab.processes.wait("moves") == -signal.SIGKILL
    assert lab.ask("bus.client().zcard(bus.MOVES)"), "it waits on"
    moved = f"[event for event in history({before}) if event[1] == 'move']"
    assert len(lab.ask(moved)) == stored
    lab.processes.start("moves")
    lab.until("Idle", BACKUP, REST)
    # What was not acknowledged is handed out again; nobody asks for it any more.
    lab.ask(
        "[bus.client().zadd('unacked_index', {tag: 0})"
        " for tag in bus.client().zrange('unacked_index', 0, -1)] and None"
    )
    lab.wait_lab(120)
    assert len(lab.ask(moved)) == 1
    assert [node[2] for node in lab.ask("pair()").values()] == [0, 1000]
    check(lab, before, frozenset({"Failing Over", "Taking Over", "Idle", BACKUP}))


def test_a_backlog_of_ten_minutes_is_flushed_without_effect(lab: Lab) -> None:
    """Ten minutes of sweeps, and the moves of takeovers long past."""
    lab.request("failover")
    lab.until("Idle", BACKUP, REST)
    lab.request("fallback")
    lab.until("Normal", "Normal", REST)
    before = lab.last_event()
    for name in ("sweep", "moves"):
        lab.processes.kill(name)
    lab.ask("[tasks.sweep.apply_async() for _ in range(600)] and None")
    lab.ask(
        "[tasks.ask_for_moves([MoveRequest(server(name).pk, MoveKind(kind), epoch, generation)])"
        " for generation in [server('imp-pub').group.ha_generation]"
        " for name in ('imp-pub', 'imp-sub') for kind in ('take over', 'home')"
        " for now in [server('imp-pub').group.epoch] for epoch in (now - 2, now - 1)"
        " for _ in range(5)] and None"
    )
    lab.wait_lab(600)
    for name in ("sweep", "moves"):
        lab.processes.start(name)
    deadline = time.monotonic() + 120
    while lab.ask("bus.client().llen('moves')") or lab.ask("bus.client().llen('sweep')") > 5:
        assert time.monotonic() < deadline, lab.processes.log()
        time.sleep(0.2)
    lab.until_watched()
    lab.wait_lab(120)
    check(lab, before)
    lab.ask("power.power_off(server=server('imp-sub'), actor='a')")
    lab.until(BACKUP, NOT_RESPONDING, REST)


@pytest.mark.parametrize("victim", ["sweep", "moves", "beat"])
def test_a_process_whose_clock_is_wrong_changes_nothing(lab: Lab, victim: str) -> None:
    """A little, more than a heartbeat's interval, and five minutes: the pair does what is asked."""
    before = lab.last_event()
    shifts = (2, 20, FIVE_MINUTES, -FIVE_MINUTES)
    for shift in shifts:
        lab.processes.kill(victim)
        lab.processes.start(victim, PYTHONPATH=SABOTAGE, SABOTAGE_CLOCK=str(shift))
        lab.until_watched()
        lab.wait_lab(MISSED)
        lab.request("failover")
        lab.until("Idle", BACKUP, REST)
        lab.request("fallback")
        lab.until("Normal", "Normal", REST)
    pub = [event[3] for event in lab.changes(before) if event[2] == "imp-pub"]
    assert pub == ["Failing Over", "Idle", "Taking Back", "Normal"] * len(shifts)
    assert lab.ask("breaches()") == []


def test_what_fails_is_found_in_time_by_a_worker_whose_clock_is_wrong(lab: Lab) -> None:
    before = lab.last_event()
    lab.processes.kill("sweep")
    lab.processes.start("sweep", PYTHONPATH=SABOTAGE, SABOTAGE_CLOCK=str(FIVE_MINUTES))
    lab.until_watched()
    lab.wait_lab(60)
    off_at = lab.ask("clock.lab_now()")
    lab.ask("power.power_off(server=server('imp-sub'), actor='a')")
    lab.until(BACKUP, NOT_RESPONDING, REST)
    declared = next(e for e in lab.changes(before) if e[3] == "Taking Over")
    # A busy machine may sweep some wall seconds late; a wrong clock would tell of hours.
    assert 60 - 15 <= declared[4] - off_at <= 60 + 10 * RATE
    assert lab.ask("breaches()") == []


def test_a_nodes_own_srm_process_is_killed_and_started_again(lab: Lab) -> None:
    """The ordinary end and start, and a cut link, on real processes."""
    lab.processes.start("srm")
    lab.until_alone()
    before = lab.last_event()
    lab.wait_lab(120)
    check(lab, before)

    lab.processes.kill("srm")
    pair = lab.until(BACKUP, NOT_RESPONDING, REST)
    assert [node[2] for node in pair.values()] == [1000, 0]
    lab.processes.start("srm")
    lab.until(BACKUP, "Failed Over", REST)
    lab.ask("actions.request_fallback(node=server('imp-sub'), serial=None, actor='a')")
    pair = lab.until("Normal", "Normal", REST)
    assert [node[2] for node in pair.values()] == [500, 500]

    lab.ask("faults.cut_link(group=server('imp-sub').group, actor='a')")
    lab.until(BACKUP, BACKUP, REST)
    lab.ask("faults.restore_link(group=server('imp-sub').group, actor='a')")
    lab.until("Running in Failed Mode", "Running in Failed Mode", REST)
    lab.ask("actions.request_recover(group=server('imp-sub').group, actor='a')")
    lab.until("Normal", "Normal", REST)
    lab.processes.kill("srm", signal.SIGTERM)
    lab.until(BACKUP, NOT_RESPONDING, REST)
    assert lab.ask("breaches()") == []
