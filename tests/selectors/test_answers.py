"""What became of a request: told by what happened after it, in the groups it was for."""

from typing import Any

import pytest

from redundancy.models import EventKind, HaEvent, MessageKind, RequestKind, SrmMessage
from redundancy.operations import events
from redundancy.selectors.answers import outcome_in
from redundancy.srm.states import Reason, State
from tests.operations.pairs import group, make_pairs, node

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pairs() -> None:
    make_pairs()


def went_to_work(name: str) -> None:
    facts: dict[str, Any] = {"new_state": State.FAILING_OVER, "new_reason": Reason.ON_ADMIN_REQUEST}
    events.record(kind=EventKind.STATE, sentence="Changed.", node=node(name), **facts)


def refused(name: str) -> None:
    events.record(
        kind=EventKind.ADMIN,
        sentence=f"{name} refused.",
        node=node(name),
        request=RequestKind.FAILOVER,
        refused=True,
    )


def now() -> int:
    first = HaEvent.objects.order_by("-pk").first()
    assert first is not None
    return first.pk


def test_what_was_before_is_no_answer_and_what_another_group_does_neither() -> None:
    refused("a1")
    went_to_work("a1")
    since = now()
    refused("b1")
    events.record(kind=EventKind.LAB, sentence="Something.", node=node("a1"))
    assert outcome_in([group("a").pk], since) is None
    went_to_work("a2")
    assert outcome_in([group("a").pk], since) == ""
    # The first that is told counts: one that went to work has refused nothing before.
    refused("a1")
    assert outcome_in([group("a").pk], since) == "a1 refused."
    assert outcome_in([group("a").pk, group("b").pk], since) == "b1 refused."


def test_of_several_groups_all_must_have_answered() -> None:
    since = now()
    both = [group("a").pk, group("b").pk]
    went_to_work("a1")
    message = SrmMessage.objects.create(node=node("b1"), kind=MessageKind.FALLBACK)
    assert outcome_in(both, since) is None
    assert outcome_in([group("a").pk], since) == ""
    # What is no request keeps nobody waiting.
    SrmMessage.objects.create(node=node("b1"), kind=MessageKind.MOVED)
    message.delete()
    assert outcome_in(both, since) == ""
