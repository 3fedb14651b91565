"""Our own processes broken on purpose, on the real stack: the pair must not suffer for it.

After each: the audit finds nothing, no state has changed that no fault of a node explains, and the
pair comes to rest.
"""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from redundancy.srm.states import NOT_RESPONDING
from tests.live.conftest import RATE, Lab

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(240)]

BACKUP = "Running in Backup Mode"
SABOTAGE = str(Path(__file__).parent / "sabotage")
FIVE_MINUTES = 300
REST = 3600
# Takes the pair somewhere; returns the states of its nodes there.
Way = Callable[[Lab], tuple[str, str]]


def check(lab: Lab, before: int, allowed: frozenset[str] = frozenset()) -> None:
    """No change of state but the allowed ones, and no breach."""
    changes = lab.changes(before)
    assert {change[3] for change in changes} <= allowed, f"{changes}\n{lab.processes.log()}"
    assert lab.ask("breaches()") == []


def outage(lab: Lab, victim: str, how: str) -> None:
    """Stop a process for five lab minutes, or kill it and start it again; wait until all is seen."""
    if how == "stopped":
        lab.processes.pause(victim)
        lab.wait_lab(FIVE_MINUTES)
        lab.processes.resume(victim)
    else:
        lab.processes.kill(victim)
        lab.processes.start(victim)
    lab.until_watched()
    # Time enough to miss a peer, if anybody were to.
    lab.wait_lab(75)


def into_initializing(lab: Lab) -> tuple[str, str]:
    """Wait with a stopped service, which SRM puts up with for an hour."""
    lab.ask("groups.disable_ha(group=server('imp-pub').group, actor='') and None")
    lab.ask("parameters.set_parameter(key='critical_service_delay', value='3600', actor='') and 0")
    lab.ask("services.stop_service(server=server('imp-pub'), name='Cisco XCP Router', actor='')")
    lab.ask("groups.enable_ha(group=server('imp-pub').group, actor='') and None")
    return "Initializing", "Initializing"


def out_of_initializing(lab: Lab) -> tuple[str, str]:
    lab.ask("services.start_service(server=server('imp-pub'), name='Cisco XCP Router', actor='')")
    return "Normal", "Normal"


def into_takeover(lab: Lab) -> tuple[str, str]:
    """Wait with moves that nobody carries out."""
    lab.processes.pause("moves")
    lab.request("failover")
    return "Failing Over", "Taking Over"


def out_of_takeover(lab: Lab) -> tuple[str, str]:
    lab.processes.resume("moves")
    return "Idle", BACKUP


def into_fallback(lab: Lab) -> tuple[str, str]:
    lab.request("failover")
    lab.until("Idle", BACKUP, REST)
    lab.processes.pause("moves")
    lab.request("fallback")
    return "Taking Back", "Falling Back"


def out_of_fallback(lab: Lab) -> tuple[str, str]:
    lab.processes.resume("moves")
    return "Normal", "Normal"


@pytest.mark.parametrize(
    ("into", "out_of", "outages"),
    [
        (into_initializing, out_of_initializing, ("sweep stopped", "beat killed", "valkey killed")),
        (into_takeover, out_of_takeover, ("sweep killed", "beat stopped", "valkey killed")),
        (into_fallback, out_of_fallback, ("sweep stopped", "beat killed", "valkey stopped")),
    ],
    ids=["initializing", "taking over", "taking back"],
)
def test_an_outage_of_ours_in_a_transition_is_survived(
    lab: Lab, into: Way, out_of: Way, outages: tuple[str, ...]
) -> None:
    lab.until(*into(lab), REST)
    # A page shows Initializing before the nodes' own first step says so.
    lab.wait_lab(15)
    before = lab.last_event()
    for each in outages:
        victim, how = each.split()
        if victim in lab.processes.names:
            outage(lab, victim, how)
            check(lab, before)
    final = out_of(lab)
    lab.until(*final, REST)
    check(lab, before, frozenset(final))


def test_work_done_and_not_acknowledged_is_not_done_twice(lab: Lab) -> None:
    """A worker dies between its database write and its acknowledgement: of a sweep, and of a move."""
    # The moves home that both nodes asked for on their way to Normal are done.
    lab.wait_lab(60)
    before = lab.last_event()
    task = "redundancy.live.tasks."
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


def test_a_backlog_of_ten_minutes_is_flushed_without_effect(lab: Lab) -> None:
    """Ten minutes of sweeps that do not expire, and the moves of takeovers long past."""
    lab.request("failover")
    lab.until("Idle", BACKUP, REST)
    lab.request("fallback")
    lab.until("Normal", "Normal", REST)
    before = lab.last_event()
    for name in ("sweep", "moves"):
        lab.processes.kill(name)
    lab.ask("[tasks.sweep.apply_async() for _ in range(600)] and None")
    lab.ask(
        "[tasks.move_sessions.delay(server(name).pk, kind, epoch, 1)"
        " for name in ('imp-pub', 'imp-sub') for kind in ('take over', 'home')"
        " for epoch in (0, 1) for _ in range(10)] and None"
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


def test_a_process_whose_clock_is_five_minutes_wrong_changes_nothing(lab: Lab) -> None:
    before = lab.last_event()
    for victim in ("sweep", "moves", "beat"):
        for shift in (FIVE_MINUTES, -FIVE_MINUTES):
            lab.processes.kill(victim)
            lab.processes.start(victim, PYTHONPATH=SABOTAGE, SABOTAGE_CLOCK=str(shift))
            lab.until_watched()
            lab.wait_lab(75)
    check(lab, before)
    # The clock of beat is still wrong: what really fails is found, neither early nor late.
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
    deadline = time.monotonic() + 60
    while not lab.ask("server('imp-sub').machine.srm_worker"):
        assert time.monotonic() < deadline, lab.processes.log()
        time.sleep(0.1)
    lab.wait_lab(60)
    lab.until("Normal", "Normal", REST)
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
