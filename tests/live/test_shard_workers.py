"""Two shards and two workers that sweep them side by side; one worker is killed."""

from collections.abc import Iterator

import pytest
import redis

from tests.live.lab import Lab, running
from tests.ready import Ready
from tests.stacks import find_port, own_environment, wait_until

pytestmark = pytest.mark.live

BACKUP = "Running in Backup Mode"


@pytest.fixture(scope="module")
def sharded(
    tmp_path_factory: pytest.TempPathFactory, given_redis: redis.Redis | None, begun: Ready
) -> Iterator[Lab]:
    """A running lab with two shards and two workers for them."""
    folder = tmp_path_factory.mktemp("lab")
    with (
        own_environment(begun.fill(folder / "var"), find_port(), begun.template) as variables,
        running(variables | {"SWEEP_SHARDS": "2"}, folder) as made,
    ):
        made.processes.start("sweep-2")
        made.ask("sample.load_sample_cluster(actor='')")
        yield made
    if given_redis is not None:
        given_redis.flushdb()


def swept_by_both(lab: Lab, since: float) -> bool:
    """Return whether three sweeps of each shard have begun since, and all nodes count as seen."""
    told = lab.ask("[[t.shard, t.began] for t in pulse.last_sweeps()]")
    of_each = [sum(at >= since and each == shard for each, at in told) for shard in range(2)]
    return min(of_each) >= 3 and bool(lab.ask("observing.observer().ok"))


def goes_on(lab: Lab) -> None:
    since = lab.ask("pulse.now()")
    wait_until(lambda: swept_by_both(lab, since), 60)
    assert swept_by_both(lab, since), lab.processes.log()


def test_the_shards_of_a_dead_worker_are_swept_by_the_other(sharded: Lab) -> None:
    sharded.ask("put_right()")
    sharded.until("Normal", "Normal", 3600)
    goes_on(sharded)
    before = sharded.last_event()
    sharded.processes.kill("sweep")
    goes_on(sharded)
    assert sharded.changes(before) == []
    # And the nodes are watched: what is asked of them is done.
    sharded.request("failover")
    sharded.until("Idle", BACKUP)
    sharded.processes.start("sweep")
    sharded.request("fallback")
    sharded.until("Normal", "Normal")
    assert sharded.ask("breaches()") == []
