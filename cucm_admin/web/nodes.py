"""The addresses of servers at the TLS port (``SOAP_NODES``): opened and closed with their power."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.db import connection

from cucm_admin import joining
from cucm_admin.dialled import Addresses, Door, seen
from cucm_admin.web.tls import Front, Opened
from redundancy.selectors.loopback import loopback_of
from redundancy.selectors.servers import soap_servers

# How TLS is spoken at the address of a server: by its name and the address.
Certify = Callable[[str, str], ssl.SSLContext]


def door(front: Front, certify: Certify) -> Door:
    """Return what is reached at the addresses: ``front``, with a certificate for each."""

    async def listen(own: socket.socket | None, node: int, name: str) -> Opened:
        address = loopback_of(node) or ""
        return front.open(address, own, certify(name, address))

    return Door("SOAP", "SOAP_NODES", listen, lambda node: front.hang_up(loopback_of(node) or ""))


async def follow(main: socket.socket, certify: Certify, front: Front) -> None:
    """Keep the addresses of ``front`` as the servers are, beside its socket ``main``, until cancelled."""
    addresses = Addresses(main, door(front, certify))
    # One thread looks, so that there is one connection.
    with ThreadPoolExecutor(1) as looking:
        look = partial(asyncio.get_running_loop().run_in_executor, looking, seen, _servers)
        try:
            while True:
                await addresses.follow(await look())
                await asyncio.sleep(joining.LOOK_SECONDS)
        finally:
            addresses.close()


def _servers(most: int) -> Sequence[tuple[int, str]]:
    connection.close_if_unusable_or_obsolete()
    return soap_servers(most)
