"""Gaps in which nobody looked: what is one, and what it does to each timer."""

from dataclasses import replace

import pytest

from redundancy.srm import timers
from redundancy.srm.types import Node, Policy, Reading
from tests.srm.one_node import NOW, S, beat, node

UP = Reading("A Cisco DB", True, NOW - 800, database=True)
DOWN = Reading("Cisco XCP Router", False, NOW - 40)
UNREAD = Reading("Cisco Presence Engine", None, NOW - 50)
# Every timer runs. Its last step was at NOW.
RUNNING = node(
    S.BACKUP,
    peer=beat(S.NORMAL),
    peer_at=NOW - 10,
    listening_since=NOW - 20,
    settled_at=NOW - 30,
    started_at=NOW - 60,
    starting_since=NOW - 70,
    healthy_since=NOW - 80,
    services=(UP, DOWN, UNREAD),
    stepped_at=NOW,
)


def after(gap: float, policy: Policy | None = None, before: Node = RUNNING) -> Node:
    return timers.notice_gap(before, NOW + gap, policy or Policy())


@pytest.mark.parametrize(
    ("gap", "lost"),
    [
        # One interval counts.
        (600.0, 585.0),
        (17.5, 2.5),
        # A clock set back: the timers keep what they have counted.
        (-15.5, -15.5),
        (-3600.0, -3600.0),
    ],
)
def test_a_gap_sets_every_timer_back_by_what_nobody_saw(gap: float, lost: float) -> None:
    set_back = after(gap)
    assert set_back == replace(
        RUNNING,
        dazed=True,
        peer_at=NOW - 10 + lost,
        listening_since=NOW - 20 + lost,
        settled_at=NOW - 30 + lost,
        started_at=NOW - 60 + lost,
        starting_since=NOW - 70 + lost,
        healthy_since=NOW - 80 + lost,
        services=(UP, replace(DOWN, since=DOWN.since + lost), UNREAD),
    )


@pytest.mark.parametrize("gap", [17.0, 0.0, -15.0])
def test_an_interval_and_two_ticks_are_no_gap(gap: float) -> None:
    assert after(gap) is RUNNING


def test_what_does_not_run_is_not_set_back() -> None:
    resting = replace(RUNNING, starting_since=None, healthy_since=None)
    found = after(600, before=resting)
    assert (found.starting_since, found.healthy_since) == (None, None)


def test_nobody_misses_what_was_never_there() -> None:
    for before in (replace(RUNNING, state=S.UNKNOWN), replace(RUNNING, stepped_at=None)):
        assert after(600, before=before) is before


@pytest.mark.parametrize(
    ("last", "now", "usual"),
    [
        # It was called as the parameters of its last step wanted, and not as those of now.
        (Policy(), Policy(heartbeat_interval=40), 17),
        (Policy(heartbeat_interval=40, heartbeat_timeout=200), Policy(), 42),
        # But a faster clock makes the ticks longer at once.
        (Policy(), Policy(tick=10), 35),
        (Policy(tick=10), Policy(), 35),
        (None, Policy(tick=4), 23),
        # The silence over a gap never reaches the timeout.
        (Policy(heartbeat_timeout=30), Policy(), 15),
    ],
)
def test_how_far_apart_steps_may_be(last: Policy | None, now: Policy, usual: float) -> None:
    before = replace(RUNNING, policy=last)
    assert after(usual, now, before) is before
    assert after(usual + 0.5, now, before).dazed


# --- parameters ----------------------------------------------------------------------------------


def changed(before: Node, policy: Policy) -> Node:
    return timers.notice_parameters(before, NOW, policy)


@pytest.mark.parametrize(
    ("silent", "leaving", "heard"),
    [
        (29, False, 0),
        # It was late by the old interval already; or has said goodbye.
        (30, False, 30),
        (10, True, 10),
    ],
)
def test_another_interval_gives_the_peer_time_unless_it_was_late(
    silent: float, leaving: bool, heard: float
) -> None:
    listening = replace(
        RUNNING,
        peer=beat(S.NORMAL, leaving=leaving),
        peer_at=NOW - silent,
        policy=Policy(),
    )
    found = changed(listening, Policy(heartbeat_interval=20))
    assert found.peer_at == NOW - heard
    # The same interval gives none.
    assert changed(listening, Policy(critical_service_delay=91)).peer_at == NOW - silent


def test_another_interval_gives_one_that_was_never_heard_time_too() -> None:
    waiting = replace(RUNNING, peer=None, listening_since=NOW - 29, policy=Policy())
    assert changed(waiting, Policy(heartbeat_interval=20)).listening_since == NOW


def test_only_a_service_that_is_down_has_a_timer() -> None:
    found = changed(replace(RUNNING, policy=Policy()), Policy(critical_service_delay=45))
    # Down for 40 s of 90 s: of the new 45 s all are to come.
    assert found.services == (UP, replace(DOWN, since=NOW), UNREAD)


def test_the_wait_for_an_answer_begins_with_the_srm_that_waits() -> None:
    waiting = replace(
        RUNNING,
        state=S.TAKING_BACK,
        settled_at=NOW - 50,
        started_at=NOW - 20,
        starting_since=None,
        policy=Policy(),
    )
    # 20 s of 60 s have passed, 40 are left; under a limit of 45 s they end when they would have.
    assert changed(waiting, Policy(heartbeat_timeout=45)).settled_at == NOW - 5
    assert changed(replace(waiting, started_at=0), Policy(heartbeat_timeout=45)).settled_at == (
        NOW - 35
    )
    assert changed(waiting, Policy(heartbeat_timeout=45)).starting_since is None
    normal = replace(waiting, state=S.NORMAL)
    assert changed(normal, Policy(heartbeat_timeout=45)).settled_at == NOW - 50
