"""How a process joins the installation: it must fit the database's schema and the shared settings.

One that does not fit ends, with one line that says why and what to do. So does one that did fit when
it was started, and does not any more.
"""

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

from cucm_admin import schema, shared

logger = logging.getLogger(__name__)

# Wall seconds between two looks of a running process at what it must fit.
LOOK_SECONDS = 5.0
AWAY = (OperationalError, InterfaceError)


class Unfit(SystemExit):
    """This process does not fit the installation: ends it with one line and exit code 1."""


def join(*, serves: bool = True) -> None:
    """Follow the shared settings; ``serves``: as a process of the running system, not as a command.

    Raises:
        Unfit: The schema or a setting is another one here.
        django.db.Error: The database cannot be read.

    """
    wrong = schema.difference() or shared.follow(serves=serves)
    if wrong:
        raise Unfit(wrong)


def join_when_possible(pause: Callable[[float], None] = time.sleep) -> None:
    """Join as a process of the running system; wait for a database that is away. Raises Unfit as ``join``."""
    told = False
    while True:
        try:
            join()
        except AWAY as error:
            if not told:
                logger.error("The database cannot be used (%s); it is tried again", line_of(error))
                told = True
            connection.close()
            pause(1.0)
        else:
            return


class Watch:
    """Looks from time to time whether a running process still fits; ``wrong`` is why it does not, or empty."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._due = 0.0
        self.wrong = ""

    def look(self) -> str:
        """Look, when the last look is long ago; return in one line why this process does not fit, or nothing.

        A database that is away says nothing: it is asked again at the next look.
        """
        now = self._monotonic()
        if now >= self._due:
            self._due = now + LOOK_SECONDS
            try:
                connection.close_if_unusable_or_obsolete()
                join()
            except Unfit as unfit:
                self.wrong = str(unfit.code)
            except AWAY:
                pass
            else:
                self.wrong = ""
        return self.wrong


def line_of(error: Exception) -> str:
    """Return the first line of what ``error`` says, or its name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
