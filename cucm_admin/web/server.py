"""The HTTP server: Waitress, with limits of time, size and number.

Waitress reads requests and sends answers in one loop and hands only whole requests to its threads, so
slow clients hold none. What it lacks is here: a limit of time for each part of a request, of size by
address, of all bodies together, and room for new connections when there are too many.
"""

import resource
import signal
import socket
import time
from functools import partial
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask

from cucm_admin.web import limits
from redundancy.origin import DIALLED

THREADS = 8
# Wall seconds for requests that are being answered when the process is told to stop.
GRACE_SECONDS = 10.0
# Connections taken in one round of the loop, which takes some milliseconds when there are many.
ACCEPTED_AT_ONCE = 16
# Files that are open besides those of connections.
OTHER_FILES = 100
# Bytes of an answer that are kept for a slow client, on disk from 1 MB on, before its thread waits.
ANSWER_BYTES = 64 * limits.MEGABYTE


class Nothing(OverflowableBuffer):
    """Takes a body that is refused, and keeps none of it."""

    def append(self, s: bytes) -> None:
        """Drop ``s``."""


class Request(HTTPRequestParser):
    """A request as it comes in. Its size is judged before any of its body is kept."""

    # The status that the application is to answer with (413 or 503); 0: it was not refused.
    refused = 0
    # Bytes that are kept free for its body, as long as the request is there.
    reserved = 0

    def __init__(self, adj: Adjustments, server: "Server") -> None:
        super().__init__(adj)
        self._server = server
        self.begun = time.time()

    def received(self, data: bytes) -> int:
        """Take what belongs to this request and return its length."""
        judged = self.headers_finished
        length: int = super().received(data)
        if self.error is None and self.body_rcv is not None:
            if self.headers_finished and not judged:
                self._judge()
            elif self.chunked and self.body_bytes_received > limits.body_limit(self.path):
                self._refuse(413)
        return length

    def seconds_allowed(self) -> float:
        """Return how many seconds after its begin this request must be complete."""
        if not self.headers_finished:
            return limits.HEADER_SECONDS
        taken: int = min(self.body_bytes_received, limits.body_limit(self.path))
        return limits.BODY_SECONDS + taken / limits.BYTES_A_SECOND

    def _judge(self) -> None:
        limit = limits.body_limit(self.path)
        size = limit if self.chunked else self.content_length
        if size > limit:
            self._refuse(413)
        elif size > limits.SMALL_BODY:
            if self._server.make_room(size):
                self.reserved = size
            else:
                self._refuse(503)

    def _refuse(self, status: int) -> None:
        self.refused = status
        if self.chunked or self.expect_continue:
            # Nobody knows how much would come, or the client waits for a word: it gets one.
            self.expect_continue: bool = False
            self.headers["CONNECTION"] = "close"
            self.completed = True
        else:
            # Received to its end, for a browser that still sends reads no answer.
            self.body_rcv.buf = Nothing(0)


class Task(WSGITask):
    """Tells the application which requests were refused, and which address was dialled."""

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment."""
        environ: dict[str, Any] = super().get_environment()
        environ[limits.REFUSED] = self.request.refused
        environ[DIALLED] = self.channel.dialled
        return environ


class Connection(HTTPChannel):
    """A client's connection."""

    task_class = Task

    def __init__(self, server: "Server", sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(server, sock, *args, **options)
        self.parser_class = partial(Request, server=server)
        # The address of this machine that the client called; empty where the socket has none.
        self.dialled = local_address(sock)

    def is_waiting(self) -> bool:
        """Return whether it waits for its client: nothing is lost for others when it is closed."""
        return not (self.is_answering() or self.will_close)

    def is_answering(self) -> bool:
        """Return whether a request is worked on, or its answer is not sent yet."""
        return bool(self.requests or self.total_outbufs_len)

    def is_overdue(self, now: float) -> bool:
        """Return whether the client is too slow at the moment ``now`` (as ``time.time()``)."""
        quiet: float = now - self.last_activity
        if self.total_outbufs_len:
            return quiet > limits.ANSWER_SECONDS
        if self.requests:
            return False
        request: Request | None = self.request
        if request is None:
            return quiet > limits.QUIET_SECONDS
        return now - request.begun > request.seconds_allowed()


class Server(TcpWSGIServer):
    """Listens on ``listening`` and answers with ``application``, until ``stop``."""

    channel_class = Connection
    # How clients come, for the addresses that answers name.
    scheme = "http"

    def __init__(
        self, application: Any, listening: socket.socket, connections: int = limits.CONNECTIONS
    ) -> None:
        self.connections = connections
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(THREADS)
        kind = (listening.family, listening.type, listening.proto, listening.getsockname())
        adjustments = Adjustments(
            sockets=[listening],
            threads=THREADS,
            url_scheme=self.scheme,
            # Each is judged by the limits of this module instead; see there.
            max_request_body_size=2**62,
            connection_limit=2 * connections,
            max_request_header_size=limits.HEADERS,
            cleanup_interval=1,
            # A chunked body in crumbs keeps the loop for some 20 ms at this size.
            recv_bytes=16 * 1024,
            outbuf_high_watermark=ANSWER_BYTES,
            log_socket_errors=False,
            # Left to the application (cucm_admin.web.proxies), which knows several proxies.
            clear_untrusted_proxy_headers=False,
            ident=None,
        )
        self.stopping = False
        super().__init__(
            application,
            map={},
            _sock=listening,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=kind,
            bind_socket=False,
        )

    def reserved(self) -> int:
        """Return how many bytes are kept free for the bodies of all requests."""
        return sum(
            request.reserved
            for connection in list(self.active_channels.values())
            for request in (*connection.requests, connection.request)
            if request is not None
        )

    def make_room(self, size: int) -> bool:
        """Return whether a body of ``size`` bytes may come; hang up on those that are slow for it."""
        now = time.time()
        while self.reserved() + size > limits.bodies_limit():
            slow = [
                each
                for each in self.active_channels.values()
                if each.request
                and each.request.reserved
                and now - each.request.begun > limits.BODY_SECONDS
            ]
            if not slow:
                return False
            min(slow, key=lambda each: each.request.begun).handle_close()
        return True

    def maintenance(self, now: float) -> None:
        """Close the connections of clients that are too slow at the moment ``now``."""
        for connection in list(self.active_channels.values()):
            if connection.is_overdue(now):
                # At once: one that is only marked is closed when its client takes something.
                connection.handle_close()

    def handle_accept(self) -> None:
        """Take new connections, in place of the quietest ones where there are too many."""
        for _ in range(ACCEPTED_AT_ONCE):
            super().handle_accept()
            self.stay_within()

    def stay_within(self) -> None:
        """Close the quietest connection when there are too many."""
        if len(self.active_channels) > self.connections:
            waiting = [each for each in self.active_channels.values() if each.is_waiting()]
            if waiting:
                min(waiting, key=lambda each: each.last_activity).handle_close()

    def serve(self) -> None:
        """Serve until ``stop`` is called, then finish what is being answered."""
        while not self.stopping:
            self.step(1.0)
        # The listening socket stays open: where a supervisor holds it, who comes now waits for the
        # next web process.
        self.accepting = False
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(
            each.is_answering() for each in list(self.active_channels.values())
        ):
            self.step(0.1)
        self.task_dispatcher.shutdown(timeout=1)

    def step(self, seconds: float) -> None:
        """Deal with what happens next; wait at most ``seconds`` for it."""
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def stop(self) -> None:
        """Let ``serve`` return soon. May be called from a signal's handler or another thread."""
        self.stopping = True
        self.pull_trigger()


def local_address(sock: socket.socket) -> str:
    """Return the address at this end of a connection; empty where it has none, or is gone."""
    try:
        name = sock.getsockname()
    except OSError:
        return ""
    return str(name[0]) if isinstance(name, tuple) else ""


def connections_possible() -> int:
    """Return how many connections this process has files for, and get it more where it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A socket, a body and an answer each; the rest is for the database, logs and the program itself.
    wanted = 3 * limits.CONNECTIONS + OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(limits.CONNECTIONS, (soft - OTHER_FILES) // 3))


def run(application: Any, listening: socket.socket) -> None:
    """Serve ``application`` on ``listening`` until this process is told to stop."""
    server = Server(application, listening, connections_possible())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.serve()
