"""Rows of thousands as the database tells them, without Django's look at each value."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def as_read(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of ``values_list``; on SQLite truths are 0 and 1, and nothing is a date."""
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
