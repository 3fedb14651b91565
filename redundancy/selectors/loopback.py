"""Addresses of the loopback network for servers (``SSH_NODES``, ``SOAP_NODES``): who dials one is on that server.

Each is made of the server's key: it stays while the server is there, and every process knows it without asking.
"""

import ipaddress
from collections.abc import Sequence

from redundancy.selectors.nodes import nodes

RANGE = ipaddress.IPv4Network("127.64.0.0/10")


def loopback_of(key: int) -> str | None:
    """Return the address of the node with this key; None where the range has none for it."""
    return str(RANGE[key]) if key < RANGE.num_addresses else None


def node_at(address: str) -> int | None:
    """Return the key of the server that has this address; None where it is no address of a server."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        # As a socket for both kinds shows the older one.
        found = found.ipv4_mapped or found
    return int(found) - int(RANGE.network_address) if found in RANGE else None


def powered_nodes(most: int) -> Sequence[tuple[int, str]]:
    """Return key and name of the nodes that have power and an address, by their keys, so many at most."""
    found = nodes().filter(machine__powered=True, pk__lt=RANGE.num_addresses).order_by("pk")
    return list(found.values_list("pk", "name")[:most])
