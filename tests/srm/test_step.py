"""One step of one node: what it sends, what it asks for, what it remembers, and when it is called next."""

from dataclasses import replace
from typing import Any

import pytest

from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.types import (
    Action,
    Asked,
    Disabled,
    Enabled,
    Event,
    Heard,
    Heartbeat,
    Leaving,
    Move,
    MoveFailed,
    MoveKind,
    MoveSessions,
    Node,
    PowerDown,
    Request,
    SendHeartbeat,
    StartAgain,
    Started,
    StartServices,
    StateChanged,
    Tick,
)
from tests.srm.one_node import ADMIN, INIT, NOW, OWN, POLICY, PUB, R, S, beat, node, services


def actions(before: Node, event: Event) -> tuple[Action, ...]:
    return step(before, event, NOW, POLICY).actions


def sent(before: Node, event: Event) -> list[Heartbeat]:
    return [a.heartbeat for a in actions(before, event) if isinstance(a, SendHeartbeat)]


PAIR = node(S.NORMAL, peer=beat(S.NORMAL), peer_at=NOW - 5)
NEXT = Heard(beat(S.NORMAL, seq=8))

# --- heartbeats ----------------------------------------------------------------------------------


def test_a_heartbeat_tells_the_whole_situation() -> None:
    before = replace(
        PAIR, seq=41, incarnation=3, generation=1, epoch=6, next_heartbeat=NOW, reason=R.NORMAL
    )
    (told,) = sent(before, Tick(before.services))
    assert told == Heartbeat(
        sender=PUB,
        incarnation=3,
        seq=42,
        generation=1,
        state=S.NORMAL,
        reason=R.NORMAL,
        epoch=6,
        healthy=True,
        hears=True,
        leaving=False,
    )
    (told,) = sent(replace(before, peer=None), Tick(services(5)))
    assert (told.healthy, told.hears) == (False, False)


@pytest.mark.parametrize(
    ("before", "event", "at_once"),
    [
        (PAIR, NEXT, False),
        (PAIR, Tick(PAIR.services), False),
        # A peer just found hears back, and one that was restarted.
        (replace(PAIR, peer=None), NEXT, True),
        (PAIR, Heard(beat(S.NORMAL, incarnation=2, seq=1)), True),
        # Its health has changed, or its state.
        (PAIR, Tick(services(1)), True),
        (PAIR, Heard(beat(S.FAILING_OVER, seq=8)), True),
        (PAIR, Asked(Request.FAILOVER), True),
    ],
)
def test_a_heartbeat_goes_at_once_when_there_is_news(
    before: Node, event: Event, at_once: bool
) -> None:
    assert bool(sent(before, event)) is at_once
    # The beat is kept.
    assert step(before, event, NOW, POLICY).node.next_heartbeat == PAIR.next_heartbeat


@pytest.mark.parametrize(
    ("planned", "due"), [(0, True), (-1, True), (1, False), (15, False), (16, True)]
)
def test_a_heartbeat_is_due_when_it_was_planned_or_by_another_interval(
    planned: float, due: bool
) -> None:
    before = replace(PAIR, next_heartbeat=NOW + planned)
    assert bool(sent(before, Tick(PAIR.services))) is due


def test_a_node_that_is_off_or_leaves_sends_nothing() -> None:
    for before in (replace(PAIR, state=S.UNKNOWN), replace(PAIR, leaving=True)):
        assert actions(replace(before, next_heartbeat=NOW), Tick(PAIR.services)) == ()


# --- moves ---------------------------------------------------------------------------------------


def asks(before: Node) -> list[MoveSessions]:
    found = actions(before, Tick(before.services))
    return [action for action in found if isinstance(action, MoveSessions)]


TAKING = node(S.TAKING_OVER, move=Move(MoveKind.TAKE_OVER), epoch=4)


@pytest.mark.parametrize(("asked_at", "again"), [(None, True), (NOW - 15, True), (NOW - 14, False)])
def test_a_move_is_asked_for_again_each_interval(asked_at: float | None, again: bool) -> None:
    before = replace(TAKING, move=Move(MoveKind.TAKE_OVER, asked_at))
    assert asks(before) == ([MoveSessions(MoveKind.TAKE_OVER, 4)] if again else [])
    after = step(before, Tick(before.services), NOW, POLICY).node
    assert after.move == Move(MoveKind.TAKE_OVER, NOW if again else asked_at)


def test_a_move_waits_for_the_services_that_were_asked_to_start() -> None:
    starting = replace(TAKING, services=services(5), healthy_since=None, starting_since=NOW - 5)
    assert asks(starting) == []
    assert step(starting, Tick(starting.services), NOW, POLICY).node.starting_since == NOW - 5
    running = step(starting, Tick(services()), NOW, POLICY)
    assert MoveSessions(MoveKind.TAKE_OVER, 4) in running.actions
    assert running.node.starting_since is None


def test_a_manual_failover_whose_peer_goes_takes_the_sessions_when_its_services_run() -> None:
    failing = node(S.FAILING_OVER, ADMIN, services=services(5), healthy_since=None)
    outcome = step(failing, Heard(beat(S.NORMAL, leaving=True)), NOW, POLICY)
    assert outcome.node.starting_since == NOW
    assert [type(a) for a in outcome.actions].count(StartServices) == 1
    assert not [a for a in outcome.actions if isinstance(a, MoveSessions)]


# --- changes of state ----------------------------------------------------------------------------


def test_a_change_is_told_with_what_it_was_and_becomes() -> None:
    before = node(S.NORMAL, R.NORMAL, epoch=6, serial=11)
    outcome = step(before, Heard(beat(S.FAILED, OWN)), NOW, POLICY)
    change = next(a for a in outcome.actions if isinstance(a, StateChanged))
    assert change == StateChanged(
        S.NORMAL, R.NORMAL, S.FAILED, OWN, "imp-sub runs in failed mode.", 6
    )
    after = outcome.node
    assert (after.since, after.settled_at, after.serial) == (NOW, NOW, 12)
    assert (after.stepped_at, after.policy) == (NOW, POLICY)


def test_a_change_ends_what_was_under_way() -> None:
    before = replace(TAKING, starting_since=NOW - 5, services=services(5), healthy_since=None)
    after = step(before, Heard(beat(S.FAILED)), NOW, POLICY).node
    assert (after.move, after.starting_since) == (None, None)


@pytest.mark.parametrize("own", [S.BACKUP, S.BACKUP_ACTIVATED])
def test_only_a_node_in_backup_mode_holds_the_sessions_of_both(own: State) -> None:
    started = Started(incarnation=2, epoch=7, holder=PUB)
    restarted = step(node(own, holds=True), started, NOW, POLICY).node
    assert (restarted.state, restarted.holds, restarted.epoch) == (own, True, 7)
    assert not step(node(own, holds=True), replace(started, holder=None), NOW, POLICY).node.holds
    assert not step(node(own, holds=True), Heard(beat(S.TAKING_BACK)), NOW, POLICY).node.holds


# --- HA and its SRM ------------------------------------------------------------------------------

# Of everything something.
BUSY = node(
    S.IDLE,
    OWN,
    first=False,
    since=NOW - 300,
    serial=9,
    incarnation=2,
    generation=3,
    epoch=5,
    seq=70,
    peer=beat(S.BACKUP),
    peer_at=NOW - 3,
    started_at=NOW - 900,
    dazed=True,
    starting_since=NOW - 4,
    move=Move(MoveKind.HOME, NOW - 2),
    holds=True,
    leaving=True,
    suspects=True,
    handed_over=True,
    stopped=("Cisco XCP Router",),
    stop_asked_at=NOW - 6,
)


@pytest.mark.parametrize(("epoch", "knows"), [(8, 8), (1, 5)])
@pytest.mark.parametrize("recover", [False, True])
def test_enabling_begins_anew_but_for_what_must_not_be_forgotten(
    recover: bool, epoch: int, knows: int
) -> None:
    outcome = step(BUSY, Enabled(4, 6, epoch, recover), NOW, POLICY)
    assert outcome.node == Node(
        name=PUB,
        peer_name="imp-sub",
        first=False,
        state=S.INITIALIZING,
        reason=INIT,
        since=NOW,
        serial=10,
        incarnation=6,
        generation=4,
        epoch=knows,
        # A heartbeat of before must not be newer than those to come.
        seq=71,
        listening_since=NOW,
        started_at=NOW,
        next_heartbeat=NOW + 15,
        stepped_at=NOW,
        settled_at=NOW,
        starting_since=NOW if recover else None,
        stopped=("Cisco XCP Router",),
        stop_asked_at=NOW - 6,
    )
    # It looks at its services at once.
    assert outcome.wake == NOW
    changed = next(a for a in outcome.actions if isinstance(a, StateChanged))
    assert changed.sentence == (
        "Both SRMs are restarted to recover." if recover else "High Availability was enabled."
    )
    assert (StartServices() in outcome.actions) is recover


def test_disabling_starts_what_srm_stopped() -> None:
    down = services(100)
    outcome = step(replace(BUSY, stop_asked_at=None), Disabled(down), NOW, POLICY)
    change, again = outcome.actions
    assert isinstance(change, StateChanged)
    assert change.sentence == "High Availability was disabled."
    assert again == StartAgain(("Cisco XCP Router",))
    after = outcome.node
    assert (after.state, after.reason) == (S.UNKNOWN, Reason.HA_NOT_ENABLED)
    assert (after.stopped, after.stop_asked_at, after.move) == ((), None, None)
    assert outcome.wake == float("inf")
    # Nothing is left to start, and nothing to disable.
    assert len(actions(replace(BUSY, stopped=(), stop_asked_at=None), Disabled(down))) == 1
    assert actions(replace(BUSY, state=S.UNKNOWN), Disabled(down)) == ()


@pytest.mark.parametrize(("epoch", "knows"), [(8, 8), (1, 5)])
def test_a_started_srm_forgets_what_it_saw_and_keeps_what_it_was(epoch: int, knows: int) -> None:
    after = step(BUSY, Started(7, epoch, "imp-sub"), NOW, POLICY).node
    assert after == replace(
        BUSY,
        reason=INIT,
        since=NOW,
        settled_at=NOW,
        serial=10,
        incarnation=7,
        epoch=knows,
        seq=71,
        peer=None,
        listening_since=NOW,
        services=(),
        healthy_since=None,
        started_at=NOW,
        next_heartbeat=NOW + 15,
        stepped_at=NOW,
        dazed=False,
        starting_since=None,
        move=None,
        holds=False,
        leaving=False,
        handed_over=False,
        # Asked to stop once more.
        stop_asked_at=NOW,
    )


def test_while_ha_is_off_a_start_is_remembered_and_nothing_else() -> None:
    outcome = step(replace(BUSY, state=S.UNKNOWN), Started(7, 9, PUB), NOW, POLICY)
    assert outcome.actions == ()
    assert (outcome.node.incarnation, outcome.node.epoch, outcome.node.holds) == (7, 9, True)


@pytest.mark.parametrize("reboot", [False, True])
def test_the_last_heartbeat_says_that_the_node_goes(reboot: bool) -> None:
    first, last = actions(PAIR, Leaving(reboot))
    assert isinstance(first, SendHeartbeat)
    assert first.heartbeat.leaving
    assert last == PowerDown(reboot)


# --- when it is called next ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "event", "at_once"),
    [
        # Before anything is judged its peer gets a word in.
        (replace(PAIR, dazed=True), Tick(PAIR.services), True),
        (replace(PAIR, peer_at=NOW - 60), Tick(PAIR.services), True),
        (replace(PAIR, peer_at=NOW - 59), Tick(PAIR.services), False),
        # Its place in the pair depends on its services.
        (node(S.INITIALIZING, services=()), NEXT, True),
        (node(S.INITIALIZING, services=services(90)), NEXT, True),
        (node(S.INITIALIZING, services=services(89)), NEXT, False),
        (node(S.NORMAL, services=()), NEXT, False),
        (PAIR, NEXT, False),
    ],
)
def test_when_a_node_looks_again_at_once(before: Node, event: Event, at_once: bool) -> None:
    outcome = step(before, event, NOW, POLICY)
    assert (outcome.wake == NOW) is at_once
    assert outcome.wake <= NOW + 15


def test_silence_at_its_limit_is_judged_by_the_second_look() -> None:
    silent = replace(PAIR, peer_at=NOW - 60)
    first = step(silent, Tick(PAIR.services), NOW, POLICY)
    assert (first.node.suspects, first.node.state) == (True, S.NORMAL)
    second = step(first.node, Tick(PAIR.services), NOW, POLICY)
    assert second.node.state is S.TAKING_OVER
    # One that is heard in between is not suspected any more.
    heard = step(first.node, NEXT, NOW, POLICY)
    assert not step(heard.node, Tick(PAIR.services), NOW, POLICY).node.suspects
    # Only a look at the time suspects.
    assert not step(silent, MoveFailed(MoveKind.HOME, 0), NOW, POLICY).node.suspects


@pytest.mark.parametrize(
    "more",
    [
        {"services": services(95), "healthy_since": None},
        {"peer_at": NOW - 60, "suspects": True},
        {"state": S.FAILED_OVER, "services": services(5), "healthy_since": None},
    ],
)
def test_a_dazed_node_judges_nothing_at_its_first_look(more: dict[str, Any]) -> None:
    dazed = replace(PAIR, dazed=True, **more)
    outcome = step(dazed, Tick(dazed.services), NOW, POLICY)
    assert (outcome.node.state, outcome.node.dazed) == (dazed.state, False)
    assert step(replace(dazed, dazed=False), Tick(dazed.services), NOW, POLICY).node.state is not (
        dazed.state
    )
