"""The TLS port: a real server in a thread, and clients of it."""

import asyncio
import contextlib
import http.client
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cucm_admin.stack import checks
from cucm_admin.web import certificate, limits, tls
from redundancy.origin import DIALLED

HOST = "127.0.0.1"
LARGE = 8 * limits.MEGABYTE


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with who asked, how, and how much came along."""
    body = environ["wsgi.input"].read()
    words = (environ["REMOTE_ADDR"], environ["REMOTE_PORT"], environ["wsgi.url_scheme"], len(body))
    answer = " ".join(map(str, words)).encode()
    if environ["PATH_INFO"] == "/dialled":
        answer = environ[DIALLED].encode()
    if environ["PATH_INFO"] == "/large":
        answer = b"x" * LARGE
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


class Site:
    """A server by TLS, and how to reach it."""

    def __init__(
        self, behind: tls.Behind, port: int, trusted: Path, stop: Callable[[], object]
    ) -> None:
        self.behind = behind
        self.port = port
        self.stop = stop
        self.context = ssl.create_default_context(cafile=trusted)

    def client(self, host: str = HOST) -> http.client.HTTPSConnection:
        """A client that trusts the certificate, and no other."""
        return http.client.HTTPSConnection(host, self.port, timeout=30, context=self.context)


@contextlib.contextmanager
def serving(
    folder: Path,
    connections: int = 10,
    bind: str = HOST,
    follow: Callable[[socket.socket, Path], tls.Follow] | None = None,
) -> Iterator[Site]:
    """Serve; ``follow`` gives what opens other addresses, from the socket and the folder of the certificate."""
    context = certificate.context(folder)
    with checks.listen(bind, 0) as listening:
        behind = tls.Behind(application, listening, connections)
        loop, ended = asyncio.new_event_loop(), asyncio.Event()
        others = follow(listening, folder) if follow else None
        work = tls.serve(behind, listening, context, ended, others)
        thread = threading.Thread(
            target=asyncio.Runner(loop_factory=lambda: loop).run, args=(work,)
        )
        thread.start()
        try:
            port = listening.getsockname()[1]
            stop = partial(loop.call_soon_threadsafe, ended.set)
            yield Site(behind, port, folder / "certificate.pem", stop)
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(tmp_path / "tls") as running:
        yield running


def ask(client: http.client.HTTPSConnection, path: str = "/", body: bytes = b"") -> bytes:
    client.request("POST", path, body)
    return client.getresponse().read()


def test_a_request_keeps_its_clients_address_and_the_connection_is_used_again(site: Site) -> None:
    client = site.client()
    for size in (0, 1_000_000):
        said = ask(client, body=b"y" * size).decode().split()
        name = client.sock.getsockname()
        assert said == [HOST, str(name[1]), "https", str(size)]


def test_a_large_answer_arrives_whole(site: Site) -> None:
    assert ask(site.client(), "/large") == b"x" * LARGE


def test_who_is_slow_or_silent_holds_nobody(site: Site) -> None:
    """Some that never shake hands, one that leaves in the middle of a body, and one that speaks no TLS."""
    with contextlib.ExitStack() as open_too:
        for _ in range(5):
            open_too.enter_context(socket.create_connection((HOST, site.port)))
        leaving = site.client()
        leaving.putrequest("POST", "/")
        leaving.putheader("Content-Length", "1000")
        leaving.endheaders(b"half")
        leaving.close()
        plain = open_too.enter_context(socket.create_connection((HOST, site.port)))
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert ask(site.client()).endswith(b"https 0")


def test_of_too_many_connections_the_quietest_is_closed(tmp_path: Path) -> None:
    with serving(tmp_path, connections=2) as site:
        clients = [site.client() for _ in range(3)]
        for client in clients[:2]:
            ask(client)
        sock = clients[0].sock
        assert ask(clients[2]).endswith(b"https 0")
        sock.settimeout(20)
        assert sock.recv(1) == b""
        assert ask(clients[1]).endswith(b"https 0")


def test_what_is_answered_when_it_is_told_to_stop_arrives(site: Site) -> None:
    client = site.client()
    client.request("GET", "/large")
    deadline = time.monotonic() + 20
    while not any(each.is_answering() for each in list(site.behind.active_channels.values())):
        assert time.monotonic() < deadline
    site.stop()
    assert len(client.getresponse().read()) == LARGE


def test_who_ends_by_itself_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would take connections that nobody answers, and nobody would start it again."""

    def fail(_: tls.Behind) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tls.Behind, "serve", fail)
    context = certificate.context(tmp_path)
    with checks.listen(HOST, 0) as listening:
        behind = tls.Behind(application, listening, 10)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(tls.serve(behind, listening, context, asyncio.Event()))


def test_the_certificate_is_made_once_and_for_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    certificate.context(folder)
    made = folder / "certificate.pem"
    text = made.read_bytes()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    certificate.context(folder)
    assert made.read_bytes() == text
    assert [each.name for each in folder.iterdir()] == ["certificate.pem"]


def test_of_the_given_files_both_are_needed_and_they_must_fit(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="TLS_CERT, TLS_KEY: must both be given, or neither"):
        certificate.context(tmp_path, "a.pem", "")
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    for name in (str(junk), str(tmp_path / "missing.pem")):
        with pytest.raises(SystemExit, match="TLS_CERT, TLS_KEY: cannot be used"):
            certificate.context(tmp_path, name, name)
    certificate.context(tmp_path / "own")
    own = str(tmp_path / "own" / "certificate.pem")
    certificate.context(tmp_path / "other", own, own)
    assert not (tmp_path / "other").exists()
