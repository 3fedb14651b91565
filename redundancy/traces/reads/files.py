"""The last lines of a node's SRM trace."""

from collections import deque
from dataclasses import dataclass

from redundancy import trace_files as traces
from redundancy.models import Server

LINES = 500


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines that were searched for, the oldest first. ``version`` changes with the file.

    ``more``: whether older ones that fit are left out.
    """

    lines: tuple[str, ...]
    more: bool
    version: str


def tail(server: Server, search: str = "") -> Tail:
    """Return the last lines that contain ``search``, in whatever case."""
    version, wanted = traces.version(server.pk), search.casefold()
    found: deque[str] = deque(maxlen=LINES + 1)
    found.extend(line for line in traces.read(server.pk) if wanted in line.casefold())
    kept = list(found)[-LINES:]
    return Tail(tuple(kept), len(found) > LINES, version)
