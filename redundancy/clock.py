"""Lab time: the clock of everything SRM does.

Lab time is seconds since 1970 in UTC, like wall time, but runs ``LAB_CLOCK_RATE`` times as fast.
It is a pure function of the wall clock and an anchor kept in the database, so that every process
agrees on it, and it never goes back when the rate is changed. A process whose wall clock is wrong
goes by the clock of the database.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import connection, transaction

from redundancy.models import LabClock

# Wall seconds by which the clocks of machines may differ, as NTP keeps them.
AGREE = 1.0
# The wall clock of the database, in seconds since 1970.
DATABASE_NOW = "EXTRACT(EPOCH FROM clock_timestamp())"
SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"

_CLOCK = LabClock._meta.db_table


def look() -> tuple[Callable[[], float], float]:
    """Return a function that tells the lab time in seconds without another look, and its rate; one query."""
    # Every page and poll asks this, most of them several times: the ORM took longer than the database.
    sql = (
        f"SELECT real_at, lab_at, rate, {_database_clock()} FROM {_CLOCK} ORDER BY id DESC LIMIT 1"
    )
    asked = time.time()
    with connection.cursor() as cursor:
        cursor.execute(sql)
        anchor = cursor.fetchone()
    answered = time.time()
    if anchor is None:
        return time.time, 1.0
    real_at, lab_at, speed, database = map(float, anchor)
    # The database read its clock between the two: a pause of this process is no difference of clocks.
    astray = database - min(max(database, asked), answered)
    if abs(astray) > AGREE:
        real_at -= astray
    return lambda: lab_at + (time.time() - real_at) * speed, speed


def reader() -> Callable[[], float]:
    """Return a function that tells the lab time in seconds without another look at the database."""
    return look()[0]


def lab_now() -> float:
    """Return the present lab time in seconds."""
    return reader()()


def lab_at(wall: float) -> float:
    """Return the lab time at the wall moment ``wall``, seconds since 1970, at or before now."""
    anchor = LabClock.objects.filter(real_at__lte=wall).first()
    return wall if anchor is None else anchor.lab_at + (wall - anchor.real_at) * anchor.rate


def lab_datetime(moment: float | None = None) -> datetime:
    """Return ``moment`` (lab seconds; default: now) as an aware datetime."""
    return datetime.fromtimestamp(lab_now() if moment is None else moment, tz=UTC)


def database_now() -> float:
    """Return the wall clock of the database, in seconds since 1970."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_database_clock()}")
        return float(cursor.fetchone()[0])


def _database_clock() -> str:
    """Return what a statement reads the clock of the database by."""
    return DATABASE_NOW if connection.vendor == "postgresql" else SQLITE_NOW


def set_rate(rate: float) -> None:
    """Let lab time run at ``rate`` from now on, without a jump. Does nothing when it already does."""
    with transaction.atomic():
        anchor = LabClock.objects.select_for_update().first()
        if anchor is not None and anchor.rate == rate:
            return
        LabClock.objects.create(real_at=time.time(), lab_at=lab_now(), rate=rate)


def rate() -> float:
    """Return how many times faster than the wall clock lab time runs."""
    return look()[1]
