"""Backup of a running system, and restore on another machine: by the commands, on real processes."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from cucm_admin import env
from cucm_admin.stack import checks
from redundancy import bus
from tests.live.lab import Lab, Remote, running
from tests.stacks import find_port, own_environment
from tests.upgrade.keep import KEPT

pytestmark = pytest.mark.live


@pytest.fixture
def another(lab: Lab, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of another machine: another folder and another database, and the key that was kept."""
    first = lab.processes.variables
    with own_environment(tmp_path / "another", find_port()) as variables:
        yield variables | {"SECRET_KEY": env.secret_key(Path(first["VAR_DIR"]), first)}


def held(told: str) -> dict[str, int]:
    """Return the numbers that a command told, by what was counted."""
    found = re.findall(r"([a-z][a-z ]+): ([\d,]+)(?=[;.])", told)
    return {what: int(number.replace(",", "")) for what, number in found}


def test_a_running_system_goes_on_elsewhere(
    lab: Lab,
    another: dict[str, str],
    tmp_path: Path,
    given_redis: "redis.Redis | None",
) -> None:
    file = str(tmp_path / "kept")
    # In the middle of a failover, whose users wait to be moved: nothing stands still for a backup.
    lab.processes.pause("moves")
    lab.request("failover")
    lab.until("Failing Over", "Taking Over")
    lab.ask("ClientLogin.objects.create(user=PresenceUser.objects.first(), key_mark='x').pk")
    code, told = lab.ask(f"command('backup', {file!r})")
    assert code == 0, told
    assert "It does not hold SECRET_KEY" in told
    kept = held(told)
    assert (kept["servers"], kept["presence users"], kept["sessions"]) == (2, 1000, 1000)
    lab.processes.resume("moves")
    lab.until("Idle", "Running in Backup Mode")

    # Refused: a second backup of that name, and to restore under the feet of the processes.
    code, told = lab.ask(f"command('backup', {file!r})")
    assert (code, "is there already; a backup replaces no file" in told) == (1, True)
    code, told = lab.ask(f"command('restore', {file!r})")
    assert (code, "Nothing was restored: " in told) == (1, True), told
    code, told = lab.ask(f"command('restore', '--force', {file!r})")
    assert (code, "stop all processes first" in told) == (1, True), told
    assert lab.ask("breaches()") == []

    for name in lab.processes.pids.keys() - {"valkey"}:
        lab.processes.kill(name)
    there = Remote(another)
    try:
        if given_redis is not None:
            # On one Redis it is refused as long as sweeps may go on; then what was is forgotten.
            given_redis.set(bus.MARK, "", ex=bus.MARK_SECONDS + 60)
            code, told = there(f"command('restore', {file!r})")
            assert (code, "a worker swept" in told) == (1, True), told
            given_redis.delete(bus.MARK)
            given_redis.set("srm:inbox:1", "{}")
        code, told = there(f"command('restore', {file!r})")
        assert code == 0, told
        assert held(told) == kept
        # A one-time password is good once, whatever was restored since.
        assert there("ClientLogin.objects.count()") == 0
        assert given_redis is None or not given_redis.exists("srm:inbox:1")
        code, told = there("command('audit')")
        assert code == 0, told
        code, told = there(f"command('restore', {file!r})")
        assert (code, "--force replaces it" in told) == (1, True), told
    finally:
        there.close()

    (tmp_path / "logs").mkdir()
    with running(another, tmp_path / "logs") as moved:
        moved.until_watched()
        # What was in the middle ends there as it would have here.
        moved.until("Idle", "Running in Backup Mode")
        assert len(moved.ask("history()")) > kept["events of the history"]
        assert moved.ask("breaches()") == []
        assert moved.ask("PresenceSession.objects.count()") == kept["sessions"]


def test_a_folder_that_is_in_use_is_not_restored_into(lab: Lab) -> None:
    with checks.take_folder(Path(lab.processes.variables["VAR_DIR"])):
        code, told = lab.ask("command('restore', '--force', 'none')")
    assert (code, "is in use by another start of this product" in told) == (1, True), told


def test_a_backup_of_an_earlier_release_is_brought_up_to_date(
    another: dict[str, str], tmp_path: Path
) -> None:
    if "DATABASE_URL" in another:
        pytest.skip("the kept database is one of SQLite")
    file = tmp_path / "kept"
    with closing(sqlite3.connect(file)) as database:
        database.executescript((KEPT / "0.2.0.sqlite.sql").read_text())
    there = Remote(another)
    try:
        code, told = there(f"command('restore', {str(file)!r})")
        assert (code, held(told)["presence users"]) == (0, 23), told
        assert there("command('migrate', '--check')") == [0, ""]
        assert there("command('audit')")[0] == 0
    finally:
        there.close()
