"""The server's limits, in this process: real sockets, a small application, and time as it is told."""

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from cucm_admin.stack import checks
from cucm_admin.web import limits
from cucm_admin.web.server import Server

LIMIT = limits.BODY
IMPORT = limits.UPLOADS[0]
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with what was asked, how it was judged, and how much of its body arrived."""
    body = environ["wsgi.input"].read()
    words = (environ["PATH_INFO"], environ[limits.REFUSED], len(body))
    answer = " ".join(map(str, words)).encode()
    if environ["PATH_INFO"] == "/large":
        answer = b"x" * limits.MEGABYTE * 8
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


class Front:
    """The server, moved on by hand, and clients of it."""

    def __init__(self, server: Server, address: tuple[str, int]) -> None:
        self.server = server
        self.address = address
        self.open = contextlib.ExitStack()

    def connect(self, data: bytes = b"") -> socket.socket:
        client = self.open.enter_context(socket.create_connection(self.address))
        name = client.getsockname()
        self.until(lambda: name in [each.addr for each in self.server.active_channels.values()])
        if data:
            self.send(client, data)
        return client

    def send(self, client: socket.socket, data: bytes) -> None:
        """Send all of ``data``, while the server reads it."""
        client.setblocking(False)
        view = memoryview(data)
        while view:
            with contextlib.suppress(BlockingIOError):
                view = view[client.send(view[:65536]) :]
            self.server.step(0)
        self.steps()

    def steps(self) -> None:
        """Move on until the server has read what was sent."""
        more: list[Any] = [self]
        while more:
            self.server.step(0.005)
            every = self.server.active_channels.values()
            reading = [each.socket for each in every if each.readable()]
            more = select.select(reading, [], [], 0.01)[0]

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline
            self.server.step(0.01)

    def answer(self, client: socket.socket) -> str:
        """What the client is answered, its headers left out; nothing when it is hung up on."""
        client.setblocking(False)
        received = b""
        deadline = time.monotonic() + 10
        while b"\r\n\r\n" not in (final := received.removeprefix(GO_ON)):
            assert time.monotonic() < deadline
            self.server.step(0.01)
            with contextlib.suppress(BlockingIOError):
                chunk = client.recv(65536)
                if not chunk:
                    return ""
                received += chunk
        return final.decode().partition("\r\n\r\n")[2]

    def is_closed_after(self, client: socket.socket, seconds: float) -> bool:
        """Whether the server hangs up when it looks so many seconds from now."""
        self.server.maintenance(time.time() + seconds)
        self.steps()
        client.setblocking(False)
        try:
            while client.recv(65536):
                pass
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
        return True


@pytest.fixture
def front() -> Iterator[Front]:
    with checks.listen("127.0.0.1", 0) as listening:
        server = Server(application, listening)
        made = Front(server, listening.getsockname())
        with made.open:
            yield made
        server.task_dispatcher.shutdown(timeout=5)
        for connection in list(server.active_channels.values()):
            connection.handle_close()


def post(path: str, length: int, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *headers, "", "")
    return "\r\n".join(lines).encode()


def test_a_request_is_answered(front: Front) -> None:
    client = front.connect(post("/page", 5) + b"hello")
    assert front.answer(client) == "/page 0 5"
    front.send(client, post("/page", 0))
    assert front.answer(client) == "/page 0 0"


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (b"", limits.QUIET_SECONDS),
        (b"GET /log", limits.HEADER_SECONDS),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n", limits.HEADER_SECONDS),
        (post("/page", 100) + b"12345", limits.BODY_SECONDS),
        (post("/page", 10**9) + b"12345", limits.BODY_SECONDS),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
            limits.BODY_SECONDS,
        ),
    ],
    ids=["nothing", "half a line", "half of the headers", "half a body", "too large", "chunked"],
)
def test_who_is_too_slow_is_hung_up_on(front: Front, sent: bytes, seconds: float) -> None:
    client = front.connect(sent)
    assert not front.is_closed_after(client, seconds - 5)
    if sent:
        # From its begin: a byte now and then does not help.
        [connection] = front.server.active_channels.values()
        connection.request.begun -= seconds + 5
        front.send(client, b"1")
        seconds = -5
    assert front.is_closed_after(client, seconds + 5)


def test_who_waits_with_the_next_request_is_hung_up_on(front: Front) -> None:
    client = front.connect(post("/page", 0))
    front.answer(client)
    assert not front.is_closed_after(client, limits.QUIET_SECONDS - 5)
    assert front.is_closed_after(client, limits.QUIET_SECONDS + 5)


def test_a_long_body_may_take_its_time(front: Front) -> None:
    length = 100 * limits.BYTES_A_SECOND
    client = front.connect(post("/page", length) + bytes(length - 1))
    assert not front.is_closed_after(client, limits.BODY_SECONDS + 90)
    assert front.is_closed_after(client, limits.BODY_SECONDS + 110)


def test_who_does_not_take_the_answer_is_hung_up_on(front: Front) -> None:
    client = front.connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    front.send(client, post("/large", 0))
    [connection] = front.server.active_channels.values()
    front.until(lambda: connection.total_outbufs_len and not connection.requests)
    assert not connection.is_overdue(time.time() + limits.ANSWER_SECONDS - 5)
    assert connection.is_overdue(time.time() + limits.ANSWER_SECONDS + 5)
    front.server.maintenance(time.time() + limits.ANSWER_SECONDS + 5)
    front.steps()
    assert not front.server.active_channels


@pytest.mark.parametrize(
    ("path", "length", "refused"),
    [
        ("/page", LIMIT, 0),
        ("/page", LIMIT + 1, 413),
        ("/admin/", LIMIT + 1, 413),
        (IMPORT, LIMIT + 1, 0),
        (IMPORT, 2 * limits.MEGABYTE + 1, 413),
    ],
)
def test_a_body_is_judged_by_its_address(
    front: Front, settings: Settings, path: str, length: int, refused: int
) -> None:
    # An import then takes 2 MB with its form, less than twice what any page takes.
    settings.MAX_IMPORT_MB = 1 if refused else 3
    client = front.connect(post(path, length))
    front.send(client, bytes(length))
    assert front.answer(client) == f"{path} {refused} {0 if refused else length}"
    # It was received to its end: the connection goes on.
    front.send(client, post("/next", 0))
    assert front.answer(client) == "/next 0 0"


def test_nothing_of_a_refused_body_is_kept(front: Front) -> None:
    client = front.connect(post("/page", 100 * limits.MEGABYTE))
    front.send(client, bytes(3 * limits.MEGABYTE))
    [connection] = front.server.active_channels.values()
    assert connection.request.body_bytes_received >= 3 * limits.MEGABYTE
    assert len(connection.request.body_rcv) == 0


def test_who_asks_before_sending_is_answered_at_once(front: Front) -> None:
    refused = front.connect(post("/page", LIMIT + 1, "Expect: 100-continue"))
    assert front.answer(refused) == "/page 413 0"
    taken = front.connect(post("/page", 5, "Expect: 100-continue"))
    front.until(lambda: all(not each.requests for each in front.server.active_channels.values()))
    front.send(taken, b"hello")
    assert front.answer(taken) == "/page 0 5"


@pytest.mark.parametrize("size", [1, 60_000], ids=["crumbs", "chunks"])
def test_a_chunked_body_is_counted(
    front: Front, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(limits, "BODY", 200_000)
    head = b"POST /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = f"{size:x}\r\n".encode() + bytes(size) + b"\r\n"
    few = front.connect(head + 3 * chunk + b"0\r\n\r\n")
    assert front.answer(few) == f"/page 0 {3 * size}"
    many = front.connect(head + chunk * (limits.BODY // len(chunk) + 2))
    assert front.answer(many).startswith("/page 413")
    # A line that never ends is counted, too.
    endless = front.connect(head + b"1" * (limits.BODY + 1))
    assert front.answer(endless).startswith("/page 413")


def test_all_bodies_together_have_a_limit(front: Front) -> None:
    size = limits.body_limit(IMPORT)
    holding = [front.connect(post(IMPORT, size)) for _ in range(limits.bodies_limit() // size)]
    refused = front.connect(post("/page", LIMIT))
    front.send(refused, bytes(LIMIT))
    assert front.answer(refused) == "/page 503 0"
    # What people type is always taken.
    small = front.connect(post("/page", 100) + bytes(100))
    assert front.answer(small) == "/page 0 100"
    holding[0].close()
    front.until(lambda: front.server.reserved() < limits.bodies_limit())
    again = front.connect(post("/page", LIMIT))
    front.send(again, bytes(LIMIT))
    assert front.answer(again) == f"/page 0 {LIMIT}"


def test_a_slow_body_makes_room_for_another(front: Front) -> None:
    size = limits.body_limit(IMPORT)
    holding = [front.connect(post(IMPORT, size)) for _ in range(limits.bodies_limit() // size)]
    for connection in front.server.active_channels.values():
        connection.request.begun -= limits.BODY_SECONDS + 1
    next(iter(front.server.active_channels.values())).request.begun -= 1
    client = front.connect(post("/page", LIMIT))
    front.send(client, bytes(LIMIT))
    assert front.answer(client) == f"/page 0 {LIMIT}"
    served = [each.addr for each in front.server.active_channels.values()]
    held = [each.getsockname() in served for each in holding]
    assert held == [False, True, True, True]


def test_headers_have_a_limit(front: Front) -> None:
    client = front.connect(b"GET / HTTP/1.1\r\nA: " + b"a" * limits.HEADERS)
    assert "exceeds max_header" in front.answer(client)


def test_with_too_many_connections_the_quietest_makes_room(front: Front) -> None:
    front.server.connections = 3
    quiet, *others = [front.connect() for _ in range(3)]
    for client in others:
        front.send(client, b"GET /")
    newest = front.connect(post("/page", 0))
    assert front.answer(newest) == "/page 0 0"
    assert front.is_closed_after(quiet, 0)
    assert not any(front.is_closed_after(client, 0) for client in others)


def test_told_to_stop_it_finishes_what_it_answers(front: Front) -> None:
    client = front.connect(post("/page", 5) + b"hello")
    idle = front.connect(b"GET /")
    front.server.stop()
    front.server.serve()
    client.setblocking(True)
    assert client.recv(65536).endswith(b"/page 0 5")
    assert idle.fileno() > 0
