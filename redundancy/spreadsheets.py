"""What a spreadsheet takes for a formula, when a cell of a file begins with it, and how it is kept from that."""

import re

# Full-width signs, too: some spreadsheets read them as the others.
FORMULA_SIGNS = "=+-@\t\r＝＋－＠"
_FORMULA = re.compile(f"'*[{re.escape(FORMULA_SIGNS)}]")
_ESCAPED = re.compile(f"'+[{re.escape(FORMULA_SIGNS)}]")


def escaped(field: str) -> str:
    """Return a field with an apostrophe in front where it, or what was escaped before, is a formula."""
    return f"'{field}" if _FORMULA.match(field) else field


def unescaped(field: str) -> str:
    """Return a field without the apostrophe of ``escaped``."""
    return field[1:] if _ESCAPED.match(field) else field
