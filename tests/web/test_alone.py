"""The command of the Procfile by itself, as a service manager starts it."""

import contextlib
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cucm_admin.stack import procfile
from cucm_admin.stack.run import BASE_DIR
from cucm_admin.web import limits
from tests.stacks import wait_until

pytestmark = pytest.mark.live
COMMAND = procfile.with_this_python(procfile.load(BASE_DIR / "Procfile")["web"])
REQUEST = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"


def reaches(host: str, port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((host, port)) == 0


@contextlib.contextmanager
def running(
    env: dict[str, str], folder: Path, host: str, before: str = ""
) -> Iterator["subprocess.Popen[bytes]"]:
    """The web process while it listens; ``before`` is what a shell does first."""
    command = ["sh", "-c", f"{before} exec {shlex.join(COMMAND)}"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=BASE_DIR, env=env, stderr=log, umask=0o022) as web,
    ):
        try:
            port = int(env["PORT"])
            wait_until(lambda: reaches(host, port) or web.poll() is not None, 30)
            yield web
        finally:
            web.kill()


@pytest.mark.parametrize(
    ("given", "listens", "silent"),
    [("", "127.0.0.1", "127.0.0.2"), ("127.0.0.3", "127.0.0.3", "127.0.0.1")],
)
def test_it_listens_where_it_is_told(
    process_env: dict[str, str], tmp_path: Path, given: str, listens: str, silent: str
) -> None:
    port = int(process_env["PORT"])
    with running({**process_env, "BIND": given}, tmp_path, listens) as web:
        assert not reaches(silent, port)
        with socket.create_connection((listens, port), timeout=30) as client:
            client.sendall(REQUEST)
            assert client.recv(65536).startswith(b"HTTP/1.0 503")
        assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o077 == 0
        # A browser that keeps its connection keeps nobody from stopping.
        with socket.create_connection((listens, port), timeout=30):
            web.send_signal(signal.SIGTERM)
            assert web.wait(timeout=10) == 0, (tmp_path / "log").read_text()


def test_with_few_files_it_takes_fewer_connections(
    process_env: dict[str, str], tmp_path: Path
) -> None:
    address = ("127.0.0.1", int(process_env["PORT"]))
    with (
        running(process_env, tmp_path, address[0], "ulimit -n 200;"),
        contextlib.ExitStack() as held,
    ):
        for _ in range(250):
            held.enter_context(socket.create_connection(address, timeout=30)).sendall(b"GET /")
        # Before the first of them has taken too long.
        with socket.create_connection(address, timeout=limits.HEADER_SECONDS / 2) as client:
            client.sendall(REQUEST)
            assert client.recv(65536).startswith(b"HTTP/1.0 503")


def test_what_cannot_be_used_is_one_line(process_env: dict[str, str]) -> None:
    for name, value, line in (
        ("BIND", "localhost", "BIND: must be an address such as 127.0.0.1"),
        ("HTTPS", "1", "TRUSTED_PROXIES: must name the proxy's address when HTTPS is on"),
    ):
        ended = subprocess.run(
            COMMAND, cwd=BASE_DIR, env={**process_env, name: value}, capture_output=True, text=True
        )
        assert ended.returncode == 1
        assert ended.stderr.startswith(line)
        assert ended.stderr.count("\n") == 1
