"""Lab time of a process whose wall clock is wrong."""

import time

import pytest

from redundancy import clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("rate", [1, 60])
@pytest.mark.parametrize("shift", [-300, 300])
def test_a_wrong_wall_clock_gives_way_to_that_of_the_database(
    rate: int, shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.set_rate(rate)
    right, wall = clock.lab_now(), time.time
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: wall() + shift)
        read = clock.reader()
        assert read() - right == pytest.approx(0, abs=0.5 * rate)
        assert read() >= right - 0.1 * rate
    assert clock.lab_now() >= right


def test_a_pause_while_asking_is_no_difference_of_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock.set_rate(1)
    wall, paused = time.time, iter([0.0])
    with monkeypatch.context() as patch:
        # Stopped for five minutes after the database has looked at its clock.
        patch.setattr("time.time", lambda: wall() + next(paused, 300.0))
        read = clock.reader()
        assert read() == pytest.approx(wall() + 300, abs=1)
