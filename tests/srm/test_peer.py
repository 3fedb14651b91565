"""The rules of the pair, written out once more: what its peer says, or that it is gone.

Each rule is judged by a step of a node, for every state and not only where it applies; whatever no
rule names must leave the node as it was.
"""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.types import Heard, StateChanged
from tests.srm.one_node import (
    ADMIN,
    ANY,
    BACKUPS,
    HEARD,
    INIT,
    NOW,
    OWN,
    PEERS,
    POLICY,
    Becomes,
    R,
    S,
    beat,
    becomes,
    node,
    tick,
)

# --- what the peer says --------------------------------------------------------------------------


@pytest.mark.parametrize("own", S)
def test_what_the_peer_says(own: State) -> None:
    found = {
        # One that is failed over with its services down says so.
        (own, up, said): becomes(
            node(own, up=up), Heard(beat(said, healthy=said is not S.FAILED_OVER_DOWN))
        )
        for up, said in product(ANY, S)
    }
    assert {key: then for key, then in found.items() if then} == {
        key: then for key, then in HEARD.items() if key[0] is own
    }


SPLIT: Becomes = (S.FAILED, R.SPLIT_BRAIN, "")


@pytest.mark.parametrize(
    ("own", "own_reason", "reason", "then"),
    [
        # After a manual failover the node that yields is Idle.
        (S.INITIALIZING, INIT, ADMIN, (S.IDLE, INIT, "stop")),
        (S.NORMAL, ADMIN, PEERS, (S.IDLE, ADMIN, "")),
        (S.FAILING_OVER, ADMIN, ADMIN, (S.IDLE, ADMIN, "")),
        # Of two that took over, the one that was restarted yields.
        *(
            case
            for own in (S.TAKING_OVER, *BACKUPS)
            for case in (
                # It initializes, and finds its peer serving.
                (own, INIT, PEERS, (S.FAILED_OVER, INIT, "")),
                (own, OWN, INIT, None),
                (own, INIT, INIT, SPLIT),
                (own, OWN, PEERS, SPLIT),
            )
        ),
    ],
)
def test_a_peer_that_serves(own: State, own_reason: Reason, reason: Reason, then: Becomes) -> None:
    down = (S.FAILED_OVER_DOWN, INIT, "") if then and then[0] is S.FAILED_OVER else then
    for said in BACKUPS:
        assert becomes(node(own, own_reason), Heard(beat(said, reason))) == then, said
        assert becomes(node(own, own_reason, up=False), Heard(beat(said, reason))) == down, said


def test_one_that_falls_back_by_hand_yields_as_one_that_failed_over() -> None:
    falling_back = node(S.FALLING_BACK, ADMIN)
    assert becomes(falling_back, Heard(beat(S.BACKUP))) == (S.FAILED_OVER, PEERS, "")


@pytest.mark.parametrize(
    ("own", "first", "reason", "then"),
    [
        (ADMIN, True, PEERS, (S.TAKING_OVER, PEERS, "start take")),
        (ADMIN, False, PEERS, (S.TAKING_OVER, PEERS, "start take")),
        (ADMIN, False, ADMIN, (S.TAKING_OVER, ADMIN, "start take")),
        (ADMIN, True, ADMIN, None),
        (OWN, True, ADMIN, None),
        (OWN, False, PEERS, (S.FAILED, OWN, "")),
    ],
)
def test_both_fail_over(own: Reason, first: bool, reason: Reason, then: Becomes) -> None:
    """A manual failover is given up, to a fault or by node 2 to another manual one: Normal, it takes over."""
    failing = node(S.FAILING_OVER, own, first=first)
    assert becomes(failing, Heard(beat(S.FAILING_OVER, reason))) == then


TAKES: Becomes = (S.TAKING_OVER, PEERS, "take")


@pytest.mark.parametrize(
    ("own", "said"), [(S.FAILED_OVER, S.FAILED_OVER), (S.AFFECTED, S.AFFECTED)]
)
@pytest.mark.parametrize(
    ("up", "first", "peer_up", "then"),
    [
        (True, True, True, TAKES),
        (True, True, False, TAKES),
        (True, False, False, TAKES),
        (True, False, True, None),
        (False, True, True, None),
        (False, True, False, None),
        (False, False, False, None),
    ],
)
def test_two_that_serve_nobody(
    own: State, said: State, up: bool, first: bool, peer_up: bool, then: Becomes
) -> None:
    """The healthy one takes over; of two healthy ones node 1."""
    heard = Heard(beat(said, healthy=peer_up))
    assert becomes(node(own, up=up, first=first), heard) == then


@pytest.mark.parametrize(
    ("first", "then"), [(True, (S.TAKING_OVER, PEERS, "start take")), (False, None)]
)
def test_of_two_idle_ones_the_first_takes_over(first: bool, then: Becomes) -> None:
    assert becomes(node(S.IDLE, first=first), Heard(beat(S.IDLE))) == then


@pytest.mark.parametrize("said", [S.INITIALIZING, S.NORMAL])
@pytest.mark.parametrize("more", [{"healthy": False}, {"hears": False}])
def test_nobody_is_normal_before_both_are_healthy_and_hear_each_other(
    said: State, more: dict[str, Any]
) -> None:
    assert becomes(node(S.INITIALIZING), Heard(beat(said, **more))) is None


def test_in_failed_mode_one_whose_peer_was_restarted_forgets_why() -> None:
    failed = node(S.FAILED)
    assert becomes(failed, Heard(beat(S.FAILED, R.UNKNOWN))) == (S.FAILED, R.UNKNOWN, "")
    assert becomes(node(S.FAILED, R.UNKNOWN), Heard(beat(S.FAILED, R.UNKNOWN))) is None


# --- the peer is gone ----------------------------------------------------------------------------

# Own state, whether own services run, and what it starts and moves when it takes over.
LOSES: dict[tuple[State, bool], str] = {
    (S.INITIALIZING, True): "take",
    (S.NORMAL, True): "take",
    (S.FAILING_OVER, True): "take",
    (S.AFFECTED, True): "take",
    **{(state, up): "take" for state in (S.FAILED_OVER, S.FALLING_BACK) for up in ANY},
    **{(state, up): "start take" for state in (S.IDLE, S.TAKING_BACK) for up in ANY},
}


@pytest.mark.parametrize("up", ANY)
def test_the_peer_announced_that_it_goes(up: bool) -> None:
    for own in S:
        does = LOSES.get((own, up))
        then = does and (S.TAKING_OVER, R.PEER_REBOOT, does)
        assert becomes(node(own, up=up), Heard(beat(S.UNKNOWN, leaving=True))) == then, own


@pytest.mark.parametrize("reason", [R.PEER_DOWN, R.PEER_DOWN_DURING_INITIALIZATION])
@pytest.mark.parametrize("up", ANY)
def test_the_peer_is_silent(up: bool, reason: Reason) -> None:
    for own in set(S) - {S.FAILED_OVER_DOWN}:
        does = LOSES.get((own, up))
        then: Becomes = (S.TAKING_OVER, reason, does) if does else None
        # What it becomes before the silence has reached its limit.
        before: Becomes = None
        if (own, up) == (S.FAILED_OVER, False):
            before = (S.FAILED_OVER_DOWN, OWN, "")
        late = node(own, up=up, suspects=True, listening_since=NOW - 120)
        sooner = replace(late, listening_since=NOW - 119)
        if reason is R.PEER_DOWN:
            late = replace(late, peer=beat(S.UNKNOWN), peer_at=NOW - 60)
            sooner = replace(late, peer_at=NOW - 59)
        assert tick(late) == then, own
        assert tick(replace(late, suspects=False)) == before, own
        assert tick(sooner) == before, own


@pytest.mark.parametrize("up", ANY)
def test_a_manual_failover_to_a_peer_that_is_gone_starts_the_services_again(up: bool) -> None:
    then = (S.TAKING_OVER, R.PEER_REBOOT, "start take")
    before = node(S.FAILING_OVER, ADMIN, up=up)
    assert becomes(before, Heard(beat(S.NORMAL, leaving=True))) == then


@pytest.mark.parametrize("own", [S.TAKING_OVER, *BACKUPS])
def test_one_that_yields_for_its_restart_says_so_on_its_way(own: State) -> None:
    outcome = step(node(own, INIT), Heard(beat(S.BACKUP, PEERS)), NOW, POLICY)
    changes = [each for each in outcome.actions if isinstance(each, StateChanged)]
    assert [(each.new_state, each.new_reason) for each in changes] == [
        (S.INITIALIZING, INIT),
        (S.FAILED_OVER, INIT),
    ]
