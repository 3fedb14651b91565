"""What was counted of many rows, kept by each process for as long as nothing can have changed it."""

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

from redundancy.selectors.stamp import Stamp

T = TypeVar("T")

# Wall seconds after which it is counted again in any case.
KEEP_SECONDS = 60


def kept(key: str, at: Stamp, count: Callable[[], T]) -> T:
    """Return what ``count`` returns, or did return when the stamp was the same.

    ``at``: the stamp of now, taken before whatever else is read. ``key``: names what is counted, which must
    be of what leaves a stamp when it changes, and not of what changes with time alone.
    """
    known: tuple[Stamp, T] | None = cache.get(f"kept:{key}")
    if known is None or known[0] != at:
        known = (at, count())
        cache.set(f"kept:{key}", known, KEEP_SECONDS)
    return known[1]
