"""Lab time that stands still where a test wants it."""

import random

from django.db import connection

from redundancy.models import LabClock


def stand_at(moment: float) -> float:
    """Let it be ``moment`` (lab seconds) until the next call, and return it."""
    LabClock.objects.create(real_at=0, lab_at=moment, rate=0)
    return moment


def seed_database(seed: int) -> None:
    """Let the random numbers of the database be those of ``seed``."""
    # In SQLite they are Python's.
    random.seed(seed)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(%s)", [1 / (1 + seed)])
