import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cucm_admin.stack import leftovers
from cucm_admin.stack.leftovers import ProcessMark

pytestmark = pytest.mark.process

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
WAIT = "print('up', flush=True); import time; time.sleep(600)"

Process = subprocess.Popen[bytes]


def spawn(code: str, **variables: str) -> Process:
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env=os.environ | variables,
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


@pytest.fixture
def child() -> Iterator[Process]:
    with spawn(WAIT) as process:
        yield process
        process.kill()


def mark(process: Process) -> ProcessMark:
    started = leftovers.start_ticks(process.pid)
    assert started is not None
    return ProcessMark("web", process.pid, started)


def test_only_the_very_same_process_is_a_leftover() -> None:
    marks = [
        ProcessMark("same", 1, 100),
        ProcessMark("gone", 2, 100),
        ProcessMark("number given away", 3, 100),
    ]
    assert leftovers.still_running(marks, {1: 100, 3: 200}.get) == marks[:1]


def test_what_is_written_is_read_back_within_the_same_boot_only(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    marks = [ProcessMark("web", 10, 1000), ProcessMark("beat", 11, 1001)]
    leftovers.save(path, marks)
    assert leftovers.load(path, leftovers.boot_id()) == marks
    assert leftovers.load(path, "another boot") == []
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"boot": "b", "processes": [{"pid": 1}]}'])
def test_an_unreadable_record_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stack.json"
    path.write_text(text)
    assert leftovers.load(path, "b") == []
    assert leftovers.load(tmp_path / "missing", "b") == []


def test_an_ended_process_does_not_run_even_before_it_is_waited_for() -> None:
    child = spawn("print()")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert leftovers.start_ticks(child.pid) is None
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_a_leftover_is_ended(child: Process) -> None:
    leftovers.stop([mark(child)])
    assert child.wait(timeout=5) == -15


def test_a_deaf_leftover_is_killed_with_its_group() -> None:
    code = f"{DEAF}; import subprocess; subprocess.Popen(['sleep', '600']); {WAIT}"
    with spawn(code) as child:
        leftovers.stop([mark(child)], grace=0.0)
        assert child.wait(timeout=5) == -9
        assert child.stdout is not None
        # The pipe ends when the last process that holds it, the grandchild, is gone.
        assert child.stdout.read() == b""


def test_a_stranger_with_the_same_number_is_left_alone(child: Process) -> None:
    own = mark(child)
    leftovers.stop([ProcessMark("web", own.pid, own.started - 1)])
    assert leftovers.still_running([own]) == [own]


def test_what_a_leftover_started_is_found_when_it_is_gone_itself() -> None:
    code = f"import subprocess; subprocess.Popen(['sleep', '600']); {WAIT}"
    with spawn(code, VAR_DIR="/ours") as child:
        own = mark(child)
        child.kill()
        child.wait()
        assert leftovers.still_there([own], b"VAR_DIR=/another") == []
        left = leftovers.still_there([own], b"VAR_DIR=/ours")
        assert [found.name for found in left] == ["web"]
        leftovers.stop(left)
        assert child.stdout is not None
        assert child.stdout.read() == b""


def test_a_stranger_with_the_same_number_keeps_what_it_started() -> None:
    code = f"import subprocess; subprocess.Popen(['sleep', '600']); {WAIT}"
    with spawn(code, VAR_DIR="/ours") as child:
        own = mark(child)
        given_away = ProcessMark("web", own.pid, own.started - 1)
        assert leftovers.still_there([given_away], b"VAR_DIR=/ours") == []
        leftovers.stop([own])
