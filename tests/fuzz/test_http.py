"""Requests that no client library sends, over a real connection to the web process of the Procfile."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
import redis

from tests.live.lab import running
from tests.ready import Ready
from tests.stacks import find_port, own_environment

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

# What it may do with a request: answer that it is wrong, or hang up.
HANGS_UP = 0
HOST = b"Host: 127.0.0.1\r\n"
SOUND = b"GET /login/ HTTP/1.0\r\n" + HOST + b"\r\n"
FORM = HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
REQUESTS = {
    "no request": b"\0\1\2\3\r\n\r\n",
    "no version": b"GET /login/\r\n\r\n",
    "another method": b"BREW /login/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path of bytes": b"GET /\xff\xfe%ff%00%ed%a0%80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "null bytes in a path": b"GET /ccmadmin/servers/%00/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long path": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path that leads out": b"GET /static/../../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address as path": b"GET http://evil.example/login/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "another host": b"GET /login/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a host of bytes": b"GET /login/ HTTP/1.1\r\nHost: \xff\xfe:-1\r\n\r\n",
    "no host": b"GET /login/ HTTP/1.1\r\n\r\n",
    "many headers": b"GET /login/ HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 500 + b"\r\n",
    "a header of bytes": b"GET /login/ HTTP/1.1\r\n" + HOST + b"X\xff: \xff\r\n\r\n",
    "cookies": b"GET / HTTP/1.1\r\n"
    + HOST
    + b"Cookie: sessionid=\xff%00; django_language=../../x; csrftoken="
    + b"a" * 4000
    + b"\r\n\r\n",
    "languages": b"GET /login/ HTTP/1.1\r\n"
    + HOST
    + b"Accept-Language: "
    + b"x-," * 2000
    + b"\r\n\r\n",
    "no body": b"POST /login/ HTTP/1.1\r\n" + FORM + b"Content-Length: -5\r\n\r\n",
    "a length of digits": b"POST /login/ HTTP/1.1\r\n"
    + FORM
    + "Content-Length: ٣\r\n\r\n".encode(),
    "two lengths": b"POST /login/ HTTP/1.1\r\n"
    + FORM
    + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\na=b",
    "bad chunks": b"POST /login/ HTTP/1.1\r\n"
    + FORM
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "another encoding": b"POST /login/ HTTP/1.1\r\n"
    + FORM
    + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no boundary": b"POST /login/ HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\na=b",
    "another charset": b"POST /login/ HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: application/x-www-form-urlencoded; charset=\xff\r\nContent-Length: 3\r\n\r\na=b",
}


@pytest.fixture(scope="module")
def port(
    tmp_path_factory: pytest.TempPathFactory, given_redis: redis.Redis | None, begun: Ready
) -> Iterator[int]:
    """The port of the web process of a running system."""
    folder, port = tmp_path_factory.mktemp("web"), find_port()
    with (
        own_environment(begun.fill(folder / "var"), port, begun.template) as variables,
        running(variables, folder, web=True) as lab,
    ):
        deadline = time.monotonic() + 60
        while ask(port, SOUND) != 200:
            assert time.monotonic() < deadline, lab.processes.log()
            time.sleep(0.1)
        yield port
    if given_redis is not None:
        given_redis.flushdb()


def ask(port: int, request: bytes) -> int:
    """Return the status that a request is answered with; HANGS_UP when it is not."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 20) as link:
        link.sendall(request)
        link.shutdown(socket.SHUT_WR)
        line = link.recv(65536).split(b"\r\n")[0].split()
        return int(line[1]) if len(line) > 1 else HANGS_UP
    return HANGS_UP


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_no_request_is_no_fault_of_ours(port: int, name: str) -> None:
    answer = ask(port, REQUESTS[name])
    # 501: a method, or an encoding, that it does not know.
    assert answer < 500 or answer == 501
    assert ask(port, SOUND) == 200
