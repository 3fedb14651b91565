"""Each row of the state table on the running system: Celery, Valkey or Redis, the database, a fast clock."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from cucm_admin.stack.run import BASE_DIR
from tests.live.lab import Processes
from tests.ready import Ready
from tests.rehearsal.test_scenarios import FOLDER
from tests.stacks import find_port, own_environment, wait_until

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(420)]

ROWS = sorted(FOLDER.glob("row-*.yaml"))
RELOGINS = sorted(FOLDER.glob("relogin-*.yaml"))
REPLICATION = sorted(FOLDER.glob("replication-*.yaml"))
LOGINS = sorted([*FOLDER.glob("login-*.yaml"), *FOLDER.glob("ha-enabled-*.yaml")])
# A timeout of 60 s is 1.5 s on the wall: enough for a machine that is busy with other tests, too.
RATE = 40
# Wall seconds: all pairs share two workers, and the machine with other tests.
SLACK = "4"


class System:
    """A running system, and commands in it."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=BASE_DIR,
            env=self._variables,
            capture_output=True,
            text=True,
        )

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a command and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *words], cwd=BASE_DIR, env=self._variables
        )

    def rehearse(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return self.manage("rehearse", "--live", "--slack", SLACK, *words)

    def ask(self, code: str) -> Any:
        """Return what the code prints as JSON."""
        found = self.manage("shell", "--no-imports", "-c", code)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)


RUNS = """
import json
from redundancy.selectors import observing
print(json.dumps(observing.observer().ok))
"""


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory,
    given_redis: "redis.Redis | None",
    begun: Ready,
) -> Iterator[System]:
    """A system without servers, its lab clock fast, its Fault Lab open."""
    folder = tmp_path_factory.mktemp("rehearsal")
    with own_environment(begun.fill(folder / "var"), find_port(), begun.template) as own:
        variables = own | {
            "LAB_CLOCK_RATE": str(RATE),
            "FAULT_LAB": "1",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "cucm_admin.settings",
        }
        processes = Processes(variables, folder)
        try:
            processes.begin()
            system = System(variables)
            wait_until(lambda: system.ask(RUNS), 60)
            yield system
        finally:
            processes.stop()
    if given_redis is not None:
        given_redis.flushdb()


LEFT = """
import json
from redundancy.models import *
print(json.dumps([m.objects.count() for m in (Server, RedundancyGroup, PresenceUser, PresenceSession, ServiceParameter)]))
"""


def test_each_row_is_reached_on_the_running_system_too(system: System) -> None:
    rows = {path.name[:6] for path in ROWS}
    assert rows == {f"row-{number:02}" for number in range(1, 26)}
    expect_all_to_hold(system, ROWS)


def test_each_kind_of_move_spreads_the_logins_on_the_running_system_too(system: System) -> None:
    expect_all_to_hold(system, RELOGINS)


def test_what_waits_for_replication_on_the_running_system_too(system: System) -> None:
    expect_all_to_hold(system, REPLICATION)


def test_what_logins_need_on_the_running_system_too(system: System) -> None:
    expect_all_to_hold(system, LOGINS)


def expect_all_to_hold(system: System, files: Sequence[Path]) -> None:
    """Play the files, and see that nothing is missed and nothing left."""
    played = system.rehearse("--together", "7", "--json", *map(str, files))
    assert played.stdout, played.stderr
    answer = json.loads(played.stdout)
    missed = [
        (Path(each["file"]).name, line)
        for each in answer["rehearsals"]
        for line in each["timeline"]
        if line["kind"] == "expectation" and not line["held"]
    ]
    assert not missed, json.dumps(missed, indent=1)
    assert (len(answer["rehearsals"]), played.returncode) == (len(files), 0)
    assert system.ask(LEFT) == [0, 0, 0, 0, 0]


SHORT = """
name: HA is enabled
users: {imp-pub: 3}
steps:
  - {at: 0s, do: enable ha}
  - {by: 30s, expect: {imp-pub: Normal, imp-sub: Normal, sessions: {imp-pub: 3}}}
"""


def test_a_missed_expectation_is_told_and_nothing_is_left(system: System, tmp_path: Path) -> None:
    path = tmp_path / "missed.yaml"
    path.write_text(SHORT + "  - {at: 1m, expect: {imp-pub: Idle}}\n")
    played = system.rehearse("--slack", "0.5", str(path))
    assert played.returncode == 1, played.stderr
    assert "on the running system" in played.stdout
    assert "held   by 30s: imp-pub: Normal" in played.stdout
    assert "MISSED at 1m: imp-pub: Idle" in played.stdout
    assert system.ask(LEFT) == [0, 0, 0, 0, 0]


def test_a_rehearsal_that_is_ended_removes_what_it_made(system: System, tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text(SHORT + "  - {until: 9h, expect: {imp-pub: Normal}}\n")
    running = system.begin("rehearse", "--live", str(path))
    try:
        wait_until(lambda: system.ask(LEFT)[:3] == [2, 1, 3] or running.poll() is not None, 60)
        second = system.rehearse(str(path))
        assert (second.returncode, second.stdout) == (2, "")
        assert "A server named imp-pub exists already" in second.stderr
        running.terminate()
        assert running.wait(timeout=30) == 143
    finally:
        running.kill()
    assert system.ask(LEFT) == [0, 0, 0, 0, 0]
