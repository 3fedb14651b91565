"""The SRM of one node in a process of its own, frozen, doubled, cut off from the database.

What happens to the node is decided by the Keep Alive Timeout of its peer alone. That is made long
here: of a timeout that is soon over a busy machine would decide.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from redundancy.srm.states import NOT_RESPONDING
from tests.live.lab import REST, Lab
from tests.live.transitions import BACKUP, check

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(240)]

# Lab seconds; the longest interval that is allowed is a sixth of it.
TIMEOUT = 1800


def share(seconds: float) -> float:
    """Return the lab seconds that are to this timeout what ``seconds`` are to one of 60."""
    return seconds * TIMEOUT / 60


@pytest.fixture
def alone(lab: Lab) -> Lab:
    """The lab with imp-sub's SRM in its own process, and the long timeout."""
    lab.ask(
        "parameters.set_parameters(actor='', values={'initialization_timeout': '3600', "
        f"'heartbeat_timeout': '{TIMEOUT}', 'heartbeat_interval': '{TIMEOUT // 6}'}})"
    )
    lab.processes.start("srm")
    lab.until_alone()
    return lab


def until_heard(lab: Lab) -> None:
    """Wait for the next heartbeat of imp-sub."""
    heard = lab.ask("memory('imp-pub')['peer_at']")
    deadline = time.monotonic() + 60
    while lab.ask("memory('imp-pub')['peer_at']") == heard:
        assert time.monotonic() < deadline, lab.processes.log()
        time.sleep(0.02)


def freeze(lab: Lab) -> None:
    """Stop the process just when its peer has heard from it, so that all of the timeout is to come.

    One that was stopped within a transaction would stop everybody on SQLite: it gets another moment.
    """
    for _ in range(10):
        until_heard(lab)
        lab.processes.pause("srm")
        with contextlib.suppress(AssertionError):
            return lab.until_watched(3)
        lab.processes.resume("srm")
    pytest.fail("it always stopped within a transaction")


def thaw(lab: Lab, frozen_for: float) -> None:
    """Let the process go on when its peer has not heard from it for so many lab seconds."""
    while lab.ask("clock.lab_now() - memory('imp-pub')['peer_at']") < frozen_for:
        time.sleep(0.02)
    lab.processes.resume("srm")


@pytest.mark.parametrize("seconds", [3, 12, 55])
def test_one_that_resumes_before_the_timeout_keeps_its_node(alone: Lab, seconds: int) -> None:
    before = alone.last_event()
    freeze(alone)
    thaw(alone, share(seconds))
    for _ in range(2):
        until_heard(alone)
    pair = alone.until("Normal", "Normal", share(20))
    assert [node[2] for node in pair.values()] == [500, 500]
    assert alone.ask("server('imp-sub').machine.srm_worker")
    check(alone, before, said=f"frozen for {seconds} of 60 s")


def test_one_that_resumes_after_a_takeover_yields(alone: Lab) -> None:
    before = alone.last_event()
    freeze(alone)
    thaw(alone, share(70))
    alone.until(BACKUP, "Failed Over", REST)
    alone.wait_lab(share(20))
    pair = alone.until(BACKUP, "Failed Over", share(20))
    assert [node[2] for node in pair.values()] == [1000, 0]
    check(alone, before, {"Taking Over", BACKUP, "Failing Over", "Failed Over"})
    alone.ask("actions.request_fallback(node=server('imp-sub'), serial=None, actor='a')")
    pair = alone.until("Normal", "Normal", REST)
    assert [node[2] for node in pair.values()] == [500, 500]


def test_a_frozen_one_is_shown_as_silent_and_the_peer_waits_for_its_timeout(alone: Lab) -> None:
    before = alone.last_event()
    freeze(alone)
    alone.until("Normal", NOT_RESPONDING, share(55))
    assert alone.changes(before) == []
    alone.processes.resume("srm")
    alone.until("Normal", "Normal", share(20))
    check(alone, before)


def test_a_newer_process_has_the_node_and_the_older_ends(alone: Lab) -> None:
    older = alone.until_alone()
    freeze(alone)
    alone.processes.start("srm-2")
    newer = alone.until_alone(but=older)
    before = alone.last_event()
    alone.processes.resume("srm")
    assert alone.processes.wait("srm") == 0
    assert f"This process ends: SRM of imp-sub is run by process {newer} now." in (
        alone.processes.log()
    )
    alone.wait_lab(share(20))
    assert alone.ask("server('imp-sub').machine.srm_worker") == newer
    check(alone, before)


def test_a_killed_ones_node_is_given_back_by_a_start_of_its_srm(alone: Lab) -> None:
    before = alone.last_event()
    alone.processes.kill("srm")
    alone.until("Normal", NOT_RESPONDING, share(55))
    assert alone.changes(before) == []
    alone.ask("services.start_service(server=server('imp-sub'), name=SRM, actor='a')")
    alone.until("Normal", "Normal", share(20))
    assert alone.ask("server('imp-sub').machine.srm_worker") == ""
    alone.wait_lab(share(20))
    check(alone, before, {"Initializing", "Normal"})


def test_a_database_away_for_a_third_of_the_timeout_moves_nobody(alone: Lab) -> None:
    before = alone.last_event()
    with database_away(alone):
        time.sleep(share(20) / alone.rate)
    alone.until_watched()
    for _ in range(2):
        until_heard(alone)
    pair = alone.until("Normal", "Normal", share(20))
    assert [node[2] for node in pair.values()] == [500, 500]
    assert alone.processes.runs("srm")
    check(alone, before)


@contextlib.contextmanager
def database_away(lab: Lab) -> Iterator[None]:
    """Let nobody reach the database: its connections end again and again, or it is locked."""
    if "DATABASE_URL" in lab.processes.variables:
        name = lab.processes.variables["DATABASE_URL"].rpartition("/")[2].partition("?")[0]
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            try:
                yield
            finally:
                server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        return
    path = Path(lab.processes.variables["VAR_DIR"]) / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as locker:
        locker.execute("BEGIN EXCLUSIVE")
        yield
