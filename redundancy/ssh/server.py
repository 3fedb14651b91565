"""The SSH server: who may come in, how many at once, and the shell that each session gets.

A shell is all there is: no command in the request (unless it is allowed), no forwarding, no files, no agent, no keys.
"""

import asyncio
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from cucm_admin.dialled import Door
from redundancy.operations.authentication import AT_ONCE
from redundancy.operations.throttle import TryLater
from redundancy.selectors.loopback import node_at
from redundancy.ssh.running import Caller
from redundancy.ssh.shell import Gone, Keys, Shell, Stuck
from redundancy.ssh.signin import not_there, sign_in

logger = logging.getLogger(__name__)

# Seconds in which a client must have signed in, and how many may be about to.
_GRACE = 60
_STRANGERS = 50
# Channels of one connection at once, as OpenSSH's MaxSessions; and the bytes of each that may be under way.
CHANNELS = 10
WINDOW = 128 * 1024
# Rows of a terminal that does not say how many it has.
_ROWS = 24


@dataclass(slots=True)
class House:
    """What all connections share. ``most``: sessions at once. ``may_exec``: run the command of a request.

    ``by_node``: whether the address that is dialled says which node it is.
    """

    most: int
    may_exec: bool = False
    by_node: bool = False
    connections: int = 0
    sessions: int = 0
    # Those who sign in at the same moment wait for each other, instead of being told that they are many.
    signing_in: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    # The connections to each node.
    on_node: dict[int, set["Server"]] = field(default_factory=dict)

    def hang_up(self, node: int) -> None:
        """End all connections to a node."""
        for server in self.on_node.pop(node, ()):
            server.hang_up()


class Server(asyncssh.SSHServer):
    """One connection: its sign-in, and its sessions."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._address = ""
        self._node: int | None = None
        self._caller: Caller | None = None
        self.channels = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Note who calls; hang up when too many do."""
        self._connection = conn
        self._house.connections += 1
        self._address = conn.get_extra_info("peername")[0]
        if self._house.by_node:
            self._node = node_at(conn.get_extra_info("sockname")[0])
        if self._node is not None:
            self._house.on_node.setdefault(self._node, set()).add(self)
        if self._house.connections > self._house.most + _STRANGERS:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._house.connections -= 1
        if self._node is not None:
            self._house.on_node.get(self._node, set()).discard(self)

    def hang_up(self) -> None:
        """End the connection."""
        self._connection.close()

    def begin_auth(self, username: str) -> bool:
        """Let nobody in without a password."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Offer no keys: the product's users have passwords."""
        return False

    def password_auth_supported(self) -> bool:
        """Offer the one method that some clients know."""
        return True

    def kbdint_auth_supported(self) -> bool:
        """Offer the one method that the others know."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Sign a user of the product in; say when to try again after too many tries."""
        try:
            async with self._house.signing_in:
                self._caller = await asyncio.to_thread(
                    sign_in, username, password, self._address, self._node
                )
        except TryLater as refused:
            self._connection.send_auth_banner(f"{refused.rule}\r\n")
        return self._caller is not None

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        """Ask for the password."""
        return "", "", "", [("Password: ", False)]

    async def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        """Sign a user of the product in by the answer."""
        return len(responses) == 1 and await self.validate_password(username, responses[0])

    def session_requested(self) -> "Session | bool":
        """Give the connection a session, unless it has many."""
        assert self._caller is not None
        if self.channels >= CHANNELS:
            return False
        self.channels += 1
        return Session(self._caller, self._house, self)


class Session(asyncssh.SSHServerSession[str]):
    """A channel with a shell on it."""

    def __init__(self, caller: Caller, house: House, server: Server) -> None:
        self._caller = caller
        self._house = house
        self._server = server
        self._writable = asyncio.Event()
        self._writable.set()
        self._command: str | None = None
        self._shell: Shell | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, chan: "asyncssh.SSHServerChannel[str]") -> None:
        """Take the channel."""
        self._channel = chan
        self._keys = Keys(lambda on: chan.pause_reading() if on else chan.resume_reading())

    def shell_requested(self) -> bool:
        """Give a shell."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Take the command of a request, to be refused in words unless the settings allow it."""
        self._command = command
        return True

    def session_started(self) -> None:
        """Begin the conversation."""
        terminal = self._channel.get_terminal_type()
        self._shell = Shell(
            self._caller,
            self._keys,
            self._channel.write,
            self._drained,
            rows=self._channel.get_terminal_size()[1] or _ROWS,
            helpful=bool(terminal) and terminal != "dumb",
        )
        self._task = asyncio.create_task(self._hold(self._shell))

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:
        """Take what was typed."""
        self._keys.feed(data)

    def eof_received(self) -> bool:
        """Let the conversation end with what was typed."""
        self._keys.end()
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Make pages as long as the window."""
        if self._shell is not None and height > 0:
            self._shell.pager.rows = height

    def pause_writing(self) -> None:
        """Wait: the client reads slower than a command prints."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    async def _drained(self) -> None:
        await self._writable.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what runs: nobody listens."""
        self._server.channels -= 1
        if self._task is not None:
            self._task.cancel()

    async def _hold(self, shell: Shell) -> None:
        code = 1
        self._house.sessions += 1
        try:
            if self._house.sessions > self._house.most:
                self._channel.write(
                    f"There are {self._house.most} sessions already; try again later.\r\n"
                )
            elif why := await asyncio.to_thread(not_there, self._caller.node):
                self._channel.write(f"{why}\r\n")
            elif self._command is None:
                await shell.converse()
                code = 0
            elif self._house.may_exec:
                code = 0 if await shell.run(self._command) else 1
            else:
                self._channel.write(
                    "This server gives a shell; it runs no command of a request.\r\n"
                )
        except (Gone, BrokenPipeError):
            # The other side has left, perhaps in the middle of a line.
            code = 0
        except Stuck:
            # What waits to be sent would wait for ever.
            logger.warning("A session of %s took nothing of what was printed", self._caller.name)
            self._channel.get_connection().abort()
        except Exception:
            logger.exception("A session of %s ended by an error", self._caller.name)
            self._channel.write("\r\nThe session ended by an error; the server's log has it.\r\n")
        finally:
            self._house.sessions -= 1
            self._channel.exit(code)


async def listen(
    ours: socket.socket, host_keys: Sequence[Path], house: House
) -> asyncssh.SSHAcceptor:
    """Let clients in on a socket that listens."""
    return await asyncssh.listen(
        sock=ours,
        server_factory=lambda: Server(house),
        server_host_keys=[str(path) for path in host_keys],
        login_timeout=_GRACE,
        encoding="utf-8",
        errors="replace",
        window=WINDOW,
        # Echo and editing are ours, byte by byte.
        line_editor=False,
        public_key_auth=False,
        host_based_auth=False,
        gss_kex=False,
        gss_auth=False,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_scp=False,
        keepalive_interval=30,
        keepalive_count_max=4,
    )


def door(house: House, host_keys: Sequence[Path]) -> Door:
    """Return what is reached at the addresses of nodes."""

    async def let_in(
        own: socket.socket | None, _node: int, _name: str
    ) -> asyncssh.SSHAcceptor | None:
        return await listen(own, host_keys, house) if own is not None else None

    return Door("SSH", "SSH_NODES", let_in, house.hang_up)
