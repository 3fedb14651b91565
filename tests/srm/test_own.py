"""The rules of the pair, written out once more: services, requests, fallbacks and moves.

Each rule is judged by a step of a node, for every state and not only where it applies; whatever no
rule names must leave the node as it was.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from redundancy.srm.states import Reason, State
from redundancy.srm.step import offers, step
from redundancy.srm.types import (
    Asked,
    Event,
    Heard,
    Heartbeat,
    IllegalRequest,
    Leaving,
    Move,
    Moved,
    MoveFailed,
    MoveKind,
    MoveRefused,
    Node,
    Policy,
    Request,
    Started,
    StartServices,
    StopServices,
    Tick,
)
from tests.srm.one_node import (
    ADMIN,
    ANY,
    BACKUPS,
    HEARD,
    INIT,
    NOW,
    OVER,
    OWN,
    PEERS,
    POLICY,
    PUB,
    SUB,
    Becomes,
    R,
    S,
    beat,
    becomes,
    node,
    services,
    tick,
)

# --- services ------------------------------------------------------------------------------------

FAULTS = {
    "router": ({"router": 90.0}, R.CRITICAL_SERVICE_DOWN, R.AUTO_RECOVER_SERVICE),
    "database": ({"database": 90.0}, R.DATABASE_FAILURE, R.AUTO_RECOVER_DATABASE),
    "the database first": (
        {"router": 91.0, "database": 95.0},
        R.DATABASE_FAILURE,
        R.AUTO_RECOVER_DATABASE,
    ),
    "the router first": (
        {"router": 95.0, "database": 91.0},
        R.CRITICAL_SERVICE_DOWN,
        R.AUTO_RECOVER_SERVICE,
    ),
}
# A peer's state, and whether its services run → what it can do for one that serves everybody.
CAN_SERVE = {
    (S.IDLE, True),
    (S.IDLE, False),
    (S.FAILED_OVER, True),
    (S.FAILED_OVER_DOWN, True),
    (S.AFFECTED, True),
}
CANNOT_SERVE = {(S.FAILED_OVER, False), (S.FAILED_OVER_DOWN, False), (S.AFFECTED, False)}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("own", S)
def test_services_down_for_the_delay_while_the_peer_is_heard(own: State, fault: str) -> None:
    down, reason, auto = FAULTS[fault]
    before = node(own, services=services(**down), healthy_since=None)
    for said, peer_up in product(S, ANY):
        heard = replace(before, peer=beat(said, healthy=peer_up), peer_at=NOW - 1)
        if (own, False, said) in HEARD or (own, said) == (S.FAILED, S.FAILED):
            # What the peer says weighs more.
            continue
        then: Becomes = None
        if own is S.INITIALIZING and said in (S.FAILING_OVER, *OVER):
            then = (S.FAILED, reason, "")
        elif own in (S.INITIALIZING, S.NORMAL):
            then = (S.FAILING_OVER, reason, "")
        elif own in BACKUPS and (said, peer_up) in CAN_SERVE:
            then = (S.AFFECTED, auto, "")
        elif own in BACKUPS and (said, peer_up) in CANNOT_SERVE:
            then = (S.FAILED, reason, "")
        elif own is S.FAILED_OVER:
            then = (S.FAILED_OVER_DOWN, OWN, "")
        assert tick(heard) == then, (said, peer_up)


@pytest.mark.parametrize("own", [S.INITIALIZING, *BACKUPS])
def test_services_down_while_the_peer_is_not_heard(own: State) -> None:
    """Nobody would be better off: it waits."""
    assert tick(node(own, services=services(90), healthy_since=None)) is None


def test_one_second_less_than_the_delay_is_not_the_delay() -> None:
    for own in S:
        then = (S.FAILED_OVER_DOWN, OWN, "") if own is S.FAILED_OVER else None
        before = node(own, services=services(89), healthy_since=None)
        assert tick(replace(before, peer=beat(S.UNKNOWN), peer_at=NOW - 1)) == then, own


def test_services_run_again() -> None:
    for own in S:
        then = (S.FAILED_OVER, OWN, "") if own is S.FAILED_OVER_DOWN else None
        assert tick(node(own, peer=beat(S.UNKNOWN), peer_at=NOW - 1)) == then, own


def test_services_that_do_not_start_in_time() -> None:
    for own in S:
        before = node(own, services=services(5), healthy_since=None)
        before = replace(before, peer=beat(S.UNKNOWN), peer_at=NOW - 1, starting_since=NOW - 90)
        then: Becomes = (S.FAILED_OVER_DOWN, OWN, "") if own is S.FAILED_OVER else None
        assert tick(replace(before, starting_since=NOW - 89)) == then, own
        if own in (S.TAKING_OVER, S.TAKING_BACK):
            then = (S.FAILED, R.START_FAILED, "")
            before = replace(before, reason=PEERS)
        assert tick(before) == then, own


# --- an SRM is started ---------------------------------------------------------------------------


@pytest.mark.parametrize("holder", [PUB, SUB, None])
def test_an_srm_is_started(holder: str | None) -> None:
    for own in S:
        then: Becomes = (S.INITIALIZING, INIT, "")
        if own is S.UNKNOWN:
            then = None
        elif own is S.TAKING_OVER and holder != SUB:
            then = (own, INIT, "start take")
        elif (own in BACKUPS and holder == PUB) or own is S.FALLING_BACK:
            then = (own, INIT, "")
        elif own is S.IDLE and holder == SUB:
            then = (own, INIT, "stop")
        started = Started(incarnation=2, epoch=0, holder=holder)
        assert becomes(node(own), started) == then, own
        # One that is known already is no start.
        assert becomes(node(own), replace(started, incarnation=1)) is None, own


@pytest.mark.parametrize(
    ("own", "holder", "does"), [(S.TAKING_OVER, None, "start"), (S.IDLE, SUB, "stop")]
)
def test_a_second_start_does_its_work_again(own: State, holder: str | None, does: str) -> None:
    outcome = step(node(own, INIT), Started(2, 0, holder), NOW, POLICY)
    wanted = StartServices if does == "start" else StopServices
    assert [action for action in outcome.actions if isinstance(action, wanted)]
    assert (outcome.node.state, outcome.node.reason) == (own, INIT)


# --- what an administrator asks for --------------------------------------------------------------


def peers() -> Iterator[Heartbeat | None]:
    yield None
    for said, hears in product(S, ANY):
        yield beat(said, hears=hears)


@pytest.mark.parametrize("request_", Request)
@pytest.mark.parametrize("own", S)
def test_what_an_administrator_asks_for(own: State, request_: Request) -> None:
    for peer in peers():
        before = node(own, peer=peer, peer_at=NOW - 1)
        then: Becomes = None
        if request_ is Request.FAILOVER and own is S.NORMAL and peer and peer.state is S.NORMAL:
            then = (S.FAILING_OVER, ADMIN, "stop")
        elif request_ is Request.FALLBACK and own in (S.IDLE, S.FAILED_OVER, S.AFFECTED):
            serves = peer is not None and peer.state in BACKUPS and peer.hears
            then = (S.TAKING_BACK, ADMIN, "restart home") if serves else None
        assert offers(before, request_, NOW, POLICY) == (then is not None), peer
        if then is None:
            with pytest.raises(IllegalRequest) as error:
                step(before, Asked(request_), NOW, POLICY)
            assert error.value.request is request_
        else:
            assert becomes(before, Asked(request_)) == then
            silent = replace(before, peer_at=NOW - 60)
            assert not offers(silent, request_, NOW, POLICY)


# --- fallback ------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", S)
def test_it_falls_back_by_itself(own: State) -> None:
    automatic = Policy(automatic_fallback=True)
    for peer in peers():
        if peer is None or (own, True, peer.state) in HEARD:
            continue
        if own in (S.FAILED_OVER_DOWN, S.TAKING_BACK):
            # Judged elsewhere.
            continue
        before = node(own, peer=peer, peer_at=NOW - 1, settled_at=NOW - 1800, policy=automatic)
        then: Becomes = None
        if own in (S.FAILED_OVER, S.AFFECTED) and peer.state in BACKUPS and peer.hears:
            then = (S.TAKING_BACK, R.AUTOMATIC_FALLBACK, "restart home")
        assert tick(before, automatic) == then, peer
        if own in (S.FAILED_OVER, S.AFFECTED):
            assert tick(replace(before, settled_at=NOW - 1799), automatic) is None
            assert tick(replace(before, healthy_since=NOW - 1799), automatic) is None
            assert tick(replace(before, policy=POLICY)) is None


@pytest.mark.parametrize("said", [*BACKUPS, S.UNKNOWN, S.FALLING_BACK, S.NORMAL, S.INITIALIZING])
def test_a_fallback_that_nobody_answers(said: State) -> None:
    before = node(S.TAKING_BACK, peer=beat(said), peer_at=NOW - 1, settled_at=NOW - 60)
    gives_up = (S.FAILED_OVER, R.PEER_DOWN, "")
    assert tick(before) == (None if said not in (*BACKUPS, S.UNKNOWN) else gives_up)
    assert tick(replace(before, settled_at=NOW - 59)) is None
    assert tick(replace(before, started_at=NOW - 59)) is None
    assert tick(replace(before, starting_since=NOW - 5)) is None


@pytest.mark.parametrize(
    ("more", "peer", "then"),
    [
        (
            {},
            {"healthy": False, "hears": False},
            (S.TAKING_OVER, R.PEER_DOWN_DURING_INITIALIZATION, "take"),
        ),
        ({"listening_since": NOW - 119}, {"healthy": False, "hears": False}, None),
        ({"up": False}, {"healthy": False, "hears": False}, None),
        ({}, {"healthy": True, "hears": False}, None),
        ({}, {"healthy": False, "hears": True}, None),
    ],
)
def test_one_that_its_peer_does_not_hear(
    more: dict[str, Any], peer: dict[str, Any], then: Becomes
) -> None:
    """It takes over after the initialization timeout, if the deaf peer cannot serve."""
    before = node(S.INITIALIZING, **{"listening_since": NOW - 120} | more)
    assert tick(replace(before, peer=beat(S.INITIALIZING, **peer), peer_at=NOW - 1)) == then


# --- moves ---------------------------------------------------------------------------------------


def asked(own: State, kind: MoveKind, reason: Reason = OWN, **more: Any) -> Node:
    return node(own, reason, move=Move(kind, NOW - 1), **more)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (OWN, S.BACKUP),
        (R.AUTO_RECOVER_SERVICE, S.BACKUP_ACTIVATED),
        (R.AUTO_RECOVER_DATABASE, S.BACKUP_ACTIVATED),
    ],
)
def test_sessions_were_taken(reason: Reason, state: State) -> None:
    taking = asked(S.TAKING_OVER, MoveKind.TAKE_OVER, reason)
    after = step(taking, Moved(MoveKind.TAKE_OVER, 4), NOW, POLICY).node
    assert (after.state, after.reason, after.holds, after.epoch) == (state, reason, True, 4)
    # The answer to another question is none.
    other = step(taking, Moved(MoveKind.HOME, 4), NOW, POLICY).node
    assert (other.state, other.move, other.epoch) == (S.TAKING_OVER, taking.move, 4)


def test_sessions_went_home() -> None:
    taking_back = asked(S.TAKING_BACK, MoveKind.HOME)
    after = step(taking_back, Moved(MoveKind.HOME, 4), NOW, POLICY).node
    assert (after.state, after.reason, after.holds, after.move) == (S.NORMAL, R.NORMAL, False, None)


@pytest.mark.parametrize(
    ("own", "kind", "reason"),
    [
        (S.TAKING_OVER, MoveKind.TAKE_OVER, R.TAKE_OVER_FAILED),
        (S.TAKING_BACK, MoveKind.HOME, R.TAKE_BACK_FAILED),
    ],
)
def test_sessions_could_not_be_moved(own: State, kind: MoveKind, reason: Reason) -> None:
    before = asked(own, kind, R.PEER_DOWN, epoch=3)
    assert becomes(before, MoveFailed(kind, 3)) == (S.FAILED, reason, "")
    # Of an older move, or of the other kind.
    assert becomes(before, MoveFailed(kind, 2)) is None
    (other,) = set(MoveKind) - {kind}
    assert becomes(before, MoveFailed(other, 3)) is None
    assert becomes(replace(before, move=None), MoveFailed(kind, 3)) is None


REFUSED = MoveRefused(MoveKind.TAKE_OVER, 5, SUB)


def test_a_takeover_is_refused_while_a_silent_peer_holds_the_sessions() -> None:
    taking = asked(S.TAKING_OVER, MoveKind.TAKE_OVER, epoch=3)
    after = step(taking, REFUSED, NOW, POLICY).node
    assert (after.state, after.reason, after.holds) == (S.BACKUP, OWN, False)
    # Only the peer may teach it the epoch.
    assert after.epoch == 3
    heard = replace(taking, peer=beat(S.NORMAL), peer_at=NOW - 1)
    assert becomes(heard, REFUSED) is None
    assert becomes(replace(taking, move=None), REFUSED) is None
    assert becomes(taking, replace(REFUSED, kind=MoveKind.HOME)) is None


@pytest.mark.parametrize(
    ("more", "event"),
    [
        ({}, replace(REFUSED, holder=None)),
        ({}, replace(REFUSED, holder=PUB)),
        # It handed its users to this very peer before that fell silent.
        ({"handed_over": True}, REFUSED),
    ],
)
def test_a_takeover_that_nobody_is_in_the_way_of_is_asked_for_again(
    more: dict[str, Any], event: MoveRefused
) -> None:
    taking = asked(S.TAKING_OVER, MoveKind.TAKE_OVER, epoch=3, **more)
    after = step(taking, event, NOW, POLICY)
    assert (after.node.state, after.node.epoch) == (S.TAKING_OVER, 5)
    assert after.node.move == Move(MoveKind.TAKE_OVER, NOW)


@pytest.mark.parametrize("holder", [None, PUB])
def test_one_that_serves_its_own_users_asks_no_second_time(holder: str | None) -> None:
    normal = asked(S.NORMAL, MoveKind.HOME, epoch=3)
    after = step(normal, MoveRefused(MoveKind.HOME, 5, holder), NOW, POLICY).node
    assert (after.state, after.move, after.epoch) == (S.NORMAL, None, 3)


@pytest.mark.parametrize(
    ("before", "event", "handed"),
    [
        (node(S.NORMAL), Heard(beat(S.TAKING_OVER)), True),
        (node(S.NORMAL, peer=beat(S.NORMAL), peer_at=NOW), Asked(Request.FAILOVER), True),
        # What it handed over stays so while it takes it again.
        (node(S.FAILING_OVER), Heard(beat(S.NORMAL, leaving=True)), True),
        (node(S.NORMAL), Heard(beat(S.NORMAL, leaving=True)), False),
        (node(S.FAILING_OVER, handed_over=True), Heard(beat(S.BACKUP)), False),
    ],
)
def test_who_agreed_that_its_peer_takes_its_users(before: Node, event: Event, handed: bool) -> None:
    after = step(before, event, NOW, POLICY).node
    assert after.state is not before.state
    assert after.handed_over is handed


def test_a_node_that_leaves_says_so_and_judges_nothing_more() -> None:
    outcome = step(node(S.NORMAL), Leaving(reboot=True), NOW, POLICY)
    assert outcome.node.leaving
    assert [type(action).__name__ for action in outcome.actions] == ["SendHeartbeat", "PowerDown"]
    assert outcome.wake == float("inf")
    silent = replace(outcome.node, suspects=True, listening_since=NOW - 500)
    assert step(silent, Tick(silent.services), NOW, POLICY).actions == ()
