"""Which incidents the changes of state in several groups open and close."""

from typing import Any

import pytest

from redundancy.clock import lab_datetime
from redundancy.models import EventKind, HaEvent, Incident, NodeRuntime
from redundancy.operations import events, incidents
from redundancy.srm.states import Reason, State
from tests.operations.pairs import BEGIN, group, make_pairs, node

pytestmark = pytest.mark.django_db
DOWN = (State.FAILING_OVER, Reason.CRITICAL_SERVICE_DOWN)
NORMAL = (State.NORMAL, Reason.NORMAL)


@pytest.fixture(autouse=True)
def pairs() -> None:
    make_pairs()


def change(name: str, state: tuple[State, Reason], at: float, **more: Any) -> HaEvent:
    """The event of this node's change of state, as a sweep stores it."""
    NodeRuntime.objects.filter(server=node(name)).update(state=state[0], reason=state[1])
    facts: dict[str, Any] = {
        "sentence": f"{name} became {state[0]}.",
        "node": node(name),
        "new_state": state[0],
        "new_reason": state[1],
        "at": BEGIN + at,
    }
    return events.record(kind=EventKind.STATE, **facts | more)


def incident(name: str) -> Incident:
    return Incident.objects.get(group__name=name)


def test_each_group_has_its_own() -> None:
    one, other = change("b1", DOWN, 5), change("a2", DOWN, 7)
    incidents.follow([one, other, change("b2", (State.TAKING_OVER, DOWN[1]), 8)])
    assert Incident.objects.count() == 2
    first, second = incident("b"), incident("a")
    assert (first.group_name, first.node_name, first.reason) == ("b", "b1", DOWN[1])
    assert (first.first_event, first.opened_at) == (one, lab_datetime(BEGIN + 5))
    assert first.cause == "b1 became Failing Over."
    assert (second.group_name, second.node_name, second.first_event) == ("a", "a2", other)
    # One of them is over; the other is not.
    last = change("b2", NORMAL, 21)
    incidents.follow([change("b1", NORMAL, 20), last, change("a1", NORMAL, 22)])
    over = incident("b")
    assert (over.ended, over.last_event) == (incidents.BOTH_NORMAL, last)
    assert over.closed_at == lab_datetime(BEGIN + 21)
    assert incident("a").closed_at is None


def test_who_is_taken_over_is_affected_and_the_history_says_why_it_is_silent() -> None:
    gone = (State.BACKUP, Reason.PEER_DOWN)
    for name, reports in (("a1", False), ("b1", False), ("b1", True)):
        events.record(
            kind=EventKind.LAB,
            sentence=f"{name}: reports {reports}.",
            node=node(name),
            inputs={"reports": reports},
        )
    incidents.follow([change("a2", gone, 60), change("b2", gone, 60)])
    silent, unknown = incident("a"), incident("b")
    assert (silent.node_name, unknown.node_name) == ("a1", "b1")
    backup = State.BACKUP
    assert silent.cause == f"a1: reports False. a2 became {backup}."
    assert unknown.cause == f"b2 became {backup}."


def test_what_is_known_of_a_silence_explains_no_other_cause() -> None:
    events.record(kind=EventKind.LAB, sentence="Gone.", node=node("a1"), inputs={"reports": False})
    incidents.follow([change("a2", (State.TAKING_OVER, Reason.ON_ADMIN_REQUEST), 60)])
    assert incident("a").cause == "a2 became Taking Over."


def test_a_calm_change_opens_none() -> None:
    incidents.follow([change("a1", NORMAL, 1), change("b1", (State.INITIALIZING, NORMAL[1]), 1)])
    incidents.follow([])
    assert not Incident.objects.exists()


def test_disabling_closes_that_of_its_group() -> None:
    incidents.follow([change("a1", DOWN, 5), change("b1", DOWN, 5)])
    last = events.record(kind=EventKind.ADMIN, sentence="Off.", group=group("a"))
    incidents.close(group("a"), BEGIN + 30)
    closed = incident("a")
    assert (closed.closed_at, closed.ended) == (lab_datetime(BEGIN + 30), incidents.DISABLED)
    assert closed.last_event == last
    assert incident("b").closed_at is None
    # A closed one stays as it is.
    incidents.close(group("a"), BEGIN + 40)
    assert incident("a").closed_at == lab_datetime(BEGIN + 30)
