"""The table itself: complete, reachable, documented."""

import pytest

from redundancy.management.commands.state_machine import document
from redundancy.srm.diagram import render
from redundancy.srm.states import NUMBERS, State
from redundancy.srm.step import step
from redundancy.srm.table import PEER_SAYS, TABLE, Trigger
from redundancy.srm.types import Asked, IllegalRequest, Node, Policy, Request


def test_every_state_has_its_transitions_and_its_meaning_to_the_peer() -> None:
    assert set(TABLE) == set(State)
    assert set(PEER_SAYS) == set(State) - {State.UNKNOWN}


def test_every_state_can_be_reached_and_left() -> None:
    reached = {rule.to for triggers in TABLE.values() for row in triggers.values() for rule in row}
    assert reached == set(State) - {State.UNKNOWN}
    for state, triggers in TABLE.items():
        if state is not State.UNKNOWN:
            assert any(rule.to is not state for row in triggers.values() for rule in row), state


def test_every_trigger_is_used() -> None:
    used = {trigger for triggers in TABLE.values() for trigger in triggers}
    assert used == set(Trigger)


def test_numbers_are_those_of_the_published_schema() -> None:
    assert sorted(NUMBERS.values()) == list(range(12))


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("request_", list(Request))
def test_a_request_that_does_not_fit_is_refused_and_changes_nothing(
    state: State, request_: Request
) -> None:
    """Without a peer that is heard, no request fits in any state."""
    node = Node("imp-pub", "imp-sub", first=True, state=state, generation=1)
    with pytest.raises(IllegalRequest, match=r"^(Failover|Fallback) (is not offered|needs)"):
        step(node, Asked(request_), 10.0, Policy())


def test_the_documentation_is_the_table() -> None:
    assert document().read_text().endswith(f"\n\n{render()}"), (
        "run `python manage.py state_machine`"
    )
