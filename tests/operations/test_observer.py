"""When the history says that nobody looked at the nodes."""

import pytest

from redundancy.models import HaEvent, LabClock, NodeRuntime, RedundancyGroup
from redundancy.operations import observer
from redundancy.operations.servers import add_server

pytestmark = pytest.mark.django_db

NOW = 1_800_000_000.0


def noted() -> list[tuple[str, float]]:
    """Each such event: its kind, and for how many lab seconds nobody had looked."""
    found = HaEvent.objects.filter(sentence__startswith="Nobody could see the nodes since")
    return [(e.kind, round(e.at.timestamp() - (e.inputs or {})["unseen_since"], 3)) for e in found]


@pytest.fixture(autouse=True)
def ten_times_as_fast() -> None:
    LabClock.objects.create(real_at=0, lab_at=0, rate=10)


@pytest.mark.parametrize(
    ("age", "found"), [(None, []), (0.5, []), (8, []), (8.5, [("lab", 85)]), (60, [("lab", 600)])]
)
def test_a_look_after_a_long_time_is_noted(
    age: float | None, found: list[tuple[str, float]]
) -> None:
    observer.note_return(age=age, now=NOW)
    assert noted() == found


@pytest.mark.parametrize(
    ("enabled", "stepped", "found"),
    [
        # An interval of 15 s, and 5 s of the wall clock, in which a look may be late.
        (True, NOW - 65, []),
        (True, NOW - 66, [("lab", 66)]),
        # Where High Availability is off nobody is looked at, and nobody is missed.
        (False, NOW - 66, []),
        (True, 0, []),
    ],
)
def test_a_look_that_the_bus_knows_none_before_is_judged_by_what_nodes_remember(
    enabled: bool, stepped: float, found: list[tuple[str, float]]
) -> None:
    add_server(name="imp-pub", server_type="imp", actor="")
    RedundancyGroup.objects.update(ha_enabled=enabled)
    NodeRuntime.objects.update(stepped_at=stepped)
    observer.note_start(now=NOW, interval=15)
    assert noted() == found
