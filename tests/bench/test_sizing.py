"""What many pairs would take, worked out from what one node costs."""

import pytest

from tests.bench.sizing import Constants, needed

ONE = Constants(worked=0.0003, server=0.0002, log=2000, to_bus=400, stored=9000, kept=500)


def test_what_100_000_pairs_take() -> None:
    # 200,000 nodes send and hear a heartbeat every 15 seconds.
    found = needed(100_000, ONE)
    assert found.heartbeats == pytest.approx(13_333.3, abs=0.1)
    assert found.steps == pytest.approx(26_666.7, abs=0.1)
    # 13.3 s of work in each second, by processes that are busy for 0.7 of it.
    assert found.processors == pytest.approx(13.33, abs=0.01)
    assert found.sweeps == 20
    assert found.log == pytest.approx(53.3e6, rel=0.01)
    assert found.log_a_day == pytest.approx(4.61e12, rel=0.01)
    assert found.to_bus == pytest.approx(10.7e6, rel=0.01)
    assert (found.kept, found.stored) == (100e6, 1.8e9)


def test_it_grows_with_the_pairs_and_the_heartbeats() -> None:
    one, twice, often = needed(1000, ONE), needed(2000, ONE), needed(1000, ONE, interval=5)
    assert (twice.steps, twice.log, twice.kept) == (2 * one.steps, 2 * one.log, 2 * one.kept)
    assert (often.steps, often.kept) == (3 * one.steps, one.kept)


def test_a_part_of_a_process_is_one() -> None:
    assert needed(1, ONE).sweeps == 1
