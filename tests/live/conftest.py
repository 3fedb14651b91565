"""A running system with the sample cluster, and a pair that is swept by hand."""

from collections.abc import Iterator

import pytest
import redis

from redundancy import bus, pulse
from redundancy.models import RedundancyGroup
from redundancy.operations import groups, sample
from redundancy.selectors import stamp
from tests.live.lab import Lab, running
from tests.live.pair import Clock, Pair
from tests.live.settled import begin_with
from tests.ready import Ready
from tests.stacks import find_port, own_environment


@pytest.fixture(scope="module")
def one_lab(
    tmp_path_factory: pytest.TempPathFactory,
    given_redis: redis.Redis | None,
    begun: Ready,
) -> Iterator[Lab]:
    """A running lab for all tests of a module."""
    folder = tmp_path_factory.mktemp("lab")
    with (
        own_environment(begun.fill(folder / "var"), find_port(), begun.template) as variables,
        running(variables, folder) as made,
    ):
        made.ask("sample.load_sample_cluster(actor='')")
        yield made
    if given_redis is not None:
        given_redis.flushdb()


@pytest.fixture
def lab(one_lab: Lab) -> Lab:
    """The lab of the module, its pair Normal and at rest, whatever the test before left of it."""
    one_lab.rest()
    return one_lab


# Lab seconds: where the time of a pair begins, and in how many of them a new one becomes Normal.
BEGIN, SETTLING = 1_800_000_000.0, 3


@pytest.fixture
def clock(transactional_db: None, valkey: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """A lab time the test moves on, with an empty database and an empty bus."""
    yield _given_clock(monkeypatch)
    bus.client().flushdb()


@pytest.fixture
def pair(transactional_db: None, valkey: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A pair that is Normal, at a lab time the test moves on."""
    clock = _given_clock(monkeypatch)
    begin_with(_normal_pair)
    clock.now = BEGIN + SETTLING
    made = Pair(clock)
    assert made.states() == ("Normal", "Normal")
    yield made
    bus.client().flushdb()


def _given_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let lab time be what the test says, on an empty bus."""
    clock = Clock(BEGIN)
    monkeypatch.setattr("redundancy.clock.look", lambda: (clock.reader(), 1.0))
    # What this process saw of other tests' databases says nothing about this one.
    monkeypatch.setattr(stamp, "_floor", stamp._Floor())
    # Between two sweeps its time stands still.
    monkeypatch.setattr(bus, "wait_for_nothing", lambda *_: False)
    bus.client().flushdb()
    return clock


def _normal_pair() -> None:
    clock = Clock(BEGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("redundancy.clock.look", lambda: (clock.reader(), 1.0))
        sample.load_sample_cluster(actor="")
        groups.enable_ha(group=RedundancyGroup.objects.get(), actor="")
        Pair(clock).run(SETTLING)
    # Of a copy they would be long ago by the wall clock, with all ticks missed since.
    bus.client().delete(pulse.TICKS)
