"""What a node hears of a move that it asked for, whoever else was faster."""

import pytest

from redundancy.models import MessageKind, RedundancyGroup, SrmMessage
from redundancy.operations import groups, moves
from redundancy.operations.moves import MoveRequest
from redundancy.srm.types import MoveKind
from tests.operations.pairs import group, make_pairs, node, take_over

pytestmark = pytest.mark.django_db
TAKE, HOME = MoveKind.TAKE_OVER, MoveKind.HOME
Told = tuple[str, dict[str, object]]


@pytest.fixture(autouse=True)
def pairs() -> None:
    make_pairs()


def ask(name: str, kind: MoveKind, epoch: int) -> Told:
    """Let this node ask for a move that it decided at this epoch; return what it is told."""
    moves.move_sessions(MoveRequest(node(name).pk, kind, epoch, group("a").ha_generation))
    return heard(name)


def heard(name: str) -> Told:
    """What waits for this node, which it has heard now."""
    (message,) = SrmMessage.objects.filter(node__name=name)
    message.delete()
    return message.kind, message.payload


def test_what_a_node_hears_of_a_move_it_asked_for() -> None:
    moved, refused = MessageKind.MOVED, MessageKind.MOVE_REFUSED
    taken = (moved, {"kind": TAKE, "epoch": 1, "holder": None})
    assert ask("a2", TAKE, 0) == taken
    # It was faster than the news of its own move; the other node was not.
    assert ask("a2", TAKE, 0) == taken
    assert ask("a1", TAKE, 0) == (refused, {"kind": TAKE, "epoch": 1, "holder": "a2"})
    assert ask("a2", TAKE, 2) == (refused, {"kind": TAKE, "epoch": 1, "holder": "a2"})
    assert ask("a1", HOME, 0) == (refused, {"kind": HOME, "epoch": 1, "holder": "a2"})
    assert ask("a1", HOME, 1) == (moved, {"kind": HOME, "epoch": 2, "holder": None})
    assert ask("a1", HOME, 1) == (refused, {"kind": HOME, "epoch": 2, "holder": None})
    # Nobody is away: there is nothing to record.
    assert ask("a1", HOME, 2) == (moved, {"kind": HOME, "epoch": 2, "holder": None})
    assert RedundancyGroup.objects.get(name="a").epoch == 2


def test_a_failure_is_told_with_the_move_that_failed() -> None:
    moves.report_failure(MoveRequest(node("a2").pk, TAKE, 3, group("a").ha_generation))
    assert heard("a2") == (MessageKind.MOVE_FAILED, {"kind": TAKE, "epoch": 3, "holder": None})


def test_a_move_of_an_earlier_time_is_not_even_answered() -> None:
    generation = group("a").ha_generation
    groups.disable_ha(group=group("a"), actor="")
    # Only the generation tells that it is an old one.
    late = MoveRequest(node("a2").pk, TAKE, group("a").epoch, generation)
    moves.move_sessions(late)
    groups.enable_ha(group=group("a"), actor="")
    moves.move_sessions(late)
    moves.report_failure(late)
    assert not SrmMessage.objects.exists()
    assert (group("a").holder, group("a").epoch) == (None, late.epoch)


def test_who_holds_the_users_may_change_without_their_way_home() -> None:
    take_over("a1")
    take_over("a2")
    assert (group("a").holder, group("a").epoch) == (node("a2"), 2)
