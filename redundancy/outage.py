"""When the database or the bus cannot be used: what counts as that, and how the log tells it once."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import Error, InterfaceError, OperationalError

from redundancy import bus
from redundancy.srm.words import duration

logger = logging.getLogger(__name__)

# PostgreSQL's number for a write where only reads are allowed, which is no OperationalError.
READ_ONLY = "25006"


def is_outage(error: BaseException) -> bool:
    """Return whether ``error`` says that the database is busy, full, read-only or away."""
    away = isinstance(error, OperationalError | InterfaceError)
    return away or getattr(error.__cause__, "sqlstate", "") == READ_ONLY


class OutageLog:
    """Tells in the log of one process that something cannot be used: once when it begins, once when it ends."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._whose = ""

    def note(self, error: Exception, whose: str) -> None:
        """Note that ``whose`` work was not done for ``error``; it is told of the first one only."""
        if self._since is None:
            self._since, self._whose = time.monotonic(), whose
            what = "heartbeat bus" if isinstance(error, bus.BusError) else "database"
            logger.error(
                "%s: the %s cannot be used (%s); it is tried again until it can",
                whose,
                what,
                error,
                # Of an error that is no outage the place in our code is at fault.
                exc_info=not (isinstance(error, bus.BusError) or is_outage(error)),
            )

    def over(self, whose: str) -> None:
        """Note that ``whose`` work was done: what it noted is over."""
        if self._since is not None and whose == self._whose:
            lasted = duration(time.monotonic() - self._since)
            logger.warning("%s: done again, after %s", whose, lasted)
            self._since = None

    def watch(self, work: Callable[..., None]) -> Callable[..., None]:
        """Decorate work that is done again by itself: an outage is noted, and raises nothing."""

        @wraps(work)
        def watched(*args: Any, **kwargs: Any) -> None:
            try:
                work(*args, **kwargs)
            except (Error, bus.BusError) as error:
                if not (isinstance(error, bus.BusError) or is_outage(error)):
                    raise
                self.note(error, work.__name__)
            else:
                self.over(work.__name__)

        return watched
