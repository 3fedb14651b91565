"""What was shown of a node over time: its state, or that its SRM did not report.

Pure: built from events that the selectors hand over. Times are lab seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from redundancy.srm.states import NOT_RESPONDING, State

if TYPE_CHECKING:
    from redundancy.models import HaEvent

# Seconds by which moments may differ that were rounded in different places.
ROUNDED = 0.01


@dataclass(frozen=True, slots=True)
class Face:
    """What was shown of a node from ``since`` on, and the event that says why."""

    since: float
    state: str
    reason: str
    event: "HaEvent"


def faces(told: Sequence["HaEvent"]) -> Iterator[Face]:
    """Yield what was shown of a node, the oldest first; each differs from the one before.

    Args:
        told: The events of the node, and those of its group that concern both, the oldest first.

    """
    shown = list(_shown(told))
    yield from shown[:1]
    for before, face in pairwise(shown):
        if face.event.pk != before.event.pk:
            yield face


def _shown(told: Sequence["HaEvent"]) -> Iterator[Face]:
    state: HaEvent | None = None
    # What made its SRM silent; None while it reports.
    away: HaEvent | None = None
    enabled: bool | None = None
    for number, event in enumerate(told):
        facts = event.inputs or {}
        if event.new_state:
            state, enabled = event, event.new_state != State.UNKNOWN
            if away is not None and _starts(event):
                away = None
        elif "reports" not in facts and "ha_enabled" not in facts:
            continue
        elif "ha_enabled" in facts:
            enabled = facts["ha_enabled"]
        elif not facts["reports"]:
            # Powered off while its SRM is stopped, it is silent for the same reason as before.
            away = away or event
        elif not _steps_soon(told[number + 1 :]):
            away = None
        since = event.at.timestamp()
        if away is not None and enabled:
            yield Face(since, NOT_RESPONDING, "", away)
        elif state is not None:
            yield Face(since, state.new_state, state.new_reason, state)


def _steps_soon(later: Iterable["HaEvent"]) -> bool:
    """Return whether the SRM that was started changes its state as the first thing it does."""
    for event in later:
        if event.new_state:
            return _starts(event)
        if "reports" in (event.inputs or {}):
            return False
    return False


def _starts(change: "HaEvent") -> bool:
    """Return whether this change of state was made in the first step of an SRM."""
    since = (change.inputs or {}).get("srm_since")
    return since is not None and abs(since - change.at.timestamp()) < ROUNDED
