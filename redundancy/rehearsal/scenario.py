"""A rehearsal as it was written down: its cast, and its steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from redundancy.rehearsal.actions import Action

# What a node shows: state and reason. The reason is empty for a node whose SRM does not report.
Shown = tuple[str, str]
# How many of something may be on a node: from the first to the second number of one of these.
Counts = Mapping[str, tuple[tuple[int, int], ...]]


class When(StrEnum):
    """How a step stands to its moment."""

    AT = "at"
    BY = "by"
    UNTIL = "until"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should hold. Of each value, one of those given; a reason of None is any.

    ``active``: how many clients are logged in. ``refused``: the action whose last try should have
    been refused.
    """

    text: str
    states: Mapping[str, tuple[tuple[str, str | None], ...]]
    sessions: Counts
    active: Counts
    refused: Action | None = None

    def holds(
        self, shown: Mapping[str, Shown], sessions: Mapping[str, int], active: Mapping[str, int]
    ) -> bool:
        """Return whether states, sessions and logins are as expected."""
        states = all(
            any(shown[node] == (state, reason or shown[node][1]) for state, reason in allowed)
            for node, allowed in self.states.items()
        )
        return states and _within(sessions, self.sessions) and _within(active, self.active)


def _within(counts: Mapping[str, int], expected: Counts) -> bool:
    return all(
        any(low <= counts[node] <= high for low, high in allowed)
        for node, allowed in expected.items()
    )


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One step: either ``action`` or ``expectation``. ``moment``: seconds after the beginning."""

    line: int
    when: When
    moment: int
    action: Action | None = None
    expectation: Expectation | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A file that was read. ``services``: configured and activated besides the default ones."""

    file: str
    name: str
    nodes: tuple[str, str]
    users: Mapping[str, int]
    services: Mapping[str, tuple[str, ...]]
    # By the parameter's key: those of SRM, and how clients are.
    parameters: Mapping[str, str]
    clients: Mapping[str, str]
    seed: int
    steps: tuple[ScenarioStep, ...]

    @property
    def counts_logins(self) -> bool:
        """Return whether it expects anything of the clients that are logged in."""
        return any(step.expectation is not None and step.expectation.active for step in self.steps)
