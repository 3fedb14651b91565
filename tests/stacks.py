"""Real processes of the product, apart from all others: their environment, and the whole stack."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from cucm_admin.stack import leftovers
from cucm_admin.stack.run import BASE_DIR
from tests import workers

COMMAND = (sys.executable, "-m", "cucm_admin.stack")
# The first has no windows to draw, and takes two thirds of the processor that the others do.
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_ports = workers.own_ports()
# Where the product runs is each test's own business.
NOT_INHERITED = {
    "ADMIN_PASSWORD",
    "DATABASE_URL",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
    "DJANGO_SETTINGS_MODULE",
    "FAULT_LAB",
    "LAB_CLOCK_RATE",
    "MAKEFLAGS",
    "MAKELEVEL",
    "PORT",
    "SECRET_KEY",
    "SWEEP_SHARDS",
    "VAR_DIR",
}


def find_chromium() -> str | None:
    """Return the path of the system's Chromium."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def find_port() -> int:
    """Return the next of this worker's ports that nobody listens on."""
    for port in itertools.islice(_ports, 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("all ports of this worker are in use")


@contextlib.contextmanager
def own_environment(folder: Path, port: int, template: str = "") -> Iterator[dict[str, str]]:
    """The environment for real processes: a data folder, a port and a database of their own.

    Where ``DATABASE_URL`` names a PostgreSQL server, they get a database made for them there: a
    copy of ``template`` when it is given, else an empty one.
    """
    variables = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    # The fault handler shows, when it is asked with SIGABRT, where a process hangs.
    variables |= {"VAR_DIR": str(folder), "PORT": str(port), "PYTHONFAULTHANDLER": "1"}
    # One process less to start; the tests that are about it say so.
    variables |= {"SSH_PORT": "0", "SOAP_PORT": "0"}
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield variables
        return
    name = f"cucm_admin_{uuid.uuid4().hex}"
    parts = urlsplit(given)
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        own = f"{parts.scheme}://{parts.netloc}/{name}?{parts.query}"
        yield variables | {"DATABASE_URL": own}
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def statement(variables: dict[str, str], sql: str) -> None:
    """Carry out one statement on the database of these processes, behind their backs."""
    url = variables.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.encode())
        return
    path = Path(variables["VAR_DIR"]) / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as file:
        file.execute(sql)


class Stack:
    """One start of the stack and what it printed."""

    def __init__(
        self,
        env: dict[str, str],
        log: Path,
        command: tuple[str, ...] = COMMAND,
        *,
        cwd: Path = BASE_DIR,
        folder: Path | None = None,
    ) -> None:
        self.folder = folder or Path(env["VAR_DIR"])
        self.port = int(env["PORT"]) if env["PORT"].isdigit() else 0
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self.started = time.monotonic()
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdout=out,
                stderr=subprocess.STDOUT,
                # As a shell has it; the settings have changed that of the tests.
                umask=0o022,
            )

    @property
    def text(self) -> str:
        return self._log.read_text()

    def wait_for(self, line: str, seconds: float = 60.0) -> float:
        """Wait until ``line`` was printed; return the seconds since the start."""
        wait_until(lambda: line in self.text or self.process.poll() is not None, seconds)
        assert line in self.text, self.text
        return time.monotonic() - self.started

    def exit_code(self, seconds: float = 60.0) -> int:
        """Wait until it has ended by itself; if it does not, show where it hangs."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            pytest.fail(f"still running after {seconds:g} s:\n{self.text}", pytrace=False)

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)

    def marks(self) -> list[leftovers.ProcessMark]:
        return leftovers.load(self.folder / "stack.json", leftovers.boot_id())

    def children(self) -> dict[str, int]:
        return {mark.name: mark.pid for mark in self.marks()}

    def processes(self) -> list[str]:
        """The commands of all processes that run in this stack's data folder."""
        own = f"VAR_DIR={self.folder}".encode()
        return [
            (path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            for path in Path("/proc").glob("[0-9]*/environ")
            if own in _readable(path).split(b"\0")
        ]


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Wait until ``done`` or the time is over."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)


def _readable(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
