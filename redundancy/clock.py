"""Lab time: the clock of everything SRM does.

Lab time is seconds since 1970 in UTC, like wall time, but runs ``LAB_CLOCK_RATE`` times as fast.
It is a pure function of the wall clock and an anchor kept in the database, so that every process
agrees on it, and it never goes back when the rate is changed.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import transaction

from redundancy.models import LabClock


def reader() -> Callable[[], float]:
    """Return a function that tells the lab time in seconds without another look at the database."""
    anchor = LabClock.objects.first()
    if anchor is None:
        return time.time
    real_at, lab_at, speed = anchor.real_at, anchor.lab_at, anchor.rate
    return lambda: lab_at + (time.time() - real_at) * speed


def lab_now() -> float:
    """Return the present lab time in seconds."""
    return reader()()


def lab_datetime(moment: float | None = None) -> datetime:
    """Return ``moment`` (lab seconds; default: now) as an aware datetime."""
    return datetime.fromtimestamp(lab_now() if moment is None else moment, tz=UTC)


def set_rate(rate: float) -> None:
    """Let lab time run at ``rate`` from now on, without a jump. Does nothing when it already does."""
    with transaction.atomic():
        anchor = LabClock.objects.select_for_update().first()
        current = anchor.rate if anchor else 1.0
        if rate == current:
            return
        LabClock.objects.create(real_at=time.time(), lab_at=lab_now(), rate=rate)


def rate() -> float:
    """Return how many times faster than the wall clock lab time runs."""
    anchor = LabClock.objects.first()
    return anchor.rate if anchor else 1.0
