"""A running system with the sample cluster, and a pair that is swept by hand."""

from collections.abc import Iterator

import pytest
import redis

from redundancy import bus
from redundancy.models import RedundancyGroup
from redundancy.operations import groups, sample
from tests.live.lab import Lab, running
from tests.live.pair import Clock, Pair
from tests.stacks import find_port, own_environment


@pytest.fixture(scope="module")
def one_lab(
    tmp_path_factory: pytest.TempPathFactory, given_redis: redis.Redis | None
) -> Iterator[Lab]:
    """A running lab for all tests of a module."""
    folder = tmp_path_factory.mktemp("lab")
    with (
        own_environment(folder / "var", find_port()) as variables,
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


@pytest.fixture
def pair(transactional_db: None, valkey: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A pair that is Normal, at a lab time the test moves on."""
    clock = Clock(1_800_000_000.0)
    monkeypatch.setattr("redundancy.clock.look", lambda: (clock.reader(), 1.0))
    bus.client().flushdb()
    sample.load_sample_cluster(actor="")
    made = Pair(clock)
    groups.enable_ha(group=RedundancyGroup.objects.get(), actor="")
    made.run(3)
    assert made.states() == ("Normal", "Normal")
    yield made
    bus.client().flushdb()
