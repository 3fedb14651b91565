"""A result of SQL as the command line prints it. Pure."""

from collections.abc import Iterable, Sequence


def aligned(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows below their column names, each column underlined with ``=`` and as wide as its widest cell."""
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    return [
        " ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (list(columns), ["=" * width for width in widths], *cells)
    ]


def printable(text: str) -> str:
    """Return a text as one line can hold it."""
    return "".join(c if c.isprintable() else " " for c in text)
