"""Beat: sends the sweep, as long as it fits the installation."""

import logging
import os
import socket
import sys
import time
from typing import Any

from celery.beat import Scheduler
from django.conf import settings
from django.db import Error

from cucm_admin import joining
from redundancy import bus, pulse, shards, workers

logger = logging.getLogger(__name__)


def entries(seconds: float, of: int) -> dict[str, dict[str, Any]]:
    """Return what is sent each so many seconds: a sweep of each of so many shards."""
    entry = settings.CELERY_BEAT_SCHEDULE["sweep"] | {"schedule": seconds}
    return {
        f"sweep-{shard.number + 1}" if shard.number else "sweep": (
            entry | {"kwargs": shard.order} if shard.order else entry
        )
        for shard in shards.every(of)
    }


class Ticker(Scheduler):
    """Celery's scheduler, with the interval of the installation's lab clock and its shards of the sweep."""

    def setup_schedule(self) -> None:
        """Join the installation, and begin."""
        joining.join_when_possible()
        self._watch = joining.Watch()
        super().setup_schedule()
        self._told_at = 0.0
        self._fits: tuple[float, int] | None = None
        self._name, self._began = workers.own_name(f"beat@{socket.gethostname()}"), 0.0
        self._aside = False
        self._follow()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; end this process, with one line, where it does not fit any more."""
        if wrong := self._watch.look():
            sys.stderr.write(f"This process ends. {wrong}\n")
            sys.stderr.flush()
            # Celery takes an exception for a request to stop, and ends with 0.
            os._exit(1)
        self._follow()
        self._tell()
        if self._aside:
            return 1.0
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def adjust(self, n: float, _drift: float = 0.0) -> float:
        """Return after how many seconds to look for what is due in ``n``: then."""
        # Celery's own wakes 10 ms before, to ask some forty times until it is due: that takes longer than to send it.
        return n

    def _follow(self) -> None:
        fits = settings.SWEEP_SECONDS, settings.SWEEP_SHARDS
        if fits != self._fits:
            self._fits = fits
            self.max_interval = min(1.0, fits[0])  # type: ignore[assignment]
            due = entries(*fits)
            for name in entries(fits[0], settings.MOST_SHARDS).keys() - due.keys():
                # One that was of more shards; what else beat sends stays.
                self.schedule.pop(name, None)
            self.update_from_dict(due)

    def _tell(self) -> None:
        """Tell the bus from time to time that beat is there, and stand aside while its clock is wrong."""
        if time.monotonic() - self._told_at < joining.LOOK_SECONDS:
            return
        self._told_at = time.monotonic()
        try:
            ahead = workers.ahead()
            aside = abs(ahead) > workers.ASIDE
            self._began = self._began or pulse.now()
            workers.give_sign(
                name=self._name, role=workers.BEAT, began=self._began, ahead=ahead, aside=aside
            )
        except (bus.BusError, Error):
            # The next one to use them tells of it.
            return
        if aside and not self._aside:
            logger.error("%s It sends nothing until it is right", workers.told(ahead))
        elif self._aside and not aside:
            logger.warning("The clock of this process is right again; it sends tasks")
        self._aside = aside
