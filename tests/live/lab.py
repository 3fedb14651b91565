"""Real processes, each of which a test or a benchmark can kill, stop and start by itself."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cucm_admin import env
from cucm_admin.stack import procfile
from cucm_admin.stack import valkey as embedded
from cucm_admin.stack.run import BASE_DIR

RATE = 60
# On the PYTHONPATH of a process it breaks that process, as the environment says.
SABOTAGE = str(Path(__file__).parent / "sabotage")
# Lab seconds in which a pair comes to rest, whatever was done to it.
REST = 3600
# Wall seconds between two looks at the pair, half of those between two sweeps: a look takes as much
# work as a page.
LOOK = 0.1
# Enough to miss a peer, if anybody were to.
MISSED = 75


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
    """Valkey (unless a Redis is given), beat and the workers, one by one.

    With ``web`` the web process, too, and those of SSH and SOAP where the variables give them a port.
    """

    def __init__(self, variables: dict[str, str], folder: Path, *, web: bool = False) -> None:
        self.variables = variables
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        doors = {"web": web} | {
            name: variables.get(f"{name.upper()}_PORT", "0") != "0" for name in ("ssh", "soap")
        }
        self._commands = {
            name: procfile.with_this_python(command)
            for name, command in procfile.load(BASE_DIR / "Procfile").items()
            if doors.get(name, name != procfile.RELEASE)
        }
        # Run only where a test starts them: the SRM of one node, and a second one of each.
        alone = {"srm": [sys.executable, "manage.py", "srm_worker", "imp-sub"]}
        self._more = alone | {
            f"{name}-2": command for name, command in (self._commands | alone).items()
        }
        if "REDIS_URL" not in variables:
            var = Path(variables["VAR_DIR"])
            self._socket = env.valkey_socket(var)
            # First, as the others need it.
            valkey = {"valkey": list(embedded.command(self._socket, var / "valkey"))}
            self._commands = valkey | self._commands

    @property
    def names(self) -> list[str]:
        """Those that make up a whole system, in the order of their start."""
        return list(self._commands)

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    def begin(self) -> None:
        """Prepare the database, and start the whole system."""
        if "valkey" in self._commands:
            self.start("valkey")
        subprocess.run(
            [sys.executable, "-m", "cucm_admin.stack.prepare"],
            cwd=BASE_DIR,
            env=self.variables,
            check=True,
            capture_output=True,
        )
        self.start_missing()

    def start_missing(self) -> None:
        """Start what does not run of the whole system, let go on what was stopped, end what is more."""
        for name in set(self._running) - set(self._commands):
            self.kill(name)
        for name in self._commands:
            if name in self._running and self._running[name].poll() is None:
                self.resume(name)
            else:
                self.start(name)

    def start(self, name: str, **variables: str) -> None:
        command = (self._commands | self._more)[name]
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

    def restart(self, name: str) -> None:
        """End a process as the system does, and start it again."""
        self.kill(name, signal.SIGTERM)
        self.start(name)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self._running.pop(name)
        process.send_signal(how)
        process.wait(timeout=20)

    def ends(self, name: str, seconds: float) -> bool:
        """End a process as the system does; one that does not in time shows in its log where it hangs."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait()
            return False
        return True

    def pause(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGCONT)

    def runs(self, name: str) -> bool:
        return self._running[name].poll() is None

    def wait(self, name: str) -> int:
        """Wait until a process has ended by itself; return its exit code."""
        return self._running.pop(name).wait(timeout=30)

    def said(self, name: str) -> str:
        """What a process has printed so far, and those of its name before it."""
        return (self._folder / f"{name}.log").read_text()

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
    """A running system with the sample cluster, its clock fast."""

    def __init__(self, ask: Remote, processes: Processes, rate: float) -> None:
        self.ask = ask
        self.processes = processes
        self.rate = rate

    def rest(self) -> None:
        """Let everything of ours run and nothing be broken; wait until the pair is Normal, its users at home."""
        self.processes.start_missing()
        self.until_watched()
        self.ask("put_right()")
        pair = self.until("Normal", "Normal", REST)
        deadline = time.monotonic() + 60
        while [node[2] for node in pair.values()] != [500, 500]:
            assert time.monotonic() < deadline, f"{pair}\n{self.processes.log()}"
            time.sleep(LOOK)
            pair = self.ask("pair()")
        # What both nodes asked for on their way to Normal is done.
        self.wait_lab(30)

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
            time.sleep(LOOK)

    def until_watched(self, seconds: float = 60) -> None:
        """Wait until a sweep has run to its end that was not done before."""
        began = time.monotonic()
        while (age := self.ask("bus.sweep_age()")) is None or age > time.monotonic() - began:
            assert time.monotonic() < began + seconds, self.processes.log()
            time.sleep(0.1)

    def until_alone(self, but: str = "") -> str:
        """Wait until the SRM of imp-sub runs in its own process, other than ``but``, and the pair is Normal again.

        Return how the process is called.
        """
        deadline = time.monotonic() + 60
        # That SRM was started says its first step, not the claim of the process.
        started = "memory('imp-sub')['incarnation'] == server('imp-sub').machine.incarnation"
        while (worker := self.ask("server('imp-sub').machine.srm_worker")) in {"", but} or not (
            self.ask(started)
        ):
            assert time.monotonic() < deadline, self.processes.log()
            time.sleep(0.1)
        self.until("Normal", "Normal", REST)
        return str(worker)

    def request(self, what: str) -> None:
        """Ask imp-pub for it as soon as its page offers it: its peer may have heard it before it heard the peer."""
        deadline = time.monotonic() + 60
        offered = "[row.action for row in live.all_live()[0].rows if row.name == 'imp-pub']"
        while self.ask(offered) != [what]:
            assert time.monotonic() < deadline, self.processes.log()
            time.sleep(LOOK)
        self.ask(f"actions.request_{what}(node=server('imp-pub'), serial=None, actor='a')")

    def last_event(self) -> int:
        return max((event[0] for event in self.ask("history()")), default=0)

    def changes(self, after: int) -> list[list[Any]]:
        """Return the changes of state after an event."""
        return [event for event in self.ask(f"history({after})") if event[1] == "state"]


@contextlib.contextmanager
def running(
    variables: dict[str, str], folder: Path, rate: float = RATE, *, web: bool = False
) -> Iterator[Lab]:
    """Run an empty system with these variables, its logs in ``folder``; end every process of it."""
    variables = variables | {
        "LAB_CLOCK_RATE": str(rate),
        "DJANGO_SETTINGS_MODULE": "cucm_admin.settings",
        "PYTHONUNBUFFERED": "1",
        "FAULT_LAB": "1",
    }
    with contextlib.ExitStack() as stack:
        processes = Processes(variables, folder, web=web)
        stack.callback(processes.stop)
        processes.begin()
        ask = Remote(variables)
        stack.callback(ask.close)
        yield Lab(ask, processes, rate)
