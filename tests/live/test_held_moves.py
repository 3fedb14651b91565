"""Session moves that are held: nothing moves, nothing fails, and it goes on when they are released."""

import pytest
from pytest_django.fixtures import Settings

from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.operations import actions
from redundancy.selectors import faults as selectors
from tests.live.pair import Pair, server

TRANSITION, HOME, MOVED = ("Failing Over", "Taking Over"), (500, 500), (0, 1000)


@pytest.fixture(autouse=True)
def fault_lab(settings: Settings) -> None:
    settings.FAULT_LAB = True


def test_a_held_move_waits_and_is_asked_for_again(pair: Pair) -> None:
    node = server("imp-pub")
    assert node.group is not None
    faults.hold_moves(group=node.group, actor="")
    assert [fault.sentence for fault in selectors.active()] == [
        "Session moves of DefaultCUPSubCluster wait until they are released."
    ]
    actions.request_failover(node=node, serial=None, actor="")
    pair.run(100)
    assert (pair.states(), pair.sessions()) == (TRANSITION, HOME)
    faults.release_moves(group=node.group, actor="")
    assert selectors.active() == []
    pair.run(20)
    assert (pair.states(), pair.sessions()) == (("Idle", "Running in Backup Mode"), MOVED)


def test_releasing_leaves_a_move_that_shall_fail(pair: Pair) -> None:
    group = server("imp-pub").group
    assert group is not None
    faults.fail_next_move(group=group, actor="")
    faults.release_moves(group=group, actor="")
    assert len(selectors.active()) == 1


def test_nothing_is_held_without_the_fault_lab(pair: Pair, settings: Settings) -> None:
    group = server("imp-pub").group
    assert group is not None
    faults.hold_moves(group=group, actor="")
    settings.FAULT_LAB = False
    for act in (faults.hold_moves, faults.release_moves):
        with pytest.raises(Refused, match="FAULT_LAB=1"):
            act(group=group, actor="")
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(3)
    assert pair.sessions() == MOVED
