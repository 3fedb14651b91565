"""Real processes, each of which a test can kill, stop and start by itself."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cucm_admin import env
from cucm_admin.stack import procfile
from cucm_admin.stack import valkey as embedded
from cucm_admin.stack.run import BASE_DIR
from redundancy import bus
from redundancy.models import RedundancyGroup
from redundancy.operations import groups, sample
from tests.live.pair import Clock, Pair

RATE = 60


class Remote:
    """Asks the product, in a process of its own."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.remote"],
            cwd=BASE_DIR,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, code: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, f"{code}: {answer['error']}"
        return answer["value"]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Processes:
    """Valkey (unless a Redis is given), beat and the workers, one by one."""

    def __init__(self, variables: dict[str, str], folder: Path) -> None:
        self.variables = variables
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands = {
            name: procfile.with_this_python(command)
            for name, command in procfile.load(BASE_DIR / "Procfile").items()
            if name in {"sweep", "moves", "beat"}
        }
        # Runs only where a test starts it.
        self._alone = {"srm": [sys.executable, "manage.py", "srm_worker", "imp-sub"]}
        if "REDIS_URL" not in variables:
            var = Path(variables["VAR_DIR"])
            self._socket = env.valkey_socket(var)
            self._commands["valkey"] = list(embedded.command(self._socket, var / "valkey"))

    @property
    def names(self) -> list[str]:
        return list(self._commands)

    def start(self, name: str, **variables: str) -> None:
        command = (self._commands | self._alone)[name]
        if name == "valkey":
            embedded.make_room(self._socket, Path(self.variables["VAR_DIR"]) / "valkey")
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=self.variables | variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while name == "valkey" and not embedded.answers(self._socket):
            time.sleep(0.02)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self._running.pop(name)
        process.send_signal(how)
        process.wait(timeout=20)

    def pause(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGCONT)

    def wait(self, name: str) -> int:
        """Wait until a process has ended by itself; return its exit code."""
        return self._running.pop(name).wait(timeout=30)

    def log(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-3000:]}" for path in self._folder.glob("*.log")
        )

    def stop(self) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()


class Lab:
    """A running system with the sample cluster, its clock 60 times as fast."""

    def __init__(self, ask: Remote, processes: Processes) -> None:
        self.ask = ask
        self.processes = processes

    def wait_lab(self, seconds: float) -> None:
        """Let ``seconds`` of lab time pass."""
        end = self.ask("clock.lab_now()") + seconds
        while self.ask("clock.lab_now()") < end:
            time.sleep(0.05)

    def until(self, pub: str, sub: str, lab_seconds: float = 600) -> dict[str, list[Any]]:
        """Wait until the nodes are in these states, at most so many lab seconds; return the pair."""
        end = self.ask("clock.lab_now()") + lab_seconds
        while True:
            pair: dict[str, list[Any]] = self.ask("pair()")
            if (pair["imp-pub"][0], pair["imp-sub"][0]) == (pub, sub):
                return pair
            assert self.ask("clock.lab_now()") < end, f"{pair}\n{self.processes.log()}"
            time.sleep(0.05)

    def until_watched(self) -> None:
        """Wait until sweeps run again."""
        deadline = time.monotonic() + 60
        while not self.ask("live.observer().ok"):
            assert time.monotonic() < deadline, self.processes.log()
            time.sleep(0.1)

    def request(self, what: str) -> None:
        """Ask imp-pub for it as soon as it is offered: both nodes must have heard each other's state."""
        deadline = time.monotonic() + 60
        while what not in self.ask("[row.action for row in live.all_live()[0].rows]"):
            assert time.monotonic() < deadline, self.processes.log()
            time.sleep(0.05)
        self.ask(f"actions.request_{what}(node=server('imp-pub'), serial=None, actor='a')")

    def last_event(self) -> int:
        return max((event[0] for event in self.ask("history()")), default=0)

    def changes(self, after: int) -> list[list[Any]]:
        """Return the changes of state after an event."""
        return [event for event in self.ask(f"history({after})") if event[1] == "state"]


@pytest.fixture
def make_lab(process_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Start a lab: ``make_lab()``; every process is ended with the test."""
    with contextlib.ExitStack() as stack:

        def make(rate: int = RATE) -> Lab:
            variables = process_env | {
                "LAB_CLOCK_RATE": str(rate),
                "DJANGO_SETTINGS_MODULE": "cucm_admin.settings",
                "PYTHONUNBUFFERED": "1",
                "FAULT_LAB": "1",
            }
            processes = Processes(variables, tmp_path)
            stack.callback(processes.stop)
            if "valkey" in processes.names:
                processes.start("valkey")
            subprocess.run(
                [sys.executable, "-m", "cucm_admin.stack.prepare"],
                cwd=BASE_DIR,
                env=variables,
                check=True,
                capture_output=True,
            )
            for name in processes.names:
                if name != "valkey":
                    processes.start(name)
            ask = Remote(variables)
            stack.callback(ask.close)
            ask("sample.load_sample_cluster(actor='')")
            return Lab(ask, processes)

        yield make


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """A running lab whose pair is Normal."""
    made = make_lab()
    made.ask("groups.enable_ha(group=server('imp-pub').group, actor='') and None")
    made.until("Normal", "Normal")
    return made


@pytest.fixture
def pair(transactional_db: None, valkey: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A pair that is Normal, at a lab time the test moves on."""
    clock = Clock(1_800_000_000.0)
    monkeypatch.setattr("redundancy.clock.reader", clock.reader)
    bus.client().flushdb()
    sample.load_sample_cluster(actor="")
    made = Pair(clock)
    groups.enable_ha(group=RedundancyGroup.objects.get(), actor="")
    made.run(3)
    assert made.states() == ("Normal", "Normal")
    yield made
    bus.client().flushdb()
