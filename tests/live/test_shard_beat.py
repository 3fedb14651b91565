"""What beat sends: a sweep of each shard."""

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
