"""Start children, show their lines, start again what died, and leave nothing behind.

One thread waits for everything at once: the children's output, their ends (SIGCHLD) and the
request to stop. It sleeps while nothing happens.
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from cucm_admin.stack import leftovers
from cucm_admin.stack.console import Console, Lines
from cucm_admin.stack.restart import RestartPolicy

LEASH = Path(__file__).with_name("leash.py")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KEPT_LINES = 20
OWN_NAME = "stack"


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run as one child."""

    name: str
    command: tuple[str, ...]
    pass_fds: tuple[int, ...] = ()
    # Runs once, to its end, and is not started again.
    once: bool = False
    # Ends after all others, which need it to end in order.
    ends_last: bool = False
    # Its lines are shown only when it died.
    quiet: bool = False


@dataclass(slots=True)
class Child:
    """A child of the supervisor. ``process`` and ``mark`` are there while it runs."""

    spec: Spec
    process: "subprocess.Popen[bytes] | None" = None
    mark: leftovers.ProcessMark | None = None
    lines: Lines = field(default_factory=Lines)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    deaths: tuple[float, ...] = ()
    # When it is to be started again, on the supervisor's clock.
    due: float | None = None
    exit_code: int | None = None


class Supervisor:
    """Own a set of children until ``shut_down`` is called or one of them cannot be kept alive."""

    def __init__(
        self,
        console: Console,
        state: Path,
        *,
        env: Mapping[str, str],
        cwd: Path,
        policy: RestartPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._state = state
        self._env = dict(env)
        self._cwd = cwd
        self._policy = policy or RestartPolicy()
        self._clock = clock
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._signalled, self._wake = socket.socketpair()
        self._old_handlers: dict[int, Any] = {}
        self._old_wakeup = -1
        self.stop_requested = False
        self.gave_up: Child | None = None

    def __enter__(self) -> Self:
        for end in (self._signalled, self._wake):
            end.setblocking(False)
        self.watch(self._signalled, self._drain)
        self._old_wakeup = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                # Started with nohup: to outlive its terminal is what was asked for.
                continue
            self._old_handlers[number] = signal.signal(number, self._request_stop)
        # A handler, though an empty one: without it the system does not report the signal at all.
        self._old_handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shut_down()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        self._selector.close()
        self._signalled.close()
        self._wake.close()

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_requested = True

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._signalled.recv(4096):
                pass

    def say(self, *lines: str) -> None:
        """Write ``lines`` of the supervisor itself."""
        self._console.write(OWN_NAME, *lines)

    @property
    def over(self) -> bool:
        """Whether the children shall end: on request, by giving up, or without a reader."""
        return self.stop_requested or self.gave_up is not None or self._console.closed

    def watch(self, source: socket.socket | int, callback: Callable[[], object]) -> None:
        """Call ``callback`` whenever ``source`` can be read."""
        self._selector.register(source, selectors.EVENT_READ, callback)

    def unwatch(self, source: socket.socket | int) -> None:
        """Stop watching ``source``."""
        self._selector.unregister(source)

    def start(self, spec: Spec) -> Child:
        """Start ``spec`` and, unless it runs once, start it again whenever it dies."""
        child = Child(spec)
        self._children.append(child)
        self._spawn(child)
        return child

    def run_once(self, spec: Spec) -> int | None:
        """Run ``spec`` to its end and return its exit code; ``None`` when stopped meanwhile."""
        child = self.start(spec)
        self.wait_until(lambda: child.exit_code is not None)
        return child.exit_code

    def wait_until(
        self, done: Callable[[], bool], seconds: float | None = None, step: float | None = None
    ) -> bool:
        """Serve the children until ``done`` or, after ``seconds``, not; at once when it is over.

        ``step`` is how often to look when nothing happens.
        """
        deadline = None if seconds is None else self._clock() + seconds
        while not self.over:
            if done():
                return True
            if deadline is not None and self._clock() >= deadline:
                return False
            self.serve(step)
        return False

    def serve(self, longest: float | None) -> None:
        """Wait at most ``longest`` seconds for something to happen, and deal with it."""
        now = self._clock()
        waits = [child.due - now for child in self._children if child.due is not None]
        if longest is not None:
            waits.append(longest)
        for key, _ in self._selector.select(max(0.0, min(waits)) if waits else None):
            key.data()
        for child in self._children:
            self._reap(child)
        if not self.over:
            for child in self._children:
                if child.due is not None and child.due <= self._clock():
                    self._spawn(child)

    def shut_down(self, grace: float = 3.0) -> None:
        """End all children: ask, and force after ``grace`` seconds; the last ones afterwards."""
        self.stop_requested = True
        self._end([child for child in self._children if not child.spec.ends_last], grace)
        self._end([child for child in self._children if child.spec.ends_last], 1.0)
        self._state.unlink(missing_ok=True)

    def _end(self, children: list[Child], grace: float) -> None:
        for child in children:
            if child.process:
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(signal.SIGTERM)
        deadline = self._clock() + grace
        while any(child.process for child in children):
            left = deadline - self._clock()
            if left <= 0:
                for child in children:
                    self._kill_group(child)
            self.serve(max(0.02, left))

    def _spawn(self, child: Child) -> None:
        child.due = None
        child.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *child.spec.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._cwd,
            env=self._env,
            pass_fds=child.spec.pass_fds,
            # A group of its own: Ctrl-C reaches the supervisor alone, and the group can be ended.
            start_new_session=True,
        )
        pid = child.process.pid
        child.mark = leftovers.ProcessMark(child.spec.name, pid, leftovers.start_ticks(pid) or 0)
        pipe = self._pipe(child)
        os.set_blocking(pipe, False)
        self.watch(pipe, partial(self._read, child))
        self._write_state()

    def _write_state(self) -> None:
        # A full disk must not end what runs. An old list does no harm, it only knows less.
        with contextlib.suppress(OSError):
            leftovers.save(self._state, [child.mark for child in self._children if child.mark])

    @staticmethod
    def _pipe(child: Child) -> int:
        assert child.process is not None
        assert child.process.stdout is not None
        return child.process.stdout.fileno()

    def _read(self, child: Child) -> bool:
        """Show what a child wrote; return whether there may be more."""
        try:
            chunk = os.read(self._pipe(child), 65536)
        except BlockingIOError:
            return False
        if chunk:
            self._show(child, child.lines.feed(chunk))
            return True
        with contextlib.suppress(KeyError):
            self.unwatch(self._pipe(child))
        return False

    def _show(self, child: Child, lines: list[str]) -> None:
        child.last_lines.extend(lines)
        if not child.spec.quiet:
            self._console.write(child.spec.name, *lines)

    @staticmethod
    def _kill_group(child: Child) -> None:
        if child.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)

    def _reap(self, child: Child) -> None:
        """Clear up after a child that ended, if it did."""
        if child.process is None:
            return
        pid = child.process.pid
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
        # Its own children first: until it is waited for, its number, and so the group's, is kept.
        self._kill_group(child)
        while self._read(child):
            pass
        self._show(child, child.lines.flush())
        with contextlib.suppress(KeyError):
            self.unwatch(self._pipe(child))
        assert child.process.stdout is not None
        child.process.stdout.close()
        child.exit_code = child.process.wait()
        child.process = child.mark = None
        self._write_state()
        if not (self.over or child.spec.once):
            self._after_death(child)

    def _after_death(self, child: Child) -> None:
        now = self._clock()
        child.deaths = self._policy.recent((*child.deaths, now), now)
        delay = self._policy.delay(child.deaths, now)
        ended = f"{child.spec.name} ended ({how_it_ended(child.exit_code)})"
        if delay is None:
            self.gave_up = child
            self.say(
                f"{ended}, {len(child.deaths)} times within {self._policy.window:g} s: all stops. Its last lines:",
                *(f"  {line}" for line in child.last_lines),
            )
            return
        if child.spec.quiet:
            self._console.write(child.spec.name, *child.last_lines)
        self.say(f"{ended}; it is started again in {delay:g} s")
        child.due = now + delay


def how_it_ended(code: int | None) -> str:
    """Return an exit code in words: a negative one is a signal's number."""
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
