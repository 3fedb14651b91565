"""How much room a text takes, and how to make it fit.

SVG does not wrap or shorten text, so the layout does, with the widths of Arial (and of the fonts made
to its measure). An estimate is enough. Some air is left, for DejaVu, which stands in where Arial is missing,
is wider, above all in bold.
"""

BOLD = 1.10
ELLIPSIS = "…"
_AIR = 1.07

# Widths in parts of the font size; what is not listed is as wide as a digit.
_WIDTHS = {
    **dict.fromkeys("ijl'|", 0.23),
    **dict.fromkeys("It.,:;/\\!· []f", 0.28),
    **dict.fromkeys('r-()"', 0.35),
    **dict.fromkeys("cksvxyzJ", 0.5),
    **dict.fromkeys("ABEFKLPSTVXYZ&", 0.67),
    **dict.fromkeys("CDGHNOQRUw", 0.75),
    **dict.fromkeys("mM", 0.84),
    **dict.fromkeys("W", 0.95),
    **dict.fromkeys("@%…—", 1.02),
}
_DIGIT = 0.56
# A character outside Latin may fill the whole square.
_SQUARE = 1.0


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide ``text`` is, in the unit of ``size``."""
    parts = sum(_WIDTHS.get(char, _DIGIT if char < "\u0250" else _SQUARE) for char in text)
    return parts * size * _AIR * (BOLD if bold else 1)


def fit(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return ``text`` as it is read, shortened with an ellipsis when it is wider than ``room``."""
    text = str(text)
    if width(text, size, bold=bold) <= room:
        return text
    end = len(text)
    while end and width(text[:end] + ELLIPSIS, size, bold=bold) > room:
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def fit_ends(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return ``text``, its middle left out when it is wider than ``room``: names differ at their ends."""
    text = str(text)
    if width(text, size, bold=bold) <= room:
        return text
    kept = len(text) - 1
    while kept and width(_ends(text, kept), size, bold=bold) > room:
        kept -= 1
    return _ends(text, kept)


def _ends(text: str, kept: int) -> str:
    tail = kept // 2
    return text[: kept - tail].rstrip() + ELLIPSIS + (text[-tail:].lstrip() if tail else "")


def wrap(text: str, room: float, size: float, lines: int, *, bold: bool = False) -> tuple[str, ...]:
    """Return ``text`` broken at spaces into at most ``lines`` lines; the last one is shortened."""
    words = str(text).split()
    broken: list[str] = []
    while words and len(broken) < lines - 1:
        count = len(words)
        while count > 1 and width(" ".join(words[:count]), size, bold=bold) > room:
            count -= 1
        broken.append(fit(" ".join(words[:count]), room, size, bold=bold))
        words = words[count:]
    if words:
        broken.append(fit(" ".join(words), room, size, bold=bold))
    return tuple(broken)
