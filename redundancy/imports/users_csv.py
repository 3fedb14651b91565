"""The format of users as CSV: one line a user, the same for import and export. Pure.

UTF-8, with or without a byte order mark; comma or semicolon; quoted fields; any line end. A field
that a spreadsheet would take for a formula gets an apostrophe in front, which import takes away.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from redundancy.errors import Refused
from redundancy.spreadsheets import escaped, unescaped
from redundancy.srm.words import say, say_count

COLUMNS = ("User ID", "Display Name", "IM Address", "Assigned Node")
# The last column may be left out.
LEAST = 3
BOM = b"\xef\xbb\xbf"
_NAMES = ({"userid"}, {"displayname", "name"}, {"imaddress"}, {"assignednode", "node"})


def delimiter_of(line: str) -> str:
    """Return which of comma and semicolon divides ``line`` into the fields of a user."""
    fits = {
        sign: LEAST <= len(next(csv.reader([line], delimiter=sign), [])) <= len(COLUMNS)
        for sign in ",;"
    }
    if fits[","] != fits[";"]:
        return "," if fits[","] else ";"
    return max(",;", key=line.count)


def read_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line, without the apostrophes of export.

    Raises:
        Refused: It is no line of CSV, or has too many or too few fields.

    """
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        rule = say(
            "A quoted field does not end as it should: on its line, followed by the delimiter."
        )
        raise Refused(rule) from None
    if not LEAST <= len(fields) <= len(COLUMNS):
        raise Refused(
            say_count(
                "A line must have {least} or {most} fields; this one has {count} field.",
                "A line must have {least} or {most} fields; this one has {count} fields.",
                len(fields),
                least=LEAST,
                most=len(COLUMNS),
            )
        )
    return [unescaped(field.strip()) for field in fields]


def is_header(fields: Sequence[str]) -> bool:
    """Return whether these are the names of the columns.

    Raises:
        Refused: They begin as names and are not in this order.

    """
    names = [re.sub(r"[\s_-]", "", field.lower()) for field in fields]
    # One word may be somebody's name; two names of columns are none.
    known_names = frozenset().union(*_NAMES)
    if names[0] not in _NAMES[0] and sum(name in known_names for name in names) < 2:
        return False
    if not all(name in known for name, known in zip(names, _NAMES, strict=False)):
        columns = ", ".join(COLUMNS)
        raise Refused(say("The columns must be {columns}, in this order.", columns=columns))
    return True


def write(rows: Iterable[Sequence[str]], header: Sequence[str] = COLUMNS) -> Iterator[str]:
    """Yield the lines of a file of these rows, its header first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield BOM.decode() + ",".join(header) + "\r\n"
    for row in rows:
        writer.writerow([escaped(field) for field in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
