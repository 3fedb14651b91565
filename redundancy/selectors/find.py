"""Criteria of Find and List, as conditions of a query."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Expression, F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy

from redundancy.errors import Refused

# Operator -> words of the page.
OPERATORS: dict[str, str] = {
    "begins": "begins with",
    "contains": "contains",
    "exactly": "is exactly",
    "ends": "ends with",
    "empty": "is empty",
    "notempty": "is not empty",
}
_LOOKUPS = {
    "begins": "istartswith",
    "contains": "icontains",
    "exactly": "iexact",
    "ends": "iendswith",
}

M = TypeVar("M", bound=Model)


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
        raise Refused(f"Find: there is no field {criterion.field[:40]!r}.", field="field")
    if "\0" in criterion.text:
        raise Refused("Find: the text must not contain a null character.", field="text")
    empty = Q(**{column: ""}) | Q(**{f"{column}__isnull": True})
    match criterion.op:
        case "empty":
            return empty
        case "notempty":
            return ~empty
        case op if op in _LOOKUPS:
            # Find with nothing typed lists everything, rows with an empty column included.
            return Q(**{f"{column}__{_LOOKUPS[op]}": criterion.text}) if criterion.text else Q()
        case _:
            raise Refused(f"Find: there is no operator {criterion.op[:40]!r}.", field="op")


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
        raise Refused(f"There is no column {sort[:40]!r} to sort by.", field="sort")
    # Empty ones first, and last when descending: left alone, SQLite and PostgreSQL would differ.
    down = sort.startswith("-")
    key = OrderBy(column, descending=down, nulls_first=not down or None, nulls_last=down or None)
    return queryset.order_by(key, "pk")
