"""Results of ``run sql``: a header, a line of ``=`` for each column, and rows. Pure.

What a table is, its columns say; where they could be those of several, the statement at the prompt does. A
terminal that wraps cuts header, ``=`` line and rows alike; they are put together by the width of the first cut.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from redundancy.cluster.facts import Unused
from redundancy.cluster.reader import rows
from redundancy.cluster.reader.context import Context
from redundancy.cluster.reader.rows import Table
from redundancy.cluster.reader.text import Line

_RULE = re.compile(r" *=+(?: +=+)* *$")
# Physical lines that a wrapped row may have; the vendor's widest table has 40 columns.
_MOST_PARTS = 40
_FROM = re.compile(r"\bfrom\s+(?:informix\.)?(\w+)")


@dataclass(slots=True)
class _Open:
    """A table whose rows come: where its columns are, how many physical lines a row has, and how wide they are."""

    table: Table | None
    columns: tuple[str, ...]
    spans: list[tuple[int, int]]
    width: int
    parts: int
    line: Line
    rows: int = 0


class Tables:
    """Recognises results of SQL."""

    def __init__(self) -> None:
        self._recent: list[Line] = []
        self._rules: list[Line] = []
        self._open: _Open | None = None
        self._row: list[Line] = []

    def take(self, line: Line, context: Context) -> bool:
        """Take a row, or the line of ``=`` that begins a table; its header was taken for unknown before."""
        first = line.text[:1]
        if (first == "=" or (first == " " and self._rules)) and _RULE.match(line.text):
            self._close(context)
            # So many are an ornament.
            self._rules = [*self._rules, line] if len(self._rules) < _MOST_PARTS else []
            return True
        if self._rules:
            self._begin(context)
        if self._open is not None:
            if (line.text or (self._row and line.width)) and self._rows(line, context):
                return True
            self._close(context)
        self._recent = [*self._recent[1 - _MOST_PARTS :], line]
        return False

    def end(self, context: Context) -> None:
        """End the table."""
        if self._rules:
            self._begin(context)
        self._close(context)
        self._recent = []

    def _begin(self, context: Context) -> None:
        rules, self._rules = self._rules, []
        recent, self._recent = self._recent[-len(rules) :], []
        first = recent[0] if recent else None
        if (
            len(recent) < len(rules)
            or first is None
            or first.number != rules[0].number - len(rules)
        ):
            return
        width = max(line.width for line in (*recent[:-1], *rules[:-1])) if len(rules) > 1 else 0
        header, rule = _joined(recent, width), _joined(rules, width)
        spans = [found.span() for found in re.finditer("=+", rule)]
        columns = _cells(header, spans)
        if columns is None or not all(columns):
            return
        columns = tuple(column.lower() for column in columns)
        command = context.command
        table = rows.table_of(columns, _asked(command), rows.worded_column(command))
        if table is None and len(columns) < 2:
            # One word over a rule is the heading of a text as well.
            return
        context.understood(recent)
        self._open = _Open(table, columns, spans, width, len(rules), first)

    def _rows(self, line: Line, context: Context) -> bool:
        """Take a line as a row, or a part of one."""
        table = self._open
        assert table is not None
        self._row.append(line)
        cells = _cells(_joined(self._row, table.width), table.spans)
        values = dict(zip(table.columns, cells, strict=True)) if cells is not None else None
        fits = values is not None and (table.table is None or table.table.fits(values))
        # A log may have lost the blanks at the ends of its lines.
        if len(self._row) < table.parts and (line.width >= table.width or not fits):
            return True
        whole, self._row = self._row, []
        if values is None or not fits:
            for each in whole[:-1]:
                context.missed(each)
            return False
        table.rows += 1
        if table.table is not None:
            table.table.tell(values, whole[0], context)
        return True

    def _close(self, context: Context) -> None:
        held, self._row = self._row, []
        for line in held:
            context.missed(line)
        table, self._open = self._open, None
        if table is None:
            return
        used = table.table.columns if table.table is not None else frozenset()
        rest = tuple(column for column in table.columns if column not in used)
        if rest:
            context.unused(Unused(rest, table.rows, context.place(table.line)))


def _asked(command: str) -> str:
    """Return the table of the statement at the prompt, where there is one."""
    found = _FROM.search(command) if command.startswith("run sql ") else None
    return found[1] if found else ""


def _joined(lines: list[Line], width: int) -> str:
    *before, last = lines
    return "".join(line.text.ljust(width) for line in before) + last.text


def _cells(text: str, spans: list[tuple[int, int]]) -> tuple[str, ...] | None:
    """Return the cells of a line below their columns; None where the line is not in these columns."""
    if (cells := _cut(text, spans)) is not None:
        return cells
    # Some tables are padded by bytes, not by characters.
    data = text.encode()
    if len(data) == len(text):
        return None
    by_bytes = _cut(data.decode("latin-1"), spans)
    if by_bytes is None:
        return None
    try:
        return tuple(cell.encode("latin-1").decode() for cell in by_bytes)
    except UnicodeDecodeError:
        return None


def _cut(text: str, spans: list[tuple[int, int]]) -> tuple[str, ...] | None:
    last = spans[-1][1]
    if text[:1] == " " or len(text.rstrip()) > last:
        return None
    for (_, end), (start, _) in pairwise(spans):
        if text[end:start].strip():
            return None
    return tuple(text[start:end].strip() for start, end in spans)
