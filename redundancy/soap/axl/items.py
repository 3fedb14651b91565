"""What the operations on items have in common: one function for each sort of them makes its row of the table.

How an item is named, found and listed is the same for all, and so is what is said of one that is not there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet, Value
from django.db.models.functions import Lower

from redundancy.operations import locks
from redundancy.soap.fields import Field, Invalid, Kind, Reference
from redundancy.soap.service import Call, Fault, Operation
from redundancy.soap.uuids import key_in

Row = TypeVar("Row", bound=Model)
Values = Mapping[str, Any]

NOT_FOUND, NOT_FOUND_ON_UPDATE, NO_REFERENCE = 5007, 5003, -691
KEY = (Field("name", longest=128), Field("uuid", longest=64))
UUID = Field("uuid", attribute=True)
# Wildcards of one criterion: each doubles what a database may have to try.
_MOST_WILDCARDS = 8


def not_found(what: str, code: int = NOT_FOUND) -> Fault:
    """Return what is said of an item that is not there; ``code``: NOT_FOUND or NOT_FOUND_ON_UPDATE."""
    return Fault(f"Item not valid: The specified {what} was not found", code)


def item(
    rows: QuerySet[Row],
    call: Call,
    what: str,
    code: int = NOT_FOUND,
    *,
    name: str = "name",
    column: str = "name",
) -> Row:
    """Return the row that a call names by ``uuid``, or in the field ``name`` as it is in ``column``.

    Upper and lower case of names count alike.

    Raises:
        Invalid: It names none, or gives both.
        Fault: There is no such item.

    """
    called, uuid = call.values.get(name) or "", call.values.get("uuid") or ""
    if bool(called) is bool(uuid):
        raise Invalid(f"{name}, uuid: one of them must be given.")
    row = _find(rows, column, called, uuid)
    if row is None:
        raise not_found(what, code)
    return row


def referenced(rows: QuerySet[Row], reference: Reference, field: str, what: str) -> Row:
    """Return the row that another item refers to in ``field``, by name or UUID.

    Raises:
        Fault: There is no such item.

    """
    row = _find(rows, "name", reference.name, reference.uuid)
    if row is None:
        raise Fault(
            f"{field}: The specified {what} {(reference.uuid or reference.name)[:80]!r} was not found"
            " (missing key in referenced table)",
            NO_REFERENCE,
        )
    return row


def _find(rows: QuerySet[Row], column: str, called: str, uuid: str) -> Row | None:
    named = Q(pk=key_in(uuid, rows.model)) if uuid else _is(column, called.strip())
    return rows.filter(named).first()


def _is(column: str, text: str) -> Q:
    """Return the condition that a column is a text; names have an index on their lower case."""
    # PostgreSQL takes no null character, which XML does not carry anyway.
    return Q(**{f"{column}__lower": Lower(Value(text.replace("\0", " ")))})


def matches(criteria: Values, columns: Mapping[str, str]) -> Q:
    """Return the condition of search criteria: each a text with ``%`` for any; an empty one is none.

    Raises:
        Invalid: A criterion has too many wildcards.

    """
    condition = Q()
    for field, column in columns.items():
        text = (criteria.get(field) or "").strip()
        _check_wildcards(text, f"searchCriteria.{field}")
        if text.strip("%"):
            condition &= Q(**{f"{column}__like": text}) if "%" in text else _is(column, text)
    return condition


def _check_wildcards(text: str, field: str) -> None:
    if text.count("%") > _MOST_WILDCARDS:
        raise Invalid(f"{field}: may have {_MOST_WILDCARDS} wildcards (%).")


def like(text: str, criterion: str | None) -> bool:
    """Return whether a text that is in no table matches a criterion, as ``matches`` has it."""
    pattern = (criterion or "").strip()
    _check_wildcards(pattern, "searchCriteria")
    if not pattern.strip("%"):
        return True
    parts = (re.escape(part) for part in pattern.split("%"))
    return re.fullmatch(".*".join(parts), text, re.IGNORECASE | re.DOTALL) is not None


def page(rows: QuerySet[Row], call: Call) -> QuerySet[Row]:
    """Return the rows that a call wants of a list, by its ``skip`` and ``first``."""
    begin, end = bounds(call)
    return rows[begin:end]


def bounds(call: Call) -> tuple[int, int | None]:
    """Return where a call wants a list to begin and to end; None: at its end."""
    skip, first = call.values.get("skip") or 0, call.values.get("first")
    # Zero stands for all in requests made of templates.
    return skip, skip + first if first else None


def get(
    name: str,
    result: tuple[Field, ...],
    do: Callable[[Call], Values],
    key: tuple[Field, ...] = KEY,
) -> Operation:
    """Return ``get…``: ``do`` gives all values of the item; the answer has those that are asked for."""
    element = _element(name)

    def answer(call: Call) -> Values:
        return {"return": {element: _wanted(call, do(call))}}

    shown = (UUID, *result)
    return Operation(
        f"get{name}",
        (*key, _tags(shown)),
        (_returned(Field(element, Kind.STRUCT, shown)),),
        answer,
    )


def listing(
    name: str,
    criteria: Iterable[str],
    result: tuple[Field, ...],
    do: Callable[[Call, Values], Iterable[Values]],
) -> Operation:
    """Return ``list…``: ``do`` gives the items that match these criteria, each with all values.

    It is gone through while the answer is sent, so that it may be long.
    """
    element = _element(name)

    def answer(call: Call) -> Values:
        rows = iter(do(call, call.values.get("searchCriteria") or {}))
        # The first one now: what fails can be told only before the answer begins.
        begin = [] if (first := next(rows, None)) is None else [first]
        return {"return": {element: (_wanted(call, row) for row in chain(begin, rows))}}

    shown = (UUID, *result)
    request = (
        Field("searchCriteria", Kind.STRUCT, tuple(Field(each, longest=255) for each in criteria)),
        _tags(shown),
        Field("skip", Kind.INTEGER),
        Field("first", Kind.INTEGER),
    )
    response = _returned(Field(element, Kind.STRUCT, shown, many=True))
    return Operation(f"list{name}", request, (response,), answer, streams=True)


def add(name: str, fields: tuple[Field, ...], do: Callable[[Call, Values], str]) -> Operation:
    """Return ``add…``: ``do`` adds an item and returns its UUID."""
    element = _element(name)
    request = (Field(element, Kind.STRUCT, fields, required=True),)
    return writing(f"add{name}", request, lambda call: do(call, call.values[element]))


def update(
    name: str, fields: tuple[Field, ...], do: Callable[[Call], str], key: tuple[Field, ...] = KEY
) -> Operation:
    """Return ``update…``: ``do`` changes what a call gives, and returns the UUID. The rest stays."""
    optional = tuple(replace(each, required=False) for each in fields if each.name != "name")
    new = (Field("newName", longest=255),) if any(each.name == "name" for each in fields) else ()
    return writing(f"update{name}", (*key, *new, *optional), do)


def remove(name: str, do: Callable[[Call], str], key: tuple[Field, ...] = KEY) -> Operation:
    """Return ``remove…``: ``do`` removes an item and returns the UUID that it had."""
    return writing(f"remove{name}", key, do)


def writing(
    name: str, request: tuple[Field, ...], do: Callable[[Call], str], result: str = ""
) -> Operation:
    """Return an operation that changes something, as a whole or not at all, and answers with one text.

    ``result``: the element in ``return`` that holds it; empty: that itself.
    """
    answered = Field("return", Kind.STRUCT, (Field(result),)) if result else Field("return")

    def answer(call: Call) -> Values:
        with transaction.atomic():
            # What is read here is still so when it is written.
            locks.one_administrator()
            said = do(call)
        return {"return": {result: said} if result else said}

    return Operation(name, request, (answered,), answer, writes=True)


def refuse_unknown(values: Values, *fields: str) -> None:
    """Refuse fields of the vendor's that say something here, where nothing is behind them.

    Raises:
        Fault: One of them has a value.

    """
    for field in fields:
        if values.get(field):
            raise Fault(f"{field}: is not modelled here; it must be empty.")


def _wanted(call: Call, values: Values) -> Values:
    tags = call.values.get("returnedTags")
    if not tags:
        return values
    return {name: value for name, value in values.items() if name in tags or name == "uuid"}


def _tags(shown: tuple[Field, ...]) -> Field:
    return Field("returnedTags", Kind.TAGS, shown)


def _returned(field: Field) -> Field:
    return Field("return", Kind.STRUCT, (field,))


def _element(name: str) -> str:
    return name[0].lower() + name[1:]
