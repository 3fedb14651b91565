"""The whole stack, with its real processes, as ``make run`` starts it."""

import contextlib
import http.cookiejar
import os
import re
import shlex
import shutil
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cucm_admin.stack import leftovers
from tests.ready import Ready
from tests.stacks import COMMAND, Stack, wait_until

pytestmark = pytest.mark.live


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def signs_in(url: str, password: str) -> bool:
    """Sign in as a browser does; return whether the product opened a session."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), NoRedirect)
    browser.open(f"{url}/login/", timeout=20).close()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token}
    data = urllib.parse.urlencode(form).encode()
    with contextlib.suppress(urllib.error.HTTPError):
        browser.open(f"{url}/login/", data, timeout=20).close()
    return "sessionid" in {cookie.name for cookie in jar}


@pytest.fixture
def start(process_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Starts the stack; ends what a failed test left running."""
    stacks: list[Stack] = []

    def starter(**changes: str) -> Stack:
        stacks.append(Stack(process_env | changes, tmp_path / f"log{len(stacks)}"))
        return stacks[-1]

    yield starter
    for stack in stacks:
        stack.stop()


def test_from_an_empty_folder_to_nothing_left(
    start: Callable[..., Stack], process_env: dict[str, str]
) -> None:
    shutil.rmtree(process_env["VAR_DIR"])
    if url := process_env.get("DATABASE_URL"):
        with psycopg.connect(url, autocommit=True) as database:
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")
    stack = start(LAB_CLOCK_RATE="60")
    stack.wait_for(f"Ready: {stack.url}/")
    shown = re.search(r"Sign in as: admin   password: (\S+)", stack.text)
    assert shown
    assert "60 times as fast" in stack.text
    assert signs_in(stack.url, shown[1])
    assert not signs_in(stack.url, "another")
    with socket.socket() as probe:
        # On this machine's loopback address only.
        assert probe.connect_ex(("127.0.0.2", stack.port)) != 0

    second = start(PORT="1")
    assert second.exit_code() == 1
    assert f"process {stack.process.pid}" in second.text

    before = stack.children()
    for name in before.keys() & {"web", "valkey"}:
        os.kill(before[name], signal.SIGKILL)
        stack.wait_for(f"{name} ended (killed by SIGKILL); it is started again in")
    # The request waits for the new web process instead of being refused.
    assert signs_in(stack.url, shown[1])
    wait_until(lambda: stack.children().keys() == before.keys(), 20)
    assert stack.children().keys() == before.keys()

    stack.process.send_signal(signal.SIGTERM)
    assert stack.exit_code(5) == 0
    assert stack.processes() == []

    again = start()
    again.wait_for("Ready:")
    assert "Sign in as" not in again.text
    assert signs_in(again.url, shown[1])


def test_after_a_kill_the_next_start_finds_a_clear_field(start: Callable[..., Stack]) -> None:
    stack = start(ADMIN_PASSWORD="chosen-by-me-now")
    stack.wait_for("Ready:")
    assert "chosen-by-me-now" not in stack.text
    before = stack.marks()
    with contextlib.ExitStack() as browser:
        # Pages keep a connection, and browsers open one more in advance: nobody stays for them.
        for request in (b"GET /login/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b""):
            connection = socket.create_connection(("127.0.0.1", stack.port))
            browser.enter_context(connection).sendall(request)
            if request:
                assert connection.recv(4096)
        stack.process.kill()
        stack.process.wait()
        again = start()
        again.wait_for("Ready:")
    assert before
    assert leftovers.still_running(before) == []
    assert signs_in(again.url, "chosen-by-me-now")
    again.process.send_signal(signal.SIGINT)
    assert again.exit_code(5) == 0
    assert again.processes() == []


def test_it_ends_with_the_make_that_started_it(process_env: dict[str, str], tmp_path: Path) -> None:
    # "wait" keeps the shell, as make stays, in front of the stack.
    shell = ("sh", "-c", f"{shlex.join(COMMAND)} --with-parent & wait")
    stack = Stack(process_env, tmp_path / "log", shell)
    stack.wait_for("Ready:")
    stack.process.kill()
    stack.process.wait()
    wait_until(lambda: stack.processes() == [], 5)
    assert stack.processes() == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"PORT": "web"}, "PORT: must be a whole number from 1 to 65535, not 'web'"),
        ({"VAR_DIR": "{file}/var"}, "VAR_DIR: cannot make the folder"),
        ({"LAB_CLOCK_RATE": "fast"}, "LAB_CLOCK_RATE: must be a number, not 'fast'"),
        ({"LAB_CLOCK_RATE": "0"}, "LAB_CLOCK_RATE: must be between 1 and 120, not 0"),
        ({"TIME_ZONE": "Mars/Base"}, "The settings cannot be used: Incorrect timezone setting"),
        ({"DATABASE_URL": "mysql://h/x"}, "DATABASE_URL: must begin with postgres://"),
        (
            {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/x"},
            "DATABASE_URL: the database cannot be used",
        ),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL: the server cannot be used"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_used_ends_with_one_line(
    start: Callable[..., Stack], tmp_path: Path, changes: dict[str, str], line: str
) -> None:
    (tmp_path / "file").touch()
    stack = start(**{name: value.format(file=tmp_path / "file") for name, value in changes.items()})
    assert stack.exit_code() == 1
    assert line in stack.text
    assert stack.text.count("\n") == 1
    assert stack.processes() == []


def test_a_busy_port_is_one_line(start: Callable[..., Stack], free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        stack = start()
        assert stack.exit_code() == 1
    assert stack.text == f"PORT: {free_port} is in use by another program; choose another one\n"
    assert stack.processes() == []


def test_a_folder_too_deep_for_a_socket(
    start: Callable[..., Stack], tmp_path: Path, begun: Ready
) -> None:
    stack = start(VAR_DIR=str(begun.fill(tmp_path / ("deep " * 25))))
    stack.wait_for("Ready:")
    wait_until(lambda: "sweep@" in stack.text, 20)
    assert "ready." in stack.text
