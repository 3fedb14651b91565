"""Old history is let go of, piece by piece, and nothing that is still needed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from redundancy import bus, tasks
from redundancy.history import writes as retention
from redundancy.history.writes import prune
from redundancy.models import HaEvent
from tests.history.conftest import Tell

DAY = timedelta(days=1)


def age(days: float, **which: Any) -> None:
    """Let what happened so far have happened so much earlier."""
    HaEvent.objects.filter(**which).update(recorded_at=F("recorded_at") - days * DAY)


def left() -> list[str]:
    return list(HaEvent.objects.order_by("pk").values_list("sentence", flat=True))


@pytest.mark.parametrize(
    ("days", "kept"),
    [(0, ["1", "2", "3", "4"]), (10, ["2", "3", "4"]), (4, ["3", "4"]), (0.5, ["4"])],
)
def test_what_is_older_than_the_days_goes(tell: Tell, days: float, kept: list[str]) -> None:
    for number, old in enumerate((20, 5, 2, 0), 1):
        event = tell(str(number), kind="admin")
        age(old, pk=event.pk)
    assert prune(days=days) == (4 - len(kept), False)
    assert left() == kept


def test_it_is_done_piece_by_piece(
    tell: Tell, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        tell(str(number), kind="lab")
    age(100)
    monkeypatch.setattr(retention, "CHUNK", 2)
    monkeypatch.setattr(retention, "CHUNKS", 3)
    assert prune(days=90) == (6, True)
    assert left() == ["6", "7", "8", "9", "10", "11"]
    assert prune(days=90) == (6, True)
    assert prune(days=90) == (0, False)
    monkeypatch.setattr(retention, "CHUNK", 1000)
    for number in range(40):
        tell(str(number), kind="lab")
    age(100)
    with django_assert_max_num_queries(12):
        assert prune(days=90) == (40, False)


def test_the_task_prunes_once_an_hour_until_it_is_done(
    valkey: str, tell: Tell, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    bus.client().flushdb()
    for number in range(10):
        tell(str(number), kind="lab")
    age(2)
    settings.HISTORY_DAYS = 1
    monkeypatch.setattr(retention, "CHUNK", 2)
    monkeypatch.setattr(retention, "CHUNKS", 3)
    run: Callable[[], object] = tasks.tidy
    run()
    assert len(left()) == 4
    # There was more, so it goes on the next time; then an hour is free.
    run()
    assert left() == []
    tell("late", kind="lab")
    age(2)
    run()
    assert left() == ["late"]
    bus.client().flushdb()
