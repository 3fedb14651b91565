"""An address of the loopback network for each node (``SSH_NODES``, ``SOAP_NODES``), open while the node has power."""

import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db import DatabaseError

from cucm_admin.env import BadSetting
from cucm_admin.stack import checks
from redundancy.selectors.loopback import loopback_of

logger = logging.getLogger(__name__)

# Each has a socket; a cluster of the vendor's has six.
MOST = 250


class Listening(Protocol):
    """What lets clients in at an address."""

    def close(self) -> object:
        """Let nobody in any more."""


@dataclass(frozen=True, slots=True)
class Door:
    """What is reached at the addresses: its ``name``, and the ``setting`` that asks for them.

    ``listen``: lets clients of a node (key, name) in on a socket; None: the socket of the process has the
    node's address already. ``hang_up``: ends all connections to a node.
    """

    name: str
    setting: str
    listen: Callable[[socket.socket | None, int, str], Awaitable[Listening | None]]
    hang_up: Callable[[int], None]


class Addresses:
    """The sockets of the nodes at ``door``, beside ``main``, the one of the process."""

    def __init__(self, main: socket.socket, door: Door) -> None:
        host, self._port = main.getsockname()[:2]
        # Such a socket has all addresses of the machine, these among them.
        self._needed = host not in {"0.0.0.0", "::"}
        self._door = door
        self._open: dict[int, Listening | None] = {}
        self._failed: set[int] = set()

    async def follow(self, found: Sequence[tuple[int, str]] | None) -> None:
        """Open the addresses of these nodes (key, name), close all others and hang up there; None: nobody knows."""
        if found is None:
            return
        for node in self._open.keys() - {key for key, _ in found}:
            if listening := self._open.pop(node):
                listening.close()
            self._door.hang_up(node)
        for node, name in found:
            if node not in self._open:
                await self._begin(node, name)

    async def _begin(self, node: int, name: str) -> None:
        address, door = loopback_of(node), self._door
        if address is None:
            return
        try:
            own = checks.listen(address, self._port, name=door.setting) if self._needed else None
        except BadSetting as refused:
            # It is tried again at the next look.
            if node not in self._failed:
                logger.error("%s does not reach %s at %s: %s", door.name, name, address, refused)
            self._failed.add(node)
            return
        self._open[node] = await door.listen(own, node, name)
        self._failed.discard(node)
        sys.stdout.write(f"{door.name} reaches {name} at {address} port {self._port}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Close all addresses."""
        for listening in self._open.values():
            if listening is not None:
                listening.close()


def seen(
    nodes: Callable[[int], Sequence[tuple[int, str]]],
) -> Sequence[tuple[int, str]] | None:
    """Return the ``nodes`` whose addresses are to be open; None while the database cannot be read."""
    try:
        return nodes(MOST)
    except DatabaseError:
        return None
