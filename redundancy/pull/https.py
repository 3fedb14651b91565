"""One question over HTTPS: no redirects, no proxies, no more bytes and no more time than allowed."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from redundancy.pull.connecting import connected
from redundancy.pull.sources import PEM, PullFailed, Source, Time, said
from redundancy.srm.words import say

# Bytes of one answer.
LARGEST = 16 * 1024 * 1024
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole. ``headers``: by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# Sends a body to a path, with headers.
Post = Callable[[str, bytes, Mapping[str, str]], Answer]


def poster(source: Source, time: Time) -> Post:
    """Return what sends to a server. Raises PullFailed where its CA cannot be used; so does what it returns."""
    tls = _tls(source)

    def post(path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return _post(source, time, tls, (path, body, headers))

    return post


def _tls(source: Source) -> ssl.SSLContext:
    itself = source.ca.startswith(PEM)
    try:
        if itself:
            tls = ssl.create_default_context(cadata=source.ca)
        else:
            tls = ssl.create_default_context(cafile=source.ca or None)
    except (OSError, ValueError) as error:
        why = None if isinstance(error, ssl.SSLError | ValueError) else error.strerror
        raise PullFailed(
            say(
                "CA: {what} cannot be used: {why}.",
                what=say("what is given") if itself else source.ca,
                why=why or say("it has no certificate in the format PEM"),
            )
        ) from None
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    if not source.verify:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls


def _post(
    source: Source,
    time: Time,
    tls: ssl.SSLContext,
    message: tuple[str, bytes, Mapping[str, str]],
) -> Answer:
    path, body, headers = message
    with (
        connected(source, time) as raw,
        tls.wrap_socket(raw, server_hostname=source.host, do_handshake_on_connect=False) as sock,
        _ended(sock, time.left()) as ended,
    ):
        try:
            sock.do_handshake()
        except OSError as error:
            raise time.over() if ended.is_set() else _no_tls(source, time, error) from None
        try:
            # It knows neither redirects nor proxies nor variables of the environment.
            connection = http.client.HTTPConnection(source.host, source.port)
            connection.sock = sock
            connection.request("POST", path, body, dict(headers))
            answer = _whole(source, connection.getresponse())
        except (OSError, ValueError, http.client.HTTPException) as error:
            if ended.is_set() or isinstance(error, TimeoutError):
                raise time.over() from None
            raise PullFailed(
                say(
                    "Host: an answer of {host} was cut off ({why}).",
                    host=source.host,
                    why=type(error).__name__,
                )
            ) from None
        if ended.is_set():
            # What came may be a part of it.
            raise time.over()
        return answer


def _no_tls(source: Source, time: Time, error: OSError) -> PullFailed:
    if isinstance(error, TimeoutError):
        return time.over()
    if isinstance(error, ssl.SSLCertVerificationError):
        return PullFailed(
            say(
                "Certificate: that of {host} is not trusted: {why}. Give its CA, or choose not to verify it.",
                host=source.host,
                why=said(error.verify_message),
            )
        )
    return PullFailed(
        say("Port: {host} speaks no TLS at port {port}.", host=source.host, port=source.port)
    )


def _whole(source: Source, response: http.client.HTTPResponse) -> Answer:
    blocks, size = [], 0
    while block := response.read(_BLOCK):
        size += len(block)
        if size > LARGEST:
            limit = LARGEST // 1024 // 1024
            raise PullFailed(
                say(
                    "Host: an answer of {host} is larger than {limit} MB.",
                    host=source.host,
                    limit=limit,
                )
            )
        blocks.append(block)
    if response.length:
        # Of a body whose length was told.
        raise http.client.IncompleteRead(b"")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, b"".join(blocks))


@contextmanager
def _ended(sock: ssl.SSLSocket, seconds: float) -> Iterator[threading.Event]:
    """End a connection when the time is over: no timeout covers a server that sends a byte now and then."""
    ended = threading.Event()

    def end() -> None:
        ended.set()
        with suppress(OSError):
            # That of TLS would take its state away under the other thread.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield ended
    finally:
        timer.cancel()
