"""Imports of users on real workers: killed in the middle, and beside a failover."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live.lab import Lab

pytestmark = pytest.mark.live

LINES = 25_000
SAMPLE = 1000


def wait(lab: Lab, job: int, until: Callable[[list[Any]], bool], seconds: float = 90) -> list[Any]:
    """Wait until the import is so far; nothing of it may be there before it is done."""
    deadline = time.monotonic() + seconds
    while True:
        state: list[Any] = lab.ask(f"imported({job})")
        assert state[3] in (SAMPLE, SAMPLE + LINES)
        if until(state):
            return state
        assert time.monotonic() < deadline, f"{state}\n{lab.processes.log()}"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def sample_again(lab: Lab) -> Iterator[None]:
    """Leave the users of the sample cluster, whom the next test counts."""
    yield
    lab.ask("PresenceUser.objects.filter(userid__startswith='p').delete() and None")


def test_a_killed_worker_is_taken_over_and_nothing_is_half_done(lab: Lab) -> None:
    job = lab.ask(f"begin_import({LINES})")
    for line in (1, 10_000):
        wait(lab, job, lambda state, line=line: state[1] >= line)  # type: ignore[misc]
        lab.processes.kill("moves")
        left = lab.ask(f"imported({job})")
        assert (left[0], left[3]) == ("checking", SAMPLE)
        lab.processes.start("moves")
    state = wait(lab, job, lambda state: state[0] == "done")
    assert (state[1], state[3]) == (LINES, SAMPLE + LINES)
    assert lab.ask("breaches()") == []


def test_a_failover_does_not_wait_for_an_import(lab: Lab) -> None:
    job = lab.ask(f"begin_import({LINES})")
    lab.request("failover")
    lab.until("Idle", "Running in Backup Mode")
    # Who is failed over gets no users: the file waits, whole.
    state = wait(lab, job, lambda state: state[0] in {"ready", "done"})
    assert (state[0], state[3]) in (("ready", SAMPLE), ("done", SAMPLE + LINES))
    assert lab.ask("breaches()") == []
