"""Lab time: the clock of everything SRM does.

Lab time is seconds since 1970 in UTC, like wall time, but runs ``LAB_CLOCK_RATE`` times as fast.
It is a pure function of the wall clock and an anchor kept in the database, so that every process
agrees on it, and it never goes back when the rate is changed.
"""

import time
from datetime import UTC, datetime

from django.db import transaction

from redundancy.models import LabClock


def lab_now() -> float:
    """Return the present lab time in seconds."""
    anchor = LabClock.objects.first()
    now = time.time()
    if anchor is None:
        return now
    return anchor.lab_at + (now - anchor.real_at) * anchor.rate


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
