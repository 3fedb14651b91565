"""The prompt: keys in, lines out; and a script in place of a terminal."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from cucm_admin.stack.run import BASE_DIR
from redundancy.cli import prompt
from redundancy.models import RedundancyGroup

TAB, CTRL_C, CTRL_D = "\t", "\x03", "\x04"
Keyboard = Callable[[str], list[str]]


@pytest.fixture
def keyboard(tmp_path: Path, db: None) -> Iterator[Keyboard]:
    with create_pipe_input() as source:

        def press(keys: str) -> list[str]:
            source.send_text(keys + CTRL_D)
            return list(prompt.typed(tmp_path / "history", source=source, screen=DummyOutput()))

        yield press


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ("utils ha status\r", ["utils ha status"]),
        ("ut\th\tst\t\r", ["utils ha status "]),
        (f"utils ha failover imp-p{TAB}\r", ["utils ha failover imp-pub "]),
        (f"utils ha status {TAB}\r", ["utils ha status DefaultCUPSubCluster "]),
        (
            f"utils service stop cisco xcp r{TAB}imp-s{TAB}\r",
            ["utils service stop Cisco XCP Router imp-sub "],
        ),
        (f"dropped{CTRL_C}kept\r", ["kept"]),
        ("\r", [""]),
        ("", []),
        # A question shows help and leaves the line; in a statement it is a character.
        ("utils ?ha status\r", ["utils ha status"]),
        ("run sql select 'a?b' from enduser\r", ["run sql select 'a?b' from enduser"]),
    ],
)
def test_keys(keyboard: Keyboard, cluster: RedundancyGroup, keys: str, lines: list[str]) -> None:
    assert keyboard(keys) == lines


@pytest.mark.parametrize(
    ("keys", "goes_on"),
    [
        ("yes\r", True),
        (" YES \r", True),
        ("y\r", False),
        ("\r", False),
        (CTRL_C, False),
        (CTRL_D, False),
    ],
)
def test_only_yes_goes_on(keys: str, goes_on: bool) -> None:
    with create_pipe_input() as source:
        source.send_text(keys)
        assert prompt.confirm(source=source, screen=DummyOutput()) is goes_on


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [("n\r", "n"), (" E \r", "e"), ("x\r\rp\r", "p"), (CTRL_C, "q"), (CTRL_D, "q")],
)
def test_one_of_the_keys_is_chosen(keys: str, chosen: str) -> None:
    with create_pipe_input() as source:
        source.send_text(keys)
        assert prompt.choose("Which?", "qnpbe", source=source, screen=DummyOutput()) == chosen


def test_a_question_mark_shows_what_may_follow(
    keyboard: Keyboard, capsys: pytest.CaptureFixture[str]
) -> None:
    keyboard("utils system ?\r")
    assert "utils system poweron <node>" in capsys.readouterr().out


def test_history_is_kept_and_private(keyboard: Keyboard, tmp_path: Path) -> None:
    keyboard("utils ha status\rshow network cluster\r")
    history = FileHistory(str(tmp_path / "history"))
    # The newest first: Arrow Up brings it back.
    assert list(history.load_history_strings()) == ["show network cluster", "utils ha status"]
    assert (tmp_path / "history").stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a database of this version, and nothing in it."""
    folder = tmp_path_factory.mktemp("var")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=BASE_DIR,
        env={"VAR_DIR": str(folder)},
        check=True,
    )
    return folder


@pytest.mark.process
@pytest.mark.parametrize(
    ("script", "code", "printed"),
    [
        ("?\nexit\nnonsense\n", 0, "show network cluster"),
        ("\n\n", 0, ""),
        # A refused line does not end a script, but is not forgotten.
        ("nonsense\n?\n", 1, "show network cluster"),
    ],
)
def test_a_script(migrated: Path, script: str, code: int, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "admincli"],
        cwd=BASE_DIR,
        env={"VAR_DIR": str(migrated)},
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, printed in done.stdout) == (code, True)
    assert ("Unknown command 'nonsense'" in done.stderr) is (code == 1)


@pytest.mark.process
def test_a_database_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "admincli", "utils", "ha", "status"],
        cwd=BASE_DIR,
        env={"VAR_DIR": str(tmp_path), "DATABASE_URL": "sqlite:////nowhere/db.sqlite3"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The database cannot be used: ")
    assert len(done.stderr.splitlines()) == 1
