"""The database after a test that commits: empty as before, in a tenth of the time that Django's ``flush`` takes.

``flush`` empties every table, and then makes content types, permissions and roles anew, which are
in every migrated database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection, transaction
from django.test import TransactionTestCase

# What every migrated database has in it.
NEVER_EMPTY = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
}

Rows = list[tuple[Any, ...]]


@contextmanager
def emptied_by_rows() -> Iterator[None]:
    """Within, tests that commit leave the database as the first of them found it: what they wrote is deleted."""
    set_up = vars(TransactionTestCase)["_fixture_setup"].__func__
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    begun: dict[str, Rows] = {}

    def begin(kind: type[TransactionTestCase]) -> None:
        set_up(kind)
        if not begun:
            begun.update(never_empty())

    def empty(case: TransactionTestCase) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for table in filled():
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        if never_empty() != begun:
            flush(case)
            begun.update(never_empty())

    with patch.multiple(
        TransactionTestCase, _fixture_setup=classmethod(begin), _fixture_teardown=empty
    ):
        yield


def filled() -> list[str]:
    """Return the tables that have rows, but for those that always have."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    looks = [
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"
        for table in sorted(set(tables) - NEVER_EMPTY)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        return [table for (table,) in cursor.fetchall()]


def never_empty() -> dict[str, Rows]:
    """Return the rows of the tables that always have some."""
    with connection.cursor() as cursor:
        found = {}
        for table in NEVER_EMPTY:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(cursor.fetchall())
    return found
