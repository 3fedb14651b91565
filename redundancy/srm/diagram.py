"""The transition table as documentation: a diagram and a table in Markdown."""

from redundancy.srm.states import Reason, State
from redundancy.srm.table import TABLE, Row, Trigger


def render() -> str:
    """Return the diagram (Mermaid) and the table of all transitions as Markdown."""
    return f"{_diagram()}\n\n{_table()}\n"


def _rows() -> list[tuple[State, Trigger, Row]]:
    return [
        (state, trigger, row)
        for state, triggers in TABLE.items()
        for trigger, row in triggers.items()
    ]


def _diagram() -> str:
    """Return which state follows which; one arrow for all triggers between two states."""
    arrows = dict.fromkeys(
        (state, rule.to) for state, _, row in _rows() for rule in row if rule.to is not state
    )
    lines = [f"    {state.name}: {state.value}" for state in TABLE]
    lines += ["    UNKNOWN --> INITIALIZING"]
    lines += [f"    {before.name} --> {after.name}" for before, after in arrows]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def _table() -> str:
    lines = [
        "| State | When | If | New state | Reason | Actions | The sentence |",
        "|---|---|---|---|---|---|---|",
    ]
    for state, trigger, row in _rows():
        for rule in row:
            source = rule.reason
            reason = source if isinstance(source, Reason) else f"*{source.words}*"
            actions = ", ".join(rule.do)
            cells = [state, trigger, rule.when.words, rule.to, reason, actions, rule.why]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
