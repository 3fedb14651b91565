"""The pair on real processes: Celery worker and beat, Valkey or Redis, the database, a fast clock."""

import time

import pytest

from redundancy.srm.states import NOT_RESPONDING
from tests.live.lab import Lab

pytestmark = pytest.mark.live

DOWN, BACKUP = "Failed Over with Critical Services not Running", "Running in Backup Mode"


def test_a_dead_service_fails_over_and_fallback_brings_the_users_home(lab: Lab) -> None:
    before, stopped_at = lab.last_event(), lab.ask("clock.lab_now()")
    lab.ask("services.stop_service(server=server('imp-pub'), name='Cisco XCP Router', actor='a')")
    pair = lab.until(DOWN, BACKUP)
    assert [node[2] for node in pair.values()] == [0, 1000]
    declared = next(e for e in lab.changes(before) if e[3] == "Failing Over")
    assert declared[4] - stopped_at >= 90

    lab.ask("services.start_service(server=server('imp-pub'), name='Cisco XCP Router', actor='a')")
    lab.until("Failed Over", BACKUP)
    lab.request("fallback")
    pair = lab.until("Normal", "Normal")
    assert [node[2] for node in pair.values()] == [500, 500]


def test_a_dead_node_is_taken_over_and_falls_back_after_thirty_minutes(lab: Lab) -> None:
    lab.ask("parameters.set_parameter(key='automatic_fallback', value='True', actor='a') and None")
    before = lab.last_event()
    lab.ask("power.power_off(server=server('imp-sub'), actor='a')")
    pair = lab.until(BACKUP, NOT_RESPONDING)
    assert [node[2] for node in pair.values()] == [1000, 0]
    declared = next(e for e in lab.changes(before) if e[3] == "Taking Over")
    # So long after the last heartbeat, which came up to an interval, and a sweep, before the power went.
    assert declared[4] - lab.ask("memory('imp-pub')['peer_at']") >= 60

    on_at = lab.ask("clock.lab_now()")
    lab.ask("power.power_on(server=server('imp-sub'), actor='a')")
    lab.until(BACKUP, "Failed Over")
    lab.until("Normal", "Normal", 2400)
    begun = next(e for e in lab.changes(before) if e[3] == "Taking Back")
    assert begun[4] - on_at >= 1800


def test_a_reboot_is_announced(lab: Lab) -> None:
    lab.ask("power.reboot(server=server('imp-pub'), actor='a')")
    pair = lab.until(NOT_RESPONDING, BACKUP)
    assert pair["imp-sub"][1] == "Peer Reboot"
    pair = lab.until("Failed Over", BACKUP)
    assert pair["imp-pub"][1] == "Initialization"


@pytest.mark.parametrize("victim", ["sweep", "beat", "valkey", "moves"])
def test_an_outage_of_our_own_causes_no_failover(lab: Lab, victim: str) -> None:
    if victim not in lab.processes.names:
        pytest.skip("the Redis that REDIS_URL names is not ours to kill")
    before = lab.last_event()
    lab.processes.kill(victim)
    lab.wait_lab(300)
    if victim != "moves":
        # Three sweeps and five seconds are given before a page says so.
        deadline = time.monotonic() + 30
        while lab.ask("observing.observer().ok"):
            assert time.monotonic() < deadline, lab.processes.log()
            time.sleep(0.1)
    lab.processes.start(victim)
    deadline = time.monotonic() + 30
    while not lab.ask("observing.observer().ok"):
        assert time.monotonic() < deadline, lab.processes.log()
        time.sleep(0.1)
    lab.wait_lab(240)
    assert lab.changes(before) == []

    # And the nodes are watched again: a fault of theirs is found.
    lab.ask("power.power_off(server=server('imp-sub'), actor='a')")
    lab.until(BACKUP, NOT_RESPONDING)


def test_two_workers_and_two_beats_do_nothing_twice(lab: Lab) -> None:
    for name in ("sweep-2", "beat-2"):
        lab.processes.start(name)
    before = lab.last_event()
    for _ in range(3):
        lab.request("failover")
        lab.until("Idle", BACKUP)
        lab.request("fallback")
        lab.until("Normal", "Normal")
    states = [(event[2], event[3]) for event in lab.changes(before)]
    assert [state for name, state in states if name == "imp-pub"] == [
        "Failing Over",
        "Idle",
        "Taking Back",
        "Normal",
    ] * 3
    assert [state for name, state in states if name == "imp-sub"] == [
        "Taking Over",
        BACKUP,
        "Falling Back",
        "Normal",
    ] * 3
