"""One question over HTTPS, against a real server by TLS that does as it likes."""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from redundancy.pull import connecting, https
from redundancy.pull.https import Answer, poster
from redundancy.pull.pulling import pull
from redundancy.pull.sources import PullFailed, Time
from redundancy.srm.words import english
from tests.pull.cucm import HOST, PASSWORD, Cucm, Handler, serving, source, well

Behave = Callable[[Handler], None]


def ask(port: int, seconds: float = 60, **more: Any) -> Answer:
    return poster(source(port, **more), Time(seconds))("/axl/", b"<x/>", {"A": "b"})


def refusal(behave: Behave, folder: Path, seconds: float = 60) -> str:
    with serving(behave, folder) as (port, ca), pytest.raises(PullFailed) as failed:
        ask(port, seconds, ca=ca)
    return english(failed.value.rule)


def status(handler: Handler, number: int, *headers: tuple[str, str]) -> None:
    handler.send_response(number)
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()


def test_a_pull_by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.pull.axl.APART", 0.0)
    # What other libraries follow, this one does not.
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    with serving(well(Cucm()), tmp_path) as (port, ca):
        ((name, data),) = pull(source(port, ca=ca), PASSWORD)
        assert pull(source(port, verify=False), PASSWORD)[0][0] == "127.0.0.1.axl-not-verified.txt"
        # As the page gives it.
        assert pull(source(port, ca=Path(ca).read_text()), PASSWORD)[0][0] == name
    assert name == "127.0.0.1.axl.txt"
    assert b"DefaultCUPSubCluster" in data


def test_a_certificate_that_is_not_trusted_ends_it_before_anything_is_said(
    tmp_path: Path,
) -> None:
    asked: list[Handler] = []
    with serving(asked.append, tmp_path) as (port, _), pytest.raises(PullFailed) as failed:
        ask(port)
    rule = english(failed.value.rule)
    assert rule.startswith("Certificate: that of 127.0.0.1 is not trusted: self")
    assert not asked


def test_a_certificate_of_another_host_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Handler] = []
    with serving(asked.append, tmp_path) as (port, ca):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(PullFailed) as failed:
            ask(port, ca=ca, host="cucm.example.com")
    rule = english(failed.value.rule)
    assert rule.startswith(
        "Certificate: that of cucm.example.com is not trusted: Hostname mismatch"
    )
    assert not asked


@pytest.mark.parametrize("text", ["", "hello\n", "-----BEGIN CERTIFICATE-----\nx\n"])
def test_a_ca_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(text)
    with pytest.raises(PullFailed) as failed:
        ask(1, ca=str(path))
    rule = f"CA: {path} cannot be used: it has no certificate in the format PEM."
    assert english(failed.value.rule) == rule
    with pytest.raises(PullFailed) as failed:
        ask(1, ca=str(tmp_path / "none"))
    assert "none cannot be used: No such file or directory." in english(failed.value.rule)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    def away(handler: Handler) -> None:
        status(handler, 302, ("Location", "https://127.0.0.1:1/axl/"), ("Content-Length", "0"))

    with serving(away, tmp_path) as (port, ca):
        assert ask(port, ca=ca).status == 302


def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https, "LARGEST", 1024 * 1024)
    sent: list[int] = []

    def huge(handler: Handler) -> None:
        status(handler, 200)
        with suppress(OSError):
            while len(sent) < 2_000:
                handler.wfile.write(b"x" * 65_536)
                sent.append(65_536)

    assert refusal(huge, tmp_path) == "Host: an answer of 127.0.0.1 is larger than 1 MB."
    # What waits in the buffers of both sides may be some MB more.
    assert sum(sent) < 64 * 1024 * 1024


@pytest.mark.parametrize(
    "headers", [[("Content-Length", "1000")], [("Transfer-Encoding", "chunked")]]
)
def test_an_answer_that_is_cut_off_is_none(headers: list[tuple[str, str]], tmp_path: Path) -> None:
    def cut(handler: Handler) -> None:
        status(handler, 200, *headers)
        handler.wfile.write(b"3e8\r\n" + b"x" * 100)

    assert "an answer of 127.0.0.1 was cut off (IncompleteRead)" in refusal(cut, tmp_path)


def test_a_server_that_hangs_up_is_told(tmp_path: Path) -> None:
    assert "was cut off" in refusal(lambda _: None, tmp_path)


def _drip(handler: Handler, data: bytes) -> None:
    with suppress(OSError):
        for _ in range(3_000):
            handler.wfile.write(data)
            handler.wfile.flush()
            time.sleep(0.02)


def drips_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    _drip(handler, b"x")


def drips_body(handler: Handler) -> None:
    status(handler, 200)
    _drip(handler, b"x")


def says_nothing(handler: Handler) -> None:
    with suppress(OSError):
        handler.connection.recv(1)
        handler.connection.recv(1)


@pytest.mark.parametrize("behave", [drips_headers, drips_body, says_nothing])
def test_a_slow_server_is_left_when_the_time_is_over(behave: Behave, tmp_path: Path) -> None:
    """Each byte comes in time, and all of them would take a minute."""
    began = time.monotonic()
    assert refusal(behave, tmp_path, 1.5) == "Host: it was not over after 2 seconds."
    assert 1.4 < time.monotonic() - began < 40


def test_a_server_that_speaks_no_tls_or_is_silent_is_told(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as plain:
        port = plain.getsockname()[1]

        def answer() -> None:
            sock, _ = plain.accept()
            with sock:
                sock.recv(1000)
                sock.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(PullFailed) as failed:
            ask(port)
        thread.join()
        assert english(failed.value.rule) == f"Port: 127.0.0.1 speaks no TLS at port {port}."
        # It accepts, and says nothing.
        with pytest.raises(PullFailed) as failed:
            ask(port, 0.5)
        assert "was not over after" in english(failed.value.rule)
    with pytest.raises(PullFailed) as failed:
        ask(port)
    assert f"Host: 127.0.0.1, port {port}, cannot be reached" in english(failed.value.rule)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1"])
def test_addresses_of_no_server_are_not_asked(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 8443))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it is asked"))
    with pytest.raises(PullFailed) as failed:
        connecting.connected(source(host="cucm.example.com"), Time(5))
    assert f"cucm.example.com is {address}" in english(failed.value.rule)


def test_a_name_that_nobody_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(-2, os.strerror(2))

    monkeypatch.setattr(socket, "getaddrinfo", none)
    with pytest.raises(PullFailed) as failed:
        connecting.connected(source(host="cucm.example.com"), Time(5))
    assert english(failed.value.rule) == "Host: cucm.example.com has no address."
