"""executeSQLQuery, and why executeSQLUpdate does nothing here."""

import re
from collections.abc import Iterable

from redundancy.errors import Refused
from redundancy.soap.axl.items import Values
from redundancy.soap.fields import Field, Kind
from redundancy.soap.service import Call, Fault, Operation

SYNTAX = -201
_NAME = re.compile(r"(?:\w+\.)?([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_CALLED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*\(.*\)", re.ASCII | re.DOTALL)
_SQL = Field("sql", required=True, longest=32_000)


def elements(headings: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the elements that hold the values of these columns.

    As on the vendor's system: a column by its name, in lower case; the value of a function by the function's;
    another one is an expression.
    """
    return tuple(_element(heading.strip()) for heading in headings)


def _element(heading: str) -> str:
    if match := _NAME.fullmatch(heading) or _CALLED.fullmatch(heading):
        return match[1].lower()
    return "expression"


def _query(call: Call) -> Values:
    # The parser of SQL is large, and the other operations do without it.
    from redundancy.sql.reading import Failed, read

    try:
        found = read(call.values["sql"])
    except Failed:
        raise
    except Refused as refused:
        raise Fault(f"A syntax error has occurred: {refused.rule}", SYNTAX) from None
    names = elements(found.columns)
    rows = (
        [(name, "" if value is None else value) for name, value in zip(names, row, strict=True)]
        for row in found.rows
    )
    return {"return": {"row": rows}}


def _update(_call: Call) -> Values:
    raise Fault(
        "executeSQLUpdate changes nothing here: every change goes through its operation, such as"
        " updatePresenceRedundancyGroup, so that its rules hold."
    )


OPERATIONS = (
    Operation(
        "executeSQLQuery",
        (_SQL,),
        (Field("return", Kind.STRUCT, (Field("row", Kind.ROW, many=True),)),),
        _query,
        streams=True,
    ),
    Operation(
        "executeSQLUpdate",
        (_SQL,),
        (Field("return", Kind.STRUCT, (Field("rowsUpdated", Kind.INTEGER),)),),
        _update,
        writes=True,
    ),
)
