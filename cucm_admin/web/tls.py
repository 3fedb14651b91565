"""TLS in front of the HTTP server: an event loop decrypts, and hands each connection on within the process.

Waitress speaks no TLS. What a client sends passes through a pair of sockets to its loop, so that its limits
hold, and the request keeps the client's own address.
"""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cucm_admin.web import limits
from cucm_admin.web.server import Connection, Server, connections_possible, local_address

# Bytes that are read at a time, in either direction.
PIECE = 16 * 1024
# Seconds for which slow clients are waited for at the end.
GRACE_SECONDS = 5.0
# Connections that may be in their handshake besides those that are served.
HANDSHAKES = 100


class Behind(Server):
    """The HTTP server whose connections are handed to it by ``Front``."""

    scheme = "https"

    def accept_connections(self) -> None:
        """Take none from the socket: the front does."""

    def hand(self, client: socket.socket, address: Any, dialled: str) -> None:
        """Serve ``client``, whose own address is ``address`` and who dialled ``dialled``.

        May be called from another thread.
        """
        self.trigger.pull_trigger(lambda: self._take(client, address, dialled))

    def hang_up(self) -> None:
        """Close all connections, once ``serve`` has returned."""
        for connection in list(self.active_channels.values()):
            connection.handle_close()

    def _take(self, client: socket.socket, address: Any, dialled: str) -> None:
        if self.stopping:
            client.close()
            return
        taken = Connection(self, client, address, self.adj, map=self._map)
        taken.dialled = dialled
        self.stay_within()


class Front:
    """Takes connections from a listening socket, and hands them on decrypted.

    It may listen at other addresses, too, each with a certificate of its own.
    """

    def __init__(self, behind: Behind, listening: socket.socket, context: ssl.SSLContext) -> None:
        self._behind = behind
        self._listening = listening
        self._context = context
        # By the address of this machine that is dialled, of those that have one of their own.
        self._contexts: dict[str, ssl.SSLContext] = {}
        # Each connection, with that address.
        self._held: dict[asyncio.Task[None], str] = {}

    async def serve(self) -> None:
        """Serve until cancelled."""
        await self._accept(self._listening)

    def open(self, address: str, own: socket.socket | None, context: ssl.SSLContext) -> "Opened":
        """Show another certificate to who dials ``address``; serve on ``own`` besides, a socket for it."""
        self._contexts[address] = context
        if own is None:
            return Opened(None)
        accepting = asyncio.create_task(self._accept(own))
        # Not before: the loop would watch a file that is another one's by then.
        accepting.add_done_callback(lambda _: own.close())
        return Opened(accepting)

    def hang_up(self, address: str) -> None:
        """Close the connections of all who dialled ``address``."""
        for task in [task for task, dialled in self._held.items() if dialled == address]:
            task.cancel()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        while True:
            try:
                client, address = await loop.sock_accept(listening)
            except OSError:
                # No file is free, or the client has gone already.
                await asyncio.sleep(0.1)
                continue
            if len(self._held) >= self._behind.connections + HANDSHAKES:
                client.close()
                continue
            dialled = local_address(client)
            task = asyncio.create_task(self._hold(client, address, dialled))
            self._held[task] = dialled
            task.add_done_callback(self._held.pop)

    async def finish(self) -> None:
        """Wait until what the server has sent is with its clients, unless they are slow."""
        if self._held:
            await asyncio.wait(set(self._held), timeout=GRACE_SECONDS)

    async def _hold(self, client: socket.socket, address: Any, dialled: str) -> None:
        # Whoever goes away, in whatever state: nobody else notices.
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            reader, writer = await self._shake_hands(client, dialled)
            ours, theirs = socket.socketpair()
            self._behind.hand(theirs, address, dialled)
            within, without = await asyncio.open_connection(sock=ours, limit=PIECE)
            asking = asyncio.create_task(_carry(reader, without))
            try:
                await _carry(within, writer)
            finally:
                asking.cancel()
                without.close()
                writer.close()
            await writer.wait_closed()

    async def _shake_hands(
        self, client: socket.socket, dialled: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(PIECE)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            client,
            ssl=self._contexts.get(dialled, self._context),
            ssl_handshake_timeout=limits.HEADER_SECONDS,
            ssl_shutdown_timeout=1.0,
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


@dataclass(frozen=True, slots=True)
class Opened:
    """Another address that ``Front`` serves; ``accepting``: on a socket of its own."""

    accepting: asyncio.Task[None] | None

    def close(self) -> None:
        """Let nobody in there any more, but where the socket of the process has the address."""
        if self.accepting is not None:
            self.accepting.cancel()


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry on what comes until it ends; wait for a target that takes it slowly."""
    with contextlib.suppress(OSError):
        while piece := await source.read(PIECE):
            target.write(piece)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()


# Opens and closes other addresses of a front, until it is cancelled.
Follow = Callable[[Front], Awaitable[None]]


async def serve(
    behind: Behind,
    listening: socket.socket,
    context: ssl.SSLContext,
    ended: asyncio.Event,
    follow: Follow | None = None,
) -> None:
    """Serve by TLS on ``listening`` until ``ended`` is set, then finish what is being answered.

    ``follow``: opens and closes other addresses meanwhile, until it is cancelled. Raises what either of them ends
    with by itself: without the others it would serve nobody.
    """
    front = Front(behind, listening, context)
    serving = asyncio.create_task(asyncio.to_thread(behind.serve))
    accepting = asyncio.create_task(front.serve())
    told = asyncio.create_task(ended.wait())
    following = {asyncio.ensure_future(follow(front))} if follow is not None else set()
    waited = {serving, accepting, told, *following}
    done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    behind.stop()
    for task in done:
        task.result()
    for each in (accepting, *following):
        each.cancel()
    await serving
    behind.hang_up()
    await front.finish()


def run(
    application: Any,
    listening: socket.socket,
    context: ssl.SSLContext,
    follow: Follow | None = None,
) -> None:
    """Serve ``application`` by TLS on ``listening`` until this process is told to stop; ``follow``: see ``serve``."""
    # Each connection has two files more than one of the plain server.
    behind = Behind(application, listening, max(1, connections_possible() // 2))
    asyncio.run(_until_told(behind, listening, context, follow))


async def _until_told(
    behind: Behind, listening: socket.socket, context: ssl.SSLContext, follow: Follow | None
) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await serve(behind, listening, context, ended, follow)
