"""The tables that are read from results of SQL: which columns they have, and what a row tells. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from redundancy.cluster.facts import Of
from redundancy.cluster.reader.context import Context
from redundancy.cluster.reader.ha import STATES, known
from redundancy.cluster.reader.text import Line
from redundancy.srm.states import NOT_RESPONDING, NUMBERS

Row = Mapping[str, str]
_KEY = re.compile(r"\d+$|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_WORD = re.compile(r"[\w.:-]+$")
_TRUE, _FALSE = {"t", "true", "1"}, {"f", "false", "0"}
_STATES = {str(number): state.value for state, number in NUMBERS.items()} | {"12": NOT_RESPONDING}
# The column in which a statement makes words of the numbers of states, and what it is called where it has a name.
_WORDED = re.compile(
    r"\bcase when tkhaserverstate\b.*?\bend\b(?:\s+as\b)?\s*(?!from\b)(\w*)\s*(?:,|from\b)"
)
_UNNAMED = "(expression)"
# The server that holds what is the same on all.
_EVERYWHERE = "enterprisewidedata"


def _key(text: str) -> bool:
    return _KEY.match(text) is not None


def _key_or_none(text: str) -> bool:
    return text == "NULL" or _key(text)


def _boolean(text: str) -> bool:
    return text.lower() in _TRUE | _FALSE


def _name(text: str) -> bool:
    return _WORD.match(text) is not None


def _any(_text: str) -> bool:
    return True


def _some(text: str) -> bool:
    return text not in {"", "NULL"}


def _number(text: str) -> bool:
    return text == "NULL" or (text.isascii() and text.isdigit())


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``checks``: its columns that are read, and what their values are; ``told``: takes a row."""

    name: str
    needs: tuple[frozenset[str], ...]
    checks: Mapping[str, Callable[[str], bool]]
    told: Callable[[Row, Line, Context], None]

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are read."""
        return frozenset(self.checks)

    def has(self, columns: tuple[str, ...]) -> bool:
        """Return whether these columns can only be those of this table."""
        return any(needed <= set(columns) for needed in self.needs)

    def fits(self, row: Row) -> bool:
        """Return whether each value of the row is one that its column can have."""
        checks = self.checks
        return all(checks[column](value) for column, value in row.items() if column in checks)

    def tell(self, row: Row, line: Line, context: Context) -> None:
        """Tell what the row says."""
        self.told(row, line, context)


def _groups(row: Row, line: Line, context: Context) -> None:
    name = row["name"]
    context.tell(Of.GROUP, name, "listed", "yes", line)
    if "haenabled" in row:
        on = row["haenabled"].lower() in _TRUE
        context.tell(Of.GROUP, name, "ha", "on" if on else "off", line)
    if "id" in row:
        context.tell(Of.GROUP, name, "id", row["id"], line)


def _nodes(row: Row, line: Line, context: Context) -> None:
    name = row["name"]
    context.tell(Of.NODE, name, "product", "IM and Presence", line)
    if "isprimary" in row:
        primary = row["isprimary"].lower() in _TRUE
        context.tell(Of.NODE, name, "role", "Publisher" if primary else "Subscriber", line)
    if (number := row.get("tkhaserverstate", "NULL")) in _STATES:
        context.tell(Of.NODE, name, "state", _STATES[number], line)
    for column, field in (("id", "id"), ("subclusterid", "group id"), ("peerhanodeid", "peer id")):
        if column in row:
            value = row[column]
            context.tell(Of.NODE, name, field, "" if value == "NULL" else value, line)


def _worded_nodes(column: str, row: Row, line: Line, context: Context) -> None:
    """Take a row whose state is a word that somebody's statement has made of it, or the number."""
    _nodes(row, line, context)
    text = row[column]
    state = _STATES.get(text) or known(STATES, text)
    if state is not None:
        context.tell(Of.NODE, row["name"], "state", state, line)
    elif _some(text):
        context.missed(line)


def _servers(row: Row, line: Line, context: Context) -> None:
    name = row["name"]
    if name.lower() == _EVERYWHERE:
        if "pkid" in row:
            context.tell(Of.NODE, "", "everywhere", row["pkid"], line)
        return
    role = {"1": "Voice/Video", "2": "IM and Presence"}.get(row.get("tkprocessnoderole", ""))
    context.tell(Of.NODE, name, "listed", "yes", line)
    if role is not None:
        context.tell(Of.NODE, name, "product", role, line)
    if "pkid" in row:
        context.tell(Of.NODE, name, "server id", row["pkid"], line)


def _parameters(row: Row, line: Line, context: Context) -> None:
    owner = row.get("fkprocessnode", "")
    context.tell(Of.PARAMETER, f"#{owner}", row["paramname"], row["paramvalue"], line)


def _users(row: Row, line: Line, context: Context) -> None:
    node = row.get("primarynodeid")
    field = "known" if node is None else "node id"
    context.tell(Of.USER, row["userid"], field, "" if node in {None, "NULL"} else node or "", line)


def _count(row: Row, line: Line, context: Context) -> None:
    (value,) = row.values()
    context.tell(Of.USERS, "", "all", value, line)


def _needs(*several: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(each.split()) for each in several)


TABLES: tuple[Table, ...] = (
    Table(
        "enterprisesubcluster",
        _needs("name haenabled"),
        {"id": _key, "name": _some, "haenabled": _boolean},
        _groups,
    ),
    Table(
        "enterprisenode",
        _needs("name subclusterid", "name tkhaserverstate", "name isprimary", "name peerhanodeid"),
        {
            "id": _key,
            "name": _name,
            "subclusterid": _key_or_none,
            "isprimary": _boolean,
            "tkhaserverstate": _number,
            "peerhanodeid": _key_or_none,
        },
        _nodes,
    ),
    Table(
        "processnode",
        _needs("name tknodeusage", "name tkprocessnoderole"),
        {
            "pkid": _key,
            "name": _name,
            "tknodeusage": _number,
            "tkprocessnoderole": _number,
        },
        _servers,
    ),
    Table(
        "processconfig",
        _needs("paramname paramvalue"),
        {
            "paramname": _some,
            "paramvalue": _any,
            "tkservice": _number,
            "fkprocessnode": _key_or_none,
        },
        _parameters,
    ),
    Table(
        "enduser",
        _needs(
            "userid primarynodeid",
            "userid firstname",
            "userid displayname",
            "userid imaddress",
            "userid pkid",
        ),
        {"pkid": _key, "userid": _some, "primarynodeid": _key_or_none},
        _users,
    ),
)
# With what they need at least, where the statement says which table it is of.
_BY_STATEMENT = {
    "enterprisesubcluster": "name",
    "enterprisenode": "name",
    "processnode": "name",
    "enduser": "userid",
}
_COUNTED = re.compile(r"\(?count\(\*\)\)?$")


def table_of(columns: tuple[str, ...], asked: str, worded: str = "") -> Table | None:
    """Return the table that has these columns, or None.

    ``asked``: the table of the statement, where it is known; ``worded``: its column of ``worded_column``.
    """
    if len(set(columns)) < len(columns):
        # Of a join: which of the two a name is of, cannot be told.
        return None
    if len(columns) == 1 and _COUNTED.match(columns[0]) and asked == "enduser":
        name = columns[0]
        return Table("enduser", (), {name: str.isdigit}, _count)
    found = _found(columns, asked)
    if found is None or found.name != "enterprisenode" or worded not in columns:
        return found
    return replace(
        found, checks={**found.checks, worded: _any}, told=partial(_worded_nodes, worded)
    )


def _found(columns: tuple[str, ...], asked: str) -> Table | None:
    for table in TABLES:
        if table.has(columns):
            return table
    for table in TABLES:
        if table.name == asked and _BY_STATEMENT.get(asked, "?") in columns:
            return table
    return None


def worded_column(command: str) -> str:
    """Return the column in which a statement has words for the numbers of states; empty where it has none."""
    found = _WORDED.search(command)
    return "" if found is None else found[1] or _UNNAMED
