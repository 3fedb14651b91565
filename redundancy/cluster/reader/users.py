"""Users as CSV: the lab's own format, and the vendor's bulk export, by the names in its first line. Pure."""

import csv
from dataclasses import dataclass

from redundancy.cluster.facts import Of
from redundancy.cluster.reader.context import Context
from redundancy.cluster.reader.text import Line
from redundancy.spreadsheets import unescaped

# Names of columns, in small letters without what is no letter.
_USER = {"userid", "enduserid"}
_NODE = {
    "assignednode",
    "node",
    "presencenode",
    "imandpresencenode",
    "presenceserver",
    "imandpresenceserver",
    "assignedpresenceserver",
}
_ENABLED = {"enableuserforunifiedcmimandpresence"}
# One of them beside the user: a line with a user alone is no header.
_OTHERS = {
    "displayname",
    "imaddress",
    "firstname",
    "lastname",
    "directoryuri",
    "mailid",
    "homecluster",
}
_LONGEST = 255
_TRUE = {"t", "true", "1", "yes"}


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns are: ``node`` and ``enabled`` may be missing."""

    sign: str
    number: int
    user: int
    node: int | None
    enabled: int | None


class Users:
    """Recognises lines of users behind a line that names their columns."""

    def __init__(self) -> None:
        self._columns: _Columns | None = None

    def take(self, line: Line, context: Context) -> bool:
        """Take a user, or the line of names."""
        # Of two exports, one behind the other, the second has its own first line.
        if self._columns is not None and line.text and not self._again(line.text):
            return self._user(self._columns, line, context)
        if "," not in line.text and ";" not in line.text and "\t" not in line.text:
            return False
        self._columns = _header(line.text)
        return self._columns is not None

    def end(self, _context: Context) -> None:
        """Forget the columns."""
        self._columns = None

    @staticmethod
    def _again(text: str) -> bool:
        # Nearly all lines are users, so little is asked of each.
        return "userid" in text.lower().replace(" ", "") and _header(text) is not None

    def _user(self, columns: _Columns, line: Line, context: Context) -> bool:
        fields = _fields(line.text, columns.sign)
        # The lab's own format may leave the node out, which is the last one.
        least = columns.number - (columns.node == columns.number - 1)
        if fields is None or not least <= len(fields) <= columns.number:
            return False
        user = unescaped(fields[columns.user].strip())
        if not user or len(user) > _LONGEST:
            return False
        enabled = _at(fields, columns.enabled)
        node = _at(fields, columns.node)
        if columns.enabled is not None and enabled.lower() not in _TRUE:
            # An end user of telephones alone: no user of presence.
            return True
        context.tell(Of.USER, user, "known" if columns.node is None else "node", node, line)
        return True


def _header(text: str) -> _Columns | None:
    for sign in ",;\t":
        names = [
            "".join(c for c in name.lower() if c.isalnum()) for name in _fields(text, sign) or ()
        ]
        if len(names) < 2 or not _USER & set(names):
            continue
        node = _first(names, _NODE)
        if node is None and not _OTHERS & set(names):
            continue
        user = _first(names, _USER)
        assert user is not None  # one of its names is there
        return _Columns(sign, len(names), user, node, _first(names, _ENABLED))
    return None


def _first(names: list[str], wanted: set[str]) -> int | None:
    return next((place for place, name in enumerate(names) if name in wanted), None)


def _at(fields: list[str], place: int | None) -> str:
    return "" if place is None or place >= len(fields) else unescaped(fields[place].strip())


def _fields(text: str, sign: str) -> list[str] | None:
    try:
        return next(csv.reader([text], delimiter=sign, strict=True), None)
    except csv.Error:
        return None
