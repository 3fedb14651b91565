"""Which tests judge a mutant, and what they make of it."""

import faulthandler
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mutants import running
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.running import Cover, Fate

CODE = """
LIMIT = 3

def above(
    number,
):
    return (
        number
        > LIMIT
    )

def never():
    return 1
"""
TESTS = """
from module import above

def test_above():
    assert above(4)
    assert not above(3)
"""
ABOVE, LIMIT = "test_module.py::test_above", "test_module.py::test_limit"
MORE = "> LIMIT  ->  >= LIMIT"
PLAIN = ("-q", "-p", "no:cacheprovider", "-p", "no:django", "--noconftest", "-c", "none.ini")


@pytest.fixture
def cover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cover:
    """Of a module, ``test_module.py`` and what its tests run of it."""
    monkeypatch.chdir(tmp_path)
    Path("module.py").write_text(CODE)
    Path("test_module.py").write_text(TESTS)
    Path("none.ini").write_text("[pytest]\n")
    running._statements.cache_clear()
    return Cover(
        lines={"module.py": {9: {ABOVE}}},
        imported={"module.py": {2, 4, 12}},
        seconds={ABOVE: 0.1, LIMIT: 0.01, "test_other.py::test_other": 0.001},
    )


def mutant(change: str) -> Mutant:
    """The one of the module that is told by ``change``."""
    found = [each for each in mutants_of(Path("module.py")) if str(each).endswith(change)]
    assert len(found) == 1, [str(each) for each in mutants_of(Path("module.py"))]
    return found[0]


@pytest.mark.parametrize(
    ("change", "tests"),
    [
        # A statement is run where any of its lines is.
        (MORE, [ABOVE]),
        # An import may concern all; those of the file come first.
        ("LIMIT = 3  ->  LIMIT = None", [ABOVE, "test_other.py::test_other", LIMIT]),
        ("1  ->  2", []),
    ],
)
def test_the_tests_are_those_that_run_the_statement(
    cover: Cover, change: str, tests: list[str]
) -> None:
    assert cover.tests_of(mutant(change)) == tests


def test_the_first_tests_are_those_that_notice_most_in_a_second(cover: Cover) -> None:
    cover.lines["module.py"][9] |= {LIMIT}
    above = mutant(MORE)
    assert cover.tests_of(above) == [LIMIT, ABOVE]
    cover.kills[ABOVE] = 5
    assert cover.tests_of(above) == [ABOVE, LIMIT]
    cover.limit = 0.1
    assert cover.tests_of(above) == [ABOVE]


@pytest.mark.process
@pytest.mark.parametrize(
    ("judges", "fate"),
    [
        (TESTS, Fate.KILLED),
        (TESTS.replace("above(3)", "above(2)"), Fate.SURVIVED),
        # What cannot even be imported is noticed.
        (f"{TESTS}\nassert not above(3)", Fate.KILLED),
        # Tests that are not there, or are skipped, have noticed nothing.
        (TESTS.replace("test_above", "test_else"), Fate.SURVIVED),
        (f"import pytest\npytestmark = pytest.mark.skip\n{TESTS}", Fate.SURVIVED),
    ],
)
def test_only_a_test_that_fails_kills(cover: Cover, judges: str, fate: Fate) -> None:
    Path("test_module.py").write_text(judges)
    assert running.fate(mutant(MORE), cover, PLAIN, Path("last.log")) is fate


def run_on() -> int:
    while True:
        pass


def wait() -> int:
    time.sleep(60)
    return 0


def crash() -> int:
    faulthandler.disable()
    signal.raise_signal(signal.SIGSEGV)
    return 0


def run_out_of_memory() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.process
def test_each_limit_of_time_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    def last_longer() -> int:
        running.limit_time(20)
        began = time.process_time()
        while time.process_time() < began + 0.2:
            pass
        return 7

    status = running.forked(last_longer, tmp_path / "last.log", 0.1)
    assert os.waitstatus_to_exitcode(status) == 7


@pytest.mark.process
@pytest.mark.parametrize(
    ("run", "fate"),
    [
        (run_on, Fate.STOPPED),
        (crash, Fate.STOPPED),
        # Another process may have had the processor, or the memory: nobody has noticed the mutant.
        (wait, Fate.UNKNOWN),
        (run_out_of_memory, Fate.UNKNOWN),
    ],
)
def test_a_busy_machine_kills_no_mutant(run: Callable[[], int], fate: Fate, tmp_path: Path) -> None:
    status = running.forked(run, tmp_path / "last.log", 0.05)
    assert running.stopped_by(status) is fate


FORKS = """
import os, sys, time
from pathlib import Path
from tests.mutants import running

def sleep():
    Path(sys.argv[1]).write_text(str(os.getpid()))
    time.sleep(600)

running.end_with_forks()
log = Path(sys.argv[1]).with_suffix(".log")
running.forked(lambda: running.forked(sleep, log, None), log, None)
"""


@pytest.mark.process
def test_whoever_is_terminated_leaves_no_forks(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", FORKS, told])
    try:
        deadline = time.monotonic() + 60
        while not (told.exists() and told.read_text()):
            assert parent.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.terminate()
        parent.wait(60)
    finally:
        parent.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
