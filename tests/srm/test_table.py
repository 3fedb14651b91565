"""The table itself: complete, reachable, documented."""

import pytest

from redundancy.management.commands.state_machine import document
from redundancy.srm import when
from redundancy.srm.advice import ROWS
from redundancy.srm.diagram import render
from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.table import PEER_SAYS, TABLE, Trigger
from redundancy.srm.types import Asked, IllegalRequest, Node, Policy, Request
from redundancy.srm.when import Condition


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


def test_every_reason_is_given_by_a_rule_and_explained() -> None:
    """Whoever adds one finds here what it still lacks."""
    given: set[Reason] = {Reason.HA_NOT_ENABLED}
    for triggers in TABLE.values():
        for rule in (rule for row in triggers.values() for rule in row):
            if isinstance(rule.reason, Reason):
                given.add(rule.reason)
            else:
                given |= {reason for reason in Reason if reason.value in rule.reason.words}
    assert given == set(Reason)
    explained = {
        r for row in ROWS for reasons in (row.one_reasons, row.two_reasons) for r in reasons
    }
    assert explained == set(Reason)


def test_every_condition_is_used_and_has_words_of_its_own() -> None:
    conditions = {c for c in vars(when).values() if isinstance(c, Condition)}
    used = {rule.when for triggers in TABLE.values() for row in triggers.values() for rule in row}
    assert used == conditions
    assert len({condition.words for condition in conditions}) == len(conditions)


def test_the_document_tells_each_rule_in_a_line() -> None:
    lines = render().splitlines()
    told = "| Idle | SRM started | the group's record names the peer as holder | Idle | Initialization | stop critical services | SRM was started; the manual failover stands. |"
    assert told in lines
    plain = "| Normal | peer says Taking Over |  | Failing Over | *the peer's* |  | {peer} is taking the users over. |"
    assert plain in lines
    two = "| Idle | peer silent, or announced its shutdown |  | Taking Over | *Peer Down, Peer Reboot or Peer Down During Initialization* | start critical services, take all sessions | {gone}. |"
    assert two in lines
    rules = sum(len(row) for triggers in TABLE.values() for row in triggers.values())
    # The two lines of its head are none.
    assert sum(line.startswith("| ") for line in lines) - 1 == rules
    assert "    TAKING_OVER: Taking Over" in lines
    assert "    NORMAL --> FAILING_OVER" in lines
    # An arrow for each step that leads elsewhere, and one into the diagram.
    assert "    UNKNOWN --> INITIALIZING" in lines
    assert "    TAKING_OVER --> TAKING_OVER" not in lines
    assert lines.count("    NORMAL --> FAILING_OVER") == 1
    assert lines[:2] == ["```mermaid", "stateDiagram-v2"]
    # The table stands outside of the diagram, with a head and nothing before or after it.
    table = lines[lines.index("```") + 1 :]
    assert table[:3] == [
        "",
        "| State | When | If | New state | Reason | Actions | The sentence |",
        "|---|---|---|---|---|---|---|",
    ]
    assert len(table) == 3 + rules
