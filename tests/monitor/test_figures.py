"""The figures of beat and queues, from what was noted of them: pure."""

import pytest

from redundancy.monitor import reads as monitor
from redundancy.pulse import SweepTick


def ticks(*begins: float, asked: tuple[float, ...] = ()) -> list[SweepTick]:
    return [SweepTick(at, 0.1, 2, at in asked) for at in begins]


@pytest.mark.parametrize(
    ("told", "late", "missed", "doubled"),
    [
        (ticks(), 0, 0, 0),
        (ticks(10), 0, 0, 0),
        (ticks(10, 11, 12, 13), 0, 0, 0),
        (ticks(10, 11.3, 12), 0.3, 0, 0),
        (ticks(10, 13, 14), 0, 2, 0),
        (ticks(10, 10.1, 11), 0, 0, 1),
        (ticks(10, 10.5, 11), 0, 0, 0),
        # What is late by less than half an interval is no missed tick.
        (ticks(10, 11.49, 12.98), 0.49, 0, 0),
        # A move that is done asks for a sweep: that is no doubled tick.
        (ticks(10, 10.1, 11, asked=(10.1,)), 0, 0, 0),
    ],
)
def test_lateness_missed_and_doubled_ticks(
    told: list[SweepTick], late: float, missed: int, doubled: int
) -> None:
    beat = monitor.beat_of(told, 1.0, 0.5)
    assert beat.late_p99 == pytest.approx(late)
    assert (beat.missed, beat.doubled) == (missed, doubled)


@pytest.mark.parametrize(
    ("told", "trouble"),
    [
        (ticks(*range(0, 300, 2)), "59 of the last 119 ticks were missed"),
        # Long ago, and regular since.
        (ticks(*range(0, 300, 4), *range(300, 450)), ""),
        (ticks(*(at for at in range(200) if at % 5)), ""),
        # Too few to judge by: 19 ticks, and just enough.
        (ticks(0, 10), ""),
        (ticks(0, 18), ""),
        (ticks(0, 19), "18 of the last 20 ticks were missed"),
        # A quarter is borne, and no more.
        (ticks(0, *range(6, 20)), ""),
        (ticks(0, *range(7, 21)), "6 of the last 21 ticks were missed"),
        # An outage that is over, as soon as there are ticks enough since; one that comes again and again.
        (ticks(*range(100), *range(160, 179)), "60 of the last 120 ticks were missed"),
        (ticks(*range(100), *range(160, 180)), ""),
        (ticks(*range(0, 300, 9)), "104 of the last 118 ticks were missed"),
    ],
)
def test_misses_of_the_last_minutes_are_a_trouble(told: list[SweepTick], trouble: str) -> None:
    said = monitor.trouble_of(monitor.beat_of(told, 1.0, 0.5))
    assert said.partition(":")[0] == trouble


@pytest.mark.parametrize(
    ("regular", "missed", "trouble"), [(16, 16, False), (62, 37, False), (63, 37, True)]
)
def test_a_pause_after_a_start_is_no_trouble_before_there_are_twenty_seconds(
    regular: int, missed: int, trouble: bool
) -> None:
    """At high rates of the lab clock twenty ticks are four seconds."""
    begins = [0.2 * n for n in range(regular)]
    paused = ticks(*begins[:1], *(at + 0.2 * missed for at in begins[1:]))
    said = monitor.trouble_of(monitor.beat_of(paused, 0.2, 0.1))
    assert bool(said) is trouble


def test_half_of_the_sweeps_are_no_later_and_no_longer_than_the_median() -> None:
    begins = [0.0, 1.0, 2.1, 3.3, 4.6]
    swept = [SweepTick(at, 0.1 * (n + 1), 2, False) for n, at in enumerate(begins)]
    beat = monitor.beat_of(swept, 1.0, 0.5)
    assert [beat.took_p50, beat.took_p99] == pytest.approx([0.3, 0.5])
    assert [beat.late_p50, beat.late_p99] == pytest.approx([0.2, 0.3])
    assert (beat.sweeps, beat.recent) == (5, 5)


def queue(**figures: float | None) -> monitor.Queue:
    told: dict = {"oldest": None, "canary_age": 1.0, "canary_took": 0.1} | figures
    return monitor.Queue(name="moves", depth=1, worker="x", **told)


@pytest.mark.parametrize(
    ("figures", "trouble"),
    [
        ({"canary_age": 150.0}, ""),
        ({"canary_age": 150.1}, "No canary has run for 150 s: its worker does not work."),
        ({"canary_age": None}, "No canary has run yet."),
        ({"oldest": 30.0}, ""),
        ({"oldest": 30.1}, "The oldest message has waited for 30 s."),
    ],
)
def test_a_queue_is_in_trouble_beyond_its_limits(
    figures: dict[str, float | None], trouble: str
) -> None:
    assert queue(**figures).trouble == trouble
