"""What many tests begin with, made by the first one that asks: the others get a copy of the database and the bus."""

import sqlite3
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection

from tests.emptied import filled


class Settled:
    """What database and bus held when this was made."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:")
        _open_database().backup(self._database)
        with redis.from_url(settings.REDIS_URL) as client:
            self._bus = [
                (key, client.dump(key), max(0, int(client.pttl(key))))
                for key in client.scan_iter(count=1000)
            ]

    def restore(self) -> None:
        """Let the database, and a bus that is empty, hold it again; what expires has as long to live as it had."""
        self._database.backup(_open_database())
        with redis.from_url(settings.REDIS_URL) as client, client.pipeline() as pipe:
            for key, value, milliseconds in self._bus:
                pipe.restore(key, milliseconds, value)
            pipe.execute()


_made: dict[Callable[[], None], Settled] = {}


def begin_with(make: Callable[[], None]) -> None:
    """Let the database and an empty bus hold what ``make`` writes: made once by each worker of a run.

    It is made anew where a test has written something before, and on PostgreSQL, where a copy takes as long.
    """
    if connection.vendor != "sqlite" or filled():
        make()
    elif make in _made:
        _made[make].restore()
    else:
        make()
        _made[make] = Settled()


def _open_database() -> sqlite3.Connection:
    connection.ensure_connection()
    opened: sqlite3.Connection = connection.connection
    return opened
