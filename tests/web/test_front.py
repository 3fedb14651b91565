"""The running product: clients that hold connections, and the documented proxy in front."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from cucm_admin.stack.run import BASE_DIR
from tests.stacks import Stack, find_port, own_environment, wait_until
from tests.web.proxy import NAME, Browser, find_nginx, seconds_of_hsts, start_nginx

pytestmark = pytest.mark.live

PASSWORD = "chosen-by-me"
MEGABYTE = 1024 * 1024
# So many at once; eight stopped the site once.
CLIENTS = 200
# What a proxy adds, so that the product does not lead its client to HTTPS.
BY_HTTPS = b"X-Forwarded-Proto: https\r\n"
HALVES = {
    "nothing": b"",
    "half a line": b"GET /log",
    "half of the headers": b"GET /login/ HTTP/1.1\r\nHost: localhost\r\n",
    "half a body": b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nusername=",
    "the next request": b"GET /login/ HTTP/1.1\r\nHost: localhost\r\n" + BY_HTTPS + b"\r\n",
}


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, given_redis: redis.Redis | None
) -> Iterator[Stack]:
    """The product as it is set up behind a proxy on the same machine."""
    folder = tmp_path_factory.mktemp("front")
    # What an older version, or a mishap, left there.
    (folder / "var" / "valkey").mkdir(parents=True)
    (folder / "var" / "valkey" / "dump.rdb").write_bytes(b"junk" * 100)
    for each in folder.rglob("*"):
        each.chmod(0o755)
    with own_environment(folder / "var", find_port()) as variables:
        variables |= {
            "ADMIN_PASSWORD": PASSWORD, "HTTPS": "1", "TRUSTED_PROXIES": "127.0.0.1",
            "ALLOWED_HOSTS": NAME,
        }  # fmt: skip
        running = Stack(variables, folder / "log")
        try:
            running.wait_for("Ready:")
            yield running
            assert "Traceback" not in running.text, running.text
        finally:
            running.stop()
    if given_redis is not None:
        given_redis.flushdb()


@pytest.fixture(scope="module")
def proxy(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The documented nginx in front of it: the folder with its certificate and ports."""
    program = find_nginx()
    if program is None or shutil.which("openssl") is None:
        reason = "nginx or openssl is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("proxy") / "nginx"
    ports = {"http_port": find_port(), "https_port": find_port()}
    process = start_nginx(folder, program, web=stack.port, **ports)
    try:
        for name, port in ports.items():
            (folder / name).write_text(str(port))
            wait_until(lambda port=port: _listens(port) or process.poll() is not None, 10)  # type: ignore[misc]
        assert process.poll() is None, (folder / "log").read_text()
        yield folder
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def through(folder: Path, **headers: str) -> Browser:
    """A browser that comes through the proxy by HTTPS."""
    return Browser(folder, f"https://{NAME}:{(folder / 'https_port').read_text()}", headers)


def seconds_for_a_page(port: int) -> float:
    """How long the sign-in page takes on a connection of its own."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"GET /login/ HTTP/1.0\r\nHost: localhost\r\n" + BY_HTTPS + b"\r\n")
        first = client.recv(65536)
    assert first.startswith(b"HTTP/1.0 200"), first
    return time.monotonic() - began


@pytest.mark.parametrize("kind", HALVES)
def test_pages_are_answered_while_many_clients_hold_connections(stack: Stack, kind: str) -> None:
    with contextlib.ExitStack() as held:
        clients = []
        for _ in range(CLIENTS):
            client = socket.create_connection(("127.0.0.1", stack.port), timeout=20)
            clients.append(held.enter_context(client))
            client.sendall(HALVES[kind])
        if kind == "the next request":
            assert all(client.recv(65536) for client in clients)
        took = []
        for client in clients[:5]:
            took.append(seconds_for_a_page(stack.port))
            if kind == "half a body":
                # One byte now and then.
                client.sendall(b"x")
        # The first request after a start, or a busy machine, may take longer once.
        assert sorted(took)[2] < 1, took


def test_what_is_uploaded_to_the_sign_in_page_is_not_kept(stack: Stack) -> None:
    """600 MB were kept of a form that nobody had signed in for; now its page comes, and nothing stays."""
    web = stack.children()["web"]
    head = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\n" + BY_HTTPS
    head += b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as client:
        client.sendall(head % (60 * MEGABYTE))
        for _ in range(60):
            client.sendall(bytes(MEGABYTE))
            kept = sum(file.stat().st_size for file in _open_files(web))
            assert kept < 40 * MEGABYTE
        assert client.recv(65536).startswith(b"HTTP/1.1 413")


def _open_files(pid: int) -> list[Path]:
    """The temporary files that a process has open."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(link.readlink()).endswith(" (deleted)"):
                found.append(link)
    return found


def test_nothing_in_the_data_folder_is_for_others(stack: Stack) -> None:
    entries = [stack.folder, *stack.folder.rglob("*")]
    assert {"secret_key", "stack.lock", "static", "db.sqlite3"} - {
        each.name for each in entries
    } <= {"db.sqlite3" if "DATABASE_URL" in os.environ else ""}
    assert [str(each) for each in entries if each.lstat().st_mode & 0o077] == []


def test_a_dump_that_valkey_cannot_read_does_not_stop_it(stack: Stack) -> None:
    if "REDIS_URL" in os.environ:
        pytest.skip("it runs on a given Redis")
    assert "Moved " in stack.text
    assert (stack.folder / "valkey" / "dump.rdb.unused").exists()


def test_sign_in_through_the_proxy(proxy: Path) -> None:
    browser = through(proxy)
    answer = browser.sign_in(PASSWORD)
    assert (answer.status, answer.headers["Location"]) == (302, "/")
    assert seconds_of_hsts(answer) >= 86_400
    assert {"csrftoken", "sessionid"} <= {each.name for each in browser.cookies}
    assert [each.name for each in browser.cookies if not each.secure] == []
    assert browser.ask("/").status == 200


def test_django_finds_nothing_to_warn_of(stack: Stack) -> None:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    settings = {**os.environ, "VAR_DIR": str(stack.folder), "HTTPS": "1", "TRUSTED_PROXIES": "::1"}
    # Of the tests alone.
    for name in ("DJANGO_ALLOW_ASYNC_UNSAFE", "DJANGO_SETTINGS_MODULE"):
        settings.pop(name, None)
    found = subprocess.run(command, cwd=BASE_DIR, env=settings, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_http_is_led_to_https(proxy: Path, stack: Stack) -> None:
    plain = Browser(proxy, f"http://{NAME}:{(proxy / 'http_port').read_text()}")
    answer = plain.ask("/login/?next=/about/")
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://{NAME}/login/?next=/about/"
    # Who passes the proxy by, too; only machines are answered there.
    direct = Browser(proxy, f"http://{NAME}:{stack.port}")
    assert direct.ask("/login/").headers["Location"].startswith(f"https://{NAME}")
    assert direct.ask("/healthz").status in {200, 503}


def test_the_audit_trail_has_the_browsers_address(proxy: Path) -> None:
    """It is what nginx sees, not nginx itself, and not what the browser invents."""
    forged = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Host": "evil.example"}
    browser = through(proxy, **forged)
    assert browser.sign_in(PASSWORD).status == 302
    trail = browser.ask("/cupadmin/audit-trail/").body
    assert browser.address in trail
    assert "192.0.2.66" not in trail


def test_a_file_of_20_mb_is_imported_through_the_proxy(proxy: Path) -> None:
    browser = through(proxy)
    browser.sign_in(PASSWORD)
    line = b"u" * 100 + b"\n"
    answer = browser.upload(line * (20 * MEGABYTE // len(line)))
    assert answer.status == 302, answer.body
    job = answer.headers["Location"]
    assert re.fullmatch(r"/ccmadmin/bulk/jobs/\d+/", job)
    form = f"csrfmiddlewaretoken={browser.token}&confirmed=1".encode()
    browser.ask(f"{job}cancel/", form)
    assert "users.csv" in browser.ask("/ccmadmin/bulk/jobs/").body
    # More than the proxy takes.
    assert browser.upload(bytes(34 * MEGABYTE)).status == 413
