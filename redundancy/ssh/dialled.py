"""An address of the loopback network for each node (``SSH_NODES``), open while the node has power."""

import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence

import asyncssh
from django.db import DatabaseError

from cucm_admin.env import BadSetting
from cucm_admin.stack import checks
from redundancy.selectors.loopback import loopback_of, powered_nodes
from redundancy.ssh.server import House

logger = logging.getLogger(__name__)

# Each has a socket; a cluster of the vendor's has six.
MOST = 250


class Addresses:
    """The sockets of the nodes. ``main``: the one of the process; ``listen``: lets clients in on another one."""

    def __init__(
        self,
        main: socket.socket,
        house: House,
        listen: Callable[[socket.socket], Awaitable[asyncssh.SSHAcceptor]],
    ) -> None:
        host, self._port = main.getsockname()[:2]
        # Such a socket has all addresses of the machine, these among them.
        self._needed = host not in {"0.0.0.0", "::"}
        self._house = house
        self._listen = listen
        self._open: dict[int, asyncssh.SSHAcceptor | None] = {}
        self._failed: set[int] = set()

    async def follow(self, found: Sequence[tuple[int, str]] | None) -> None:
        """Open the addresses of these nodes (key, name), close all others and hang up there; None: nobody knows."""
        if found is None:
            return
        for node in self._open.keys() - {key for key, _ in found}:
            if acceptor := self._open.pop(node):
                acceptor.close()
            self._house.hang_up(node)
        for node, name in found:
            if node not in self._open:
                await self._begin(node, name)

    async def _begin(self, node: int, name: str) -> None:
        address = loopback_of(node)
        if address is None:
            return
        try:
            self._open[node] = (
                await self._listen(checks.listen(address, self._port, name="SSH_NODES"))
                if self._needed
                else None
            )
        except BadSetting as refused:
            # It is tried again at the next look.
            if node not in self._failed:
                logger.error("SSH does not reach %s at %s: %s", name, address, refused)
            self._failed.add(node)
            return
        self._failed.discard(node)
        sys.stdout.write(f"SSH reaches {name} at {address} port {self._port}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Close all addresses."""
        for acceptor in self._open.values():
            if acceptor is not None:
                acceptor.close()


def powered() -> Sequence[tuple[int, str]] | None:
    """Return the nodes whose addresses are to be open; None while the database cannot be read."""
    try:
        return powered_nodes(MOST)
    except DatabaseError:
        return None
