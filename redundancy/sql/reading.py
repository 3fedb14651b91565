"""Run a statement of a script: checked, on a connection that cannot write, within limits of time and size."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from redundancy.clock import lab_datetime, lab_now
from redundancy.errors import Refused
from redundancy.selectors import enterprise
from redundancy.sql import allowed, dialect, relations, writing

# Wall seconds that one statement may take, with all of its rows: it must not hold up the sweep.
SECONDS = 10
# Bytes of values that one answer may carry; the vendor's AXL has this limit, too.
LARGEST = 8_000_000
# Rows that are taken from the database at once.
_PIECE = 2_000
# What SQLite may do for a statement: begin it, read from these tables, call these functions.
_MAY_CALL = frozenset(
    {"abs", "avg", "coalesce", "count", "glob", "length", "like", "lower", "max", "min", "nullif"}
    | {"round", "substr", "substring", "sum", "trim", "upper"}
)


class Failed(Refused):
    """A statement that is understood was not carried out to its end: the rule says why."""


@dataclass(frozen=True, slots=True)
class SqlRows:
    """The rows of a statement, under the headings that were typed."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def read(text: str, login_node: int | None = None) -> SqlRows:
    """Return the rows of one SELECT in the dialect of Informix.

    Args:
        text: The statement.
        login_node: The key of the node whose login datastore is asked, in place of the cluster's database.

    Raises:
        Refused: It is not understood, or not allowed.
        Failed: The database finds it wrong, or its answer takes more than SECONDS or LARGEST; the rule says
            which.

    """
    statement = dialect.parse(text)
    there = relations.COLUMNS if login_node is None else relations.LOGIN_COLUMNS
    tables = allowed.check(statement, there)
    values = {} if login_node is None else _values(login_node)
    present = f"{lab_datetime(lab_now()):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    select, headings = writing.write(statement, connection.vendor, present)
    deadline = time.monotonic() + SECONDS
    try:
        columns, rows = fetch(select, tables, deadline, values)
    except DatabaseError as error:
        if time.monotonic() >= deadline:
            raise Failed(f"the statement took longer than {SECONDS} seconds.") from None
        said = str(error).splitlines() or [type(error).__name__]
        raise Failed(f"the database says: {said[0]}.") from None
    return SqlRows(tuple(headings.get(name, name) for name in columns), rows)


def _values(node: int) -> dict[str, str]:
    return relations.at_node(node, lab_now(), enterprise.clients().per_user)


def fetch(
    select: str, tables: tuple[str, ...], deadline: float, values: Mapping[str, str]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows of a SELECT in the words of the database, which names these relations.

    ``values``: of ``relations.at_node``, for the relations of a node.
    """
    rows: list[tuple[Any, ...]] = []
    size = matched = 0
    with closing(_reader(connection, deadline)) as reader, _cursor(reader) as (cursor, schema):
        cursor.execute(f"{relations.prefix(tables, schema, values)} {select}")
        columns = [column[0] for column in cursor.description]
        while piece := cursor.fetchmany(_PIECE):
            matched += len(piece)
            if size <= LARGEST:
                rows += piece
                size += sum(len(str(value)) + 1 for row in piece for value in row)
            if time.monotonic() >= deadline:
                raise DatabaseError
    if size > LARGEST:
        fit = len(rows) * LARGEST // size
        raise Failed(
            f"Query request too large. Total rows matched: {matched} rows."
            f" Suggestive Row Fetch: less than {fit} rows."
        )
    return columns, rows


def _reader(original: BaseDatabaseWrapper, deadline: float) -> BaseDatabaseWrapper:
    """Return a connection of its own that cannot write."""
    reader = original.copy()
    if reader.vendor == "sqlite":
        name = Path(reader.settings_dict["NAME"]).resolve()
        # LIKE tells upper from lower case in every other database.
        reader.settings_dict |= {
            "NAME": f"{name.as_uri()}?mode=ro",
            "OPTIONS": {"init_command": "PRAGMA query_only=1; PRAGMA case_sensitive_like=1"},
        }
        reader.ensure_connection()
        reader.connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        reader.connection.set_authorizer(_permit)
    return reader


def _permit(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Tell SQLite whether a statement may do this, whatever was let through before."""
    relation_names = {*relations.RELATIONS, *relations.LOGIN_RELATIONS}
    known = {*relations.TABLES.values(), *relation_names, "k", "d", "c", ""}
    permitted = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first in known)
        or (action == sqlite3.SQLITE_FUNCTION and second in _MAY_CALL)
    )
    return sqlite3.SQLITE_OK if permitted else sqlite3.SQLITE_DENY


@contextmanager
def _cursor(reader: BaseDatabaseWrapper) -> Iterator[tuple[CursorWrapper, str]]:
    """Yield a cursor that takes rows piece by piece, and the schema of our tables."""
    if reader.vendor == "sqlite":
        with reader.cursor() as cursor:
            yield cursor, "main"
        return
    reader.set_autocommit(False)
    with reader.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute(f"SET LOCAL statement_timeout = '{SECONDS}s'")
        # Nothing but the relations in front of the statement is found by a name alone.
        cursor.execute("SET LOCAL search_path = ''")
    with reader.chunked_cursor() as cursor:
        yield cursor, schema
