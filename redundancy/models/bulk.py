"""Rows by the hundred, as a sweep writes them when many pairs change at once."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.utils import timezone

# Values in one statement: fewer than either database takes.
MOST_VALUES = 30_000
# Columns whose values are stored as they are: they need no look for each row.
_AS_THEY_ARE = (
    models.CharField,
    models.IntegerField,
    models.FloatField,
    models.BooleanField,
    models.ForeignKey,
)
_Row = TypeVar("_Row", bound=models.Model)


def insert(rows: Iterable[_Row], *, ignore_conflicts: bool = False) -> list[_Row]:
    """Add new rows of one model, give them the keys that the database makes, and return them.

    As ``bulk_create``, with which it takes twice as long: that asks each value whether it is an expression,
    and on SQLite cuts 1,000 events into 19 statements, where here they are one.

    Args:
        rows: None of them is in the database, nor has a key that the database makes; their model has no generated column.
        ignore_conflicts: Leave out those whose like is there already; then no row learns its key.

    """
    made = list(rows)
    if not made:
        return made
    meta = made[0]._meta
    fields = [field for field in meta.concrete_fields if field is not meta.auto_field]
    learning = meta.auto_field is not None and not ignore_conflicts
    end = f"RETURNING {meta.pk.column}" if learning else ""
    if ignore_conflicts:
        end = "ON CONFLICT DO NOTHING"
    at_once = max(1, _most_values() // len(fields))
    for start in range(0, len(made), at_once):
        some = made[start : start + at_once]
        names = [str(field.column) for field in fields]
        source, values = _source(fields, names, [_stored(field, some) for field in fields])
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {meta.db_table} ({', '.join(names)}) {source} {end}", values
            )
            keys = [key for (key,) in cursor.fetchall()] if learning else []
        for row, key in zip(some, keys, strict=learning):
            row.pk = key
        if not ignore_conflicts:
            alias = connection.alias
            for row in some:
                row._state.adding, row._state.db = False, alias
    return made


def as_table(fields: Iterable["models.Field[Any, Any]"], **more: str) -> str:
    """Return the rows of one parameter (see ``as_json``) as the table ``v`` of a statement of PostgreSQL.

    One parameter, for to quote a thousand rows value by value takes the process, and to read them the server,
    longer than all else that is done with them. ``more``: types of columns that belong to no field.
    """
    types = {str(field.column): field.db_type(connection) for field in fields} | more
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return f"json_to_recordset(%s::json) AS v({columns})"


def as_json(value: Sequence[Any] | Mapping[str, Any]) -> str:
    """Return JSON: of rows, as values by the names of their columns, the parameter of ``as_table``."""
    return orjson.dumps(value).decode()


def _source(
    fields: Sequence["models.Field[Any, Any]"], names: Sequence[str], columns: Sequence[list[Any]]
) -> tuple[str, list[Any]]:
    """Return the rows that these columns make, as what an INSERT reads, and its parameters."""
    rows = zip(*columns, strict=True)
    if connection.vendor == "postgresql":
        said = as_json([dict(zip(names, row, strict=True)) for row in rows])
        return f"SELECT {', '.join(names)} FROM {as_table(fields)}", [said]
    one = f"({', '.join(['%s'] * len(fields))})"
    return f"VALUES {', '.join([one] * len(columns[0]))}", list(chain.from_iterable(rows))


def _stored(field: "models.Field[Any, Any]", rows: Sequence[models.Model]) -> list[Any]:
    """Return what the column of the field holds of each of these rows."""
    if isinstance(field, models.DateTimeField) and field.auto_now_add:
        now = timezone.now()
        for row in rows:
            setattr(row, field.attname, now)
    values = [getattr(row, field.attname) for row in rows]
    whole = connection.vendor == "postgresql"
    if isinstance(field, models.JSONField):
        # Where the whole is JSON, a value of JSON is a part of it.
        return values if whole else [None if v is None else as_json(v) for v in values]
    if isinstance(field, _AS_THEY_ARE) or type(field) is models.TextField:
        return values
    # Not the one of this thread, which is looked up at each word of it.
    database = connections[DEFAULT_DB_ALIAS]
    if isinstance(field, models.DateTimeField):
        # Most rows have the same one.
        moments = {v: field.get_db_prep_save(v, database) for v in set(values)}
        return [moments[v] for v in values]
    stored = [None if v is None else field.get_db_prep_save(v, database) for v in values]
    # An address is an object there, of which JSON knows nothing.
    return [None if v is None else str(v) for v in stored] if whole else stored


def _most_values() -> int:
    if connection.vendor != "sqlite":
        return MOST_VALUES
    connection.ensure_connection()
    limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return min(MOST_VALUES, int(limit))
