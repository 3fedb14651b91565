"""The process that sends: ``python -m redundancy.alarms.sender``, started for each round of a channel.

It reads one JSON object a line (url, title, text, private, seconds) and answers each with one
(error). An operation that takes longer than its seconds ends the process, wherever it hangs: no
timeout of a library covers a server that sends a byte now and then. It needs no Django.
"""

import ipaddress
import json
import logging
import re
import signal
import socket
import sys
from typing import Any
from urllib.parse import unquote

from redundancy.networks import is_refused

# Whether private networks are allowed for what is being sent.
_allowed = {"private": False}
# What is refused, for the answer: libraries say only that they could not connect.
_refused: list[str] = []


class NotThere(OSError):
    """A connection to a network that is not allowed."""


def main() -> None:
    """Send what is asked for until nobody asks any more."""
    sys.addaudithook(_watch)
    import apprise
    import requests

    # What an address answers must not lead to another one.
    requests.Session.get_redirect_target = lambda *_: None  # type: ignore[method-assign]
    for line in sys.stdin:
        order = json.loads(line)
        signal.alarm(order["seconds"])
        _allowed["private"] = order["private"]
        _refused.clear()
        error = _send(apprise, order["url"], order["title"], order["text"])
        signal.alarm(0)
        sys.stdout.write(json.dumps({"error": error}) + "\n")
        sys.stdout.flush()


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """Refuse connections, as Python tells of each before it is made: names are resolved by then."""
    if event not in ("socket.connect", "socket.sendto"):
        return
    address = args[1]
    if not isinstance(address, tuple):
        raise NotThere("a local socket")
    for found in _addresses(str(address[0])):
        if is_refused(found, private=_allowed["private"]):
            _refused.append(str(found))
            raise NotThere(f"{found} is not allowed")


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        return [ipaddress.ip_address(host.partition("%")[0])]
    except ValueError:
        rows = socket.getaddrinfo(host, None)
        return [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]


def _send(apprise: Any, url: str, title: str, text: str) -> str:
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
        target = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if target is None:
            return "the address is not one that Apprise knows"
        try:
            if target.notify(title=title, body=text):
                return ""
        except Exception as broken:  # Whatever a library raises is why nothing was sent.
            said.write(f"{type(broken).__name__}\n")
        lines = said.getvalue().strip().splitlines()
    if _refused:
        return (
            f"{_refused[0]} is in a network that nothing is sent to; "
            "ALARM_ALLOW_PRIVATE=1 allows private ones"
        )
    return (
        _without_secrets(lines[-1], url, str(target.host or "")) if lines else "it was not accepted"
    )


def _without_secrets(error: str, url: str, host: str) -> str:
    """Return ``error`` without any part of the address but its host."""
    parts = re.split(r"[/:@?&=#]+", url.partition("://")[2])
    # The longest first: a short one may be a part of it.
    for part in sorted({each for raw in parts for each in (raw, unquote(raw))}, key=len)[::-1]:
        if len(part) > 2 and part != host:
            error = error.replace(part, "…")
    return error


if __name__ == "__main__":
    main()
