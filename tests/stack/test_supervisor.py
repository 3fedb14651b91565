"""The supervisor with real children, short-lived ones."""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cucm_admin.stack import leftovers
from cucm_admin.stack.console import Console
from cucm_admin.stack.restart import RestartPolicy
from cucm_admin.stack.supervisor import Spec, Supervisor

pytestmark = pytest.mark.process

AT_ONCE = RestartPolicy(limit=3, window=60.0, first_delay=0.0)
WAIT = "print('up', flush=True); import time; time.sleep(600)"


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(out: io.StringIO, tmp_path: Path) -> Iterator[Supervisor]:
    console = Console(out, ("web", "stack"), colour=False)
    with Supervisor(
        console, tmp_path / "stack.json", env=os.environ, cwd=tmp_path, policy=AT_ONCE
    ) as running:
        yield running


def python(name: str, code: str, *, once: bool = False, quiet: bool = False) -> Spec:
    return Spec(name, (sys.executable, "-c", code), once=once, quiet=quiet)


def test_a_step_runs_to_its_end_and_its_lines_are_shown(
    supervisor: Supervisor, out: io.StringIO
) -> None:
    assert supervisor.run_once(python("web", "print('done'); exit(3)", once=True)) == 3
    assert out.getvalue() == "web   | done\n"
    assert not supervisor.over


def test_a_dead_child_is_started_again(
    supervisor: Supervisor, out: io.StringIO, tmp_path: Path
) -> None:
    first_time = "import os; os.mkdir('been'); os.kill(os.getpid(), 9)"
    code = f"import os\nif not os.path.exists('been'): {first_time}\n{WAIT}"
    child = supervisor.start(python("web", code))
    assert supervisor.wait_until(lambda: "web   | up" in out.getvalue(), seconds=20)
    assert "web ended (killed by SIGKILL); it is started again in 0 s" in out.getvalue()
    assert leftovers.load(tmp_path / "stack.json", leftovers.boot_id()) == [child.mark]


def test_a_child_that_keeps_dying_ends_it_all(supervisor: Supervisor, out: io.StringIO) -> None:
    other = supervisor.start(python("other", WAIT))
    supervisor.start(python("web", "print('broken'); exit(4)"))
    assert not supervisor.wait_until(lambda: False, seconds=20)
    assert supervisor.gave_up is not None
    said = [line for line in out.getvalue().splitlines() if line.startswith("stack")]
    assert said[-4:] == [
        "stack | web ended (exit code 4), 3 times within 60 s: all stops. Its last lines:",
        *["stack |   broken"] * 3,
    ]
    supervisor.shut_down()
    assert other.exit_code == -15


def test_lines_of_a_quiet_child_are_shown_when_it_died(
    supervisor: Supervisor, out: io.StringIO
) -> None:
    supervisor.start(python("web", "print('reason')", quiet=True))
    supervisor.wait_until(lambda: "started again" in out.getvalue(), seconds=20)
    assert out.getvalue().startswith("web   | reason\nstack | web ended (exit code 0)")


def test_what_a_dead_child_started_ends_with_it(
    supervisor: Supervisor, out: io.StringIO, tmp_path: Path
) -> None:
    code = "import subprocess; p = subprocess.Popen(['sleep', '600']); print('grandchild', p.pid)"
    supervisor.run_once(python("web", code, once=True))
    grandchild = int(out.getvalue().split()[-1])
    assert supervisor.wait_until(
        lambda: leftovers.start_ticks(grandchild) is None, seconds=5, step=0.01
    )


def test_stopping_is_polite_and_then_firm(
    supervisor: Supervisor, out: io.StringIO, tmp_path: Path
) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    children = [
        supervisor.start(python("polite", WAIT)),
        supervisor.start(python("deaf", f"{deaf}\n{WAIT}")),
    ]
    supervisor.wait_until(lambda: out.getvalue().count("up") == 2, seconds=20)
    supervisor.shut_down(grace=0.2)
    assert [child.exit_code for child in children] == [-15, -9]
    assert not (tmp_path / "stack.json").exists()


def test_a_signal_asks_to_stop(supervisor: Supervisor) -> None:
    child = supervisor.start(
        python("web", f"import os, signal; os.kill({os.getpid()}, 15); {WAIT}")
    )
    assert not supervisor.wait_until(lambda: False, seconds=20)
    assert supervisor.stop_requested
    supervisor.shut_down()
    assert child.exit_code == -15
