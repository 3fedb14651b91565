"""The wall clock of this process, compared with those of bus and database from time to time.

For the web process, which takes no tasks: it goes on, and says how wrong its clock is.
"""

import logging
import time
from collections.abc import Callable

from django.db import Error

from redundancy import bus, clock, workers
from redundancy.srm.words import say

logger = logging.getLogger(__name__)

# Wall seconds between two looks.
LOOK_SECONDS = 5.0


class OwnClock:
    """What the last look found. ``ahead``: seconds, negative when it is behind; 0 until it is known."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._due = 0.0
        self.ahead = 0.0

    @property
    def far_off(self) -> bool:
        """Whether it is so wrong that a worker would stand aside for it."""
        return abs(self.ahead) > workers.ASIDE

    @property
    def sentence(self) -> str:
        """Return for pages how wrong it is; empty while it agrees, or nobody could say."""
        if abs(self.ahead) <= clock.AGREE:
            return ""
        if self.ahead > 0:
            return say(
                "The clock of this web process is {seconds:,.0f} s fast: do not trust its wall times.",
                seconds=self.ahead,
            )
        return say(
            "The clock of this web process is {seconds:,.0f} s slow: do not trust its wall times.",
            seconds=-self.ahead,
        )

    def look(self) -> None:
        """Compare it, when the last look is long ago; while nobody can be asked what was found stays."""
        now = self._monotonic()
        if now < self._due:
            return
        self._due = now + LOOK_SECONDS
        try:
            ahead = workers.ahead()
        except (bus.BusError, Error):
            return
        was, self.ahead = self.far_off, ahead
        if self.far_off and not was:
            logger.error("%s It is not ready (/readyz) until it is right", workers.told(ahead))
        elif was and not self.far_off:
            logger.warning("The clock of this process is right again; it is ready")


OWN = OwnClock()
