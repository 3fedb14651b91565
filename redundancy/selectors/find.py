"""Criteria of Find and List, as conditions of a query."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Expression, F, Lookup, Model, Q, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower
from django.db.models.sql.compiler import SQLCompiler

from redundancy.errors import Refused
from redundancy.srm.words import say

# Operator -> words of the page.
OPERATORS: dict[str, str] = {
    "begins": say("begins with"),
    "contains": say("contains"),
    "exactly": say("is exactly"),
    "ends": say("ends with"),
    "empty": say("is empty"),
    "notempty": say("is not empty"),
}
_LOOKUPS = {
    "begins": "istartswith",
    "contains": "icontains",
    "exactly": "iexact",
    "ends": "iendswith",
}

# A column of this ending has an index on its lower case.
INDEXED = "__lower"

M = TypeVar("M", bound=Model)


# Generic for the type checker only.
if TYPE_CHECKING:
    TextLookup = Lookup[Any]
else:
    TextLookup = Lookup


class Begins(TextLookup):
    """``begins``: the text begins with another one, which is put into lower case; found by an index."""

    lookup_name = "begins"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """Return a pattern."""
        column, params = self.process_lhs(compiler, connection)
        pattern = connection.ops.prep_for_like_query(self.rhs) + "%"
        return f"{column} LIKE LOWER(%s)", [*params, pattern]

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """Return a range: SQLite looks no pattern up in an index."""
        column, params = self.process_lhs(compiler, connection)
        words = f"{column} >= LOWER(%s) AND {column} < LOWER(%s)"
        return words, [*params, self.rhs, *params, f"{self.rhs}\U0010ffff"]


class Like(TextLookup):
    """``like``: the text is as a pattern with ``%`` for any part of it; upper and lower case count alike."""

    lookup_name = "like"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """Return a pattern."""
        column, params = self.process_lhs(compiler, connection)
        pattern = str(self.rhs).replace("\\", "\\\\").replace("_", "\\_")
        return f"UPPER({column}) LIKE UPPER(%s) ESCAPE '\\'", [*params, pattern]


CharField.register_lookup(Lower)
CharField.register_lookup(Like)
CharField.register_lookup(Begins)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of *Find where*. ``op`` is a key of OPERATORS; ``text`` is ignored by the last two."""

    field: str
    op: str
    text: str = ""


def condition(criterion: Criterion, fields: Mapping[str, str]) -> Q:
    """Return the condition of one criterion; ``fields`` maps its names to columns."""
    column = fields.get(criterion.field)
    if column is None:
        raise Refused(
            say("Find: there is no field {field}.", field=repr(criterion.field[:40])), field="field"
        )
    if "\0" in criterion.text:
        raise Refused(say("Find: the text must not contain a null character."), field="text")
    empty = Q(**{column: ""}) | Q(**{f"{column}__isnull": True})
    match criterion.op:
        case "empty":
            return empty
        case "notempty":
            return ~empty
        case op if op in _LOOKUPS and not criterion.text:
            # Find with nothing typed lists everything, rows with an empty column included.
            return Q()
        case "begins" if column.endswith(INDEXED):
            return Q(**{f"{column}__begins": criterion.text})
        case "exactly" if column.endswith(INDEXED):
            return Q(**{column: Lower(Value(criterion.text))})
        case op if op in _LOOKUPS:
            return Q(**{f"{column}__{_LOOKUPS[op]}": criterion.text})
        case _:
            raise Refused(
                say("Find: there is no operator {operator}.", operator=repr(criterion.op[:40])),
                field="op",
            )


def apply(
    queryset: QuerySet[M], criteria: Iterable[Criterion], allowed_fields: Mapping[str, str]
) -> QuerySet[M]:
    """Return the rows that match every criterion."""
    matching = Q()
    for criterion in criteria:
        matching &= condition(criterion, allowed_fields)
    return queryset.filter(matching)


def order(queryset: QuerySet[M], sort: str, columns: Mapping[str, F | Expression]) -> QuerySet[M]:
    """Return the rows sorted by ``sort``, a name of ``columns``, with ``-`` in front for descending."""
    column = columns.get(sort.removeprefix("-"))
    if column is None:
        raise Refused(
            say("There is no column {column} to sort by.", column=repr(sort[:40])), field="sort"
        )
    down = sort.startswith("-")
    # Empty ones first, and last when descending: left alone, SQLite and PostgreSQL would differ.
    # Only where there can be any: PostgreSQL would not use an index.
    nulls = _may_be_null(queryset.model, column) or None
    key = OrderBy(
        column,
        descending=down,
        nulls_first=None if down else nulls,
        nulls_last=nulls if down else None,
    )
    return queryset.order_by(key, "pk")


def _may_be_null(model: type[Model], column: F | Expression) -> bool:
    names = [part.name for part in _leaves(column) if isinstance(part, F)]  # type: ignore[attr-defined]
    try:
        return any(model._meta.get_field(name).null for name in names)
    except FieldDoesNotExist:
        # An annotation, or a column of another table, which may have no row.
        return True


def _leaves(column: F | Expression) -> Iterable[object]:
    return [column] if isinstance(column, F) else column.flatten()
