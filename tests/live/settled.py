"""What many tests begin with, made by the first one that asks: the others get a copy of the database and the bus."""

import sqlite3
from collections.abc import Callable

import redis
from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, transaction

from tests.emptied import filled


class OnSQLite:
    """The whole database."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect(":memory:")
        _open_database().backup(self._kept)

    def restore(self) -> None:
        self._kept.backup(_open_database())


class OnPostgreSQL:
    """The tables that had rows."""

    def __init__(self) -> None:
        self._rows: dict[str, bytes] = {}
        for table in filled():
            with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                self._rows[table] = b"".join(bytes(part) for part in copy)

    def restore(self) -> None:
        """Fill these tables, and let the keys of new rows follow theirs."""
        models = [model for model in apps.get_models() if model._meta.db_table in self._rows]
        # Which table refers to which is looked at in the end.
        with transaction.atomic(), connection.cursor() as cursor:
            for table, rows in self._rows.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(rows)
            for statement in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(statement)


class Settled:
    """What database and bus held when this was made."""

    def __init__(self) -> None:
        self._database = OnSQLite() if connection.vendor == "sqlite" else OnPostgreSQL()
        with redis.from_url(settings.REDIS_URL) as client:
            self._bus = [
                (key, client.dump(key), max(0, int(client.pttl(key))))
                for key in client.scan_iter(count=1000)
            ]

    def restore(self) -> None:
        """Let the database, and a bus that is empty, hold it again; what expires has as long to live as it had."""
        self._database.restore()
        with redis.from_url(settings.REDIS_URL) as client, client.pipeline() as pipe:
            for key, value, milliseconds in self._bus:
                pipe.restore(key, milliseconds, value)
            pipe.execute()


_made: dict[Callable[[], None], Settled] = {}


def begin_with(make: Callable[[], None]) -> None:
    """Let the database and an empty bus hold what ``make`` writes: made once by each worker of a run.

    It is made anew where a test has written something before.
    """
    if filled():
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
