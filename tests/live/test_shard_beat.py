"""What beat sends, a sweep of each shard, and when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from celery.beat import Scheduler
from pytest_django.fixtures import Settings

from cucm_admin import beat, celery
from redundancy import shards, tasks


@pytest.mark.parametrize(("count", "names"), [(1, ["sweep"]), (3, ["sweep", "sweep-2", "sweep-3"])])
def test_beat_sends_each_shard_for_itself(settings: Settings, count: int, names: list[str]) -> None:
    sent = beat.entries(0.5, count)
    assert sorted(sent) == names
    assert {entry["task"] for entry in sent.values()} == {tasks.sweep.name}
    assert {entry["schedule"] for entry in sent.values()} == {0.5}
    assert [entry.get("kwargs", {}) for entry in sent.values()] == [
        shard.order for shard in shards.every(count)
    ]
    if count == 1:
        # As it always was.
        assert sent == settings.CELERY_BEAT_SCHEDULE | {
            "sweep": settings.CELERY_BEAT_SCHEDULE["sweep"] | {"schedule": 0.5}
        }


def test_beat_follows_when_the_number_of_shards_changes(settings: Settings) -> None:
    ticker = beat.Ticker(celery.app, lazy=True)
    assert isinstance(ticker, Scheduler)
    ticker._fits = None
    # What beat sends besides stays.
    ticker.update_from_dict({"watch": {"task": tasks.watch.name, "schedule": 60}})
    for count in (2, 4, 1):
        settings.SWEEP_SHARDS = count
        ticker._follow()
        assert len(ticker.schedule) == count + 1
    assert ticker.schedule["sweep"].kwargs == {}
    assert ticker.schedule["watch"].task == tasks.watch.name


def test_beat_wakes_when_something_is_due_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr(celery.app, "now", lambda: now[0])
    ticker = beat.Ticker(celery.app, lazy=True)
    assert isinstance(ticker, Scheduler)
    ticker._fits = None
    ticker._follow()
    sent: list[datetime] = []
    monkeypatch.setattr(beat.Ticker, "producer", None)
    monkeypatch.setattr(ticker, "apply_entry", lambda *_, **__: sent.append(now[0]))
    for _ in range(8):
        now[0] += timedelta(seconds=Scheduler.tick(ticker))
    # It asks once more after each.
    assert len(sent) >= 3
    assert {later - sooner for sooner, later in pairwise(sent)} == {timedelta(seconds=1)}
