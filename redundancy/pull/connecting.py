"""A connection to a server: by name or address, within a time, and never to the link's own network."""

import ipaddress
import socket

from redundancy.networks import is_refused
from redundancy.pull.sources import PullFailed, Source, Time
from redundancy.srm.words import say

# Wall seconds that one address of a host may take to answer, and how many of them are tried.
_SECONDS = 15.0
_MOST = 4


def connected(source: Source, time: Time) -> socket.socket:
    """Return a connection, with what is left of the time as its timeout. Raises PullFailed."""
    why: object = None
    for address in _addresses(source)[:_MOST]:
        try:
            # By the address that was looked at: a name may lead elsewhere the next time.
            made = socket.create_connection(
                (address, source.port), timeout=min(_SECONDS, time.left())
            )
        except TimeoutError:
            why = say("it does not answer")
        except OSError as error:
            why = error.strerror or type(error).__name__
        else:
            made.settimeout(time.left())
            return made
    raise PullFailed(
        say(
            "Host: {host}, port {port}, cannot be reached: {why}.",
            host=source.host,
            port=source.port,
            why=why,
        )
    )


def _addresses(source: Source) -> list[str]:
    try:
        found = socket.getaddrinfo(source.host, source.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PullFailed(say("Host: {host} has no address.", host=source.host)) from None
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    for address in addresses:
        if is_refused(ipaddress.ip_address(address.partition("%")[0]), private=True):
            raise PullFailed(
                say(
                    "Host: {host} is {address}, an address of no server: those of the link, of many, or of none are not asked.",
                    host=source.host,
                    address=address,
                )
            )
    return addresses
