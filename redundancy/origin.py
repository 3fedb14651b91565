"""Where the request that is being answered came from, for the history; unknown outside of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Noted in a request's META where a proxy that nobody named as trusted sent it for somebody else.
FORWARDED = "redundancy.forwarded"
# There, the address of this machine that the client dialled, as our server saw it; the name cannot come from a
# client.
DIALLED = "redundancy.dialled"

_ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)


def address() -> str | None:
    """Return the client's address; None where no request is being answered."""
    return _ADDRESS.get()


@contextmanager
def coming_from(client: str | None) -> Iterator[None]:
    """Let what is done meanwhile come from ``client``."""
    token = _ADDRESS.set(client or None)
    try:
        yield
    finally:
        _ADDRESS.reset(token)
