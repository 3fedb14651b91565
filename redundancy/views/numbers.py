"""Read a number that a request carries."""

from django.http import Http404

from redundancy.models import Server
from redundancy.selectors import nodes

# Longer ones are no keys and no counters, and no database takes them.
LONGEST = 18


def whole_number(text: str) -> int | None:
    """Return the number ``text`` stands for; None when it is not one, or too long to be one."""
    if text.isascii() and text.isdecimal() and len(text) <= LONGEST:
        return int(text)
    return None


def node_of(text: str) -> Server:
    """Return the IM and Presence server whose key ``text`` is; 404 when there is none."""
    server = nodes.node(whole_number(text) or 0)
    if server is None:
        raise Http404
    return server
