import pytest

from cucm_admin.stack.restart import RestartPolicy

POLICY = RestartPolicy(limit=5, window=60.0, first_delay=0.5, longest_delay=3.0)


@pytest.mark.parametrize(
    ("deaths", "delay"),
    [
        ((100.0,), 0.5),
        ((99.0, 100.0), 1.0),
        ((98.0, 99.0, 100.0), 2.0),
        # Never longer than the longest.
        ((97.0, 98.0, 99.0, 100.0), 3.0),
        # The limit is reached.
        ((96.0, 97.0, 98.0, 99.0, 100.0), None),
        # Deaths of long ago do not count, neither for the delay nor for the limit.
        ((1.0, 2.0, 3.0, 4.0, 100.0), 0.5),
        ((40.0, 97.0, 98.0, 99.0, 100.0), 3.0),
        ((40.1, 97.0, 98.0, 99.0, 100.0), None),
    ],
)
def test_delay_after_deaths(deaths: tuple[float, ...], delay: float | None) -> None:
    assert POLICY.delay(deaths, now=100.0) == delay


def test_old_deaths_are_forgotten() -> None:
    assert POLICY.recent((1.0, 40.0, 40.1, 100.0), now=100.0) == (40.1, 100.0)
