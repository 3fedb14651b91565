"""The wire of played clients: what an answer may be, and what becomes of none."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from redundancy.jabber import wire
from redundancy.jabber.wire import Line, NotDone

KEY = {"session-key": "k"}
ANSWER = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
    '<logout-resp xmlns="urn:cisco:epas:soap">{}</logout-resp></e:Body></e:Envelope>'
)
Serve = Callable[..., Line]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[HTTPServer] = []

    def start(answer: str, status: int = 200, *, keeps: bool = True) -> Line:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1" if keeps else "HTTP/1.0"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return Line("127.0.0.1", server.server_address[1])

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


def failed(line: Line) -> NotDone:
    with pytest.raises(NotDone) as caught:
        line.ask("logout", KEY)
    line.close()
    return caught.value


@pytest.mark.parametrize("keeps", [True, False])
def test_an_answer_is_read_one_after_the_other(serve: Serve, keeps: bool) -> None:
    line = serve(ANSWER.format("<success/>"), keeps=keeps)
    for _ in range(3):
        assert line.ask("logout", KEY) == {}
    line.close()


@pytest.mark.parametrize(
    ("answer", "status", "word", "reason"),
    [
        ("<html>", 502, wire.INTERNAL, "HTTP status 502"),
        ("", 200, wire.INTERNAL, "HTTP status 200"),
        (ANSWER.format("<what/>"), 200, wire.INTERNAL, "what: there is no such field"),
        (ANSWER.replace("logout-resp", "x").format(""), 200, wire.INTERNAL, "HTTP status 200"),
        (
            ANSWER.format("<failure><code>wrong-password</code><reason>no</reason></failure>"),
            200,
            wire.AUTHENTICATION,
            "no",
        ),
    ],
)
def test_what_is_no_success_is_told(
    serve: Serve, answer: str, status: int, word: str, reason: str
) -> None:
    found = failed(serve(answer, status))
    assert (found.word, reason in found.reason) == (word, True)


def test_too_long_an_answer_is_none(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST", 100)
    assert failed(serve(ANSWER.format("<success/>"))).word == wire.UNREACHABLE


def test_nobody_there_and_nobody_who_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert failed(Line("127.0.0.1", port)).word == wire.TIMEOUT
    assert failed(Line("127.0.0.1", port)).word == wire.UNREACHABLE


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("http://[::1]:8000/", ("::1", 8000)),
        ("http://lab", ("lab", 80)),
    ],
)
def test_an_address_is_read(url: str, found: tuple[str, int]) -> None:
    assert wire.where(url) == found


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "https://x", "http://x/path", "http://:80", "http://x:99999"]
)
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire.where(url)
