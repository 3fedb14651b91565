"""The lines of a terminal log, as they were printed: in one encoding, without what the terminal added. Pure.

Memory is bounded: a block and a line are held at a time, and of a longer line its beginning.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

# Characters of a line that are kept; rows of the vendor's widest tables have some 2,000.
LONGEST = 16_384
_BLOCK = 65_536
# What terminals do not send: all control characters but tab, line ends, bell, backspace, escape.
_BINARY = dict.fromkeys({*range(32)} - {7, 8, 9, 10, 12, 13, 27})
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# CSI, OSC and the two-character sequences of ECMA-48; a sequence that was cut off goes with its escape.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][0-9A-Za-z]|[0-Z\\^-~])?"
)
_PAGE = "Press <enter>"
_PAGING = re.compile(rf"{_PAGE} for 1 line, <space> for one page, or <q> to quit")
# What some terminal programs put before each line of their logs.
_STAMP = re.compile(r"\[[^\]\[]{0,24}\d\d:\d\d:\d\d[^\]\[]{0,16}\] ?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Bytes(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; none at the end."""
        ...


class NoText(Exception):
    """The bytes are no text."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its number in the file, and its text, without blanks at its end.

    ``cut``: whether it was longer than LONGEST. ``width``: its length with the blanks.
    """

    number: int
    text: str
    cut: bool = False
    width: int = 0


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    """Return what is no UTF-8 as Latin-1 has it: logs of older terminal programs."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("cluster-latin", _as_latin)


def read_lines(stream: Bytes) -> Iterator[Line]:
    """Yield the lines of a file. Raises NoText when it is none."""
    for number, told, cut in _raw_lines(stream):
        raw = told
        if told[:1] == "[" and (stamp := _STAMP.match(told)):
            raw = told[stamp.end() :]
        if raw.isprintable() and _PAGE not in raw:
            yield Line(number, raw.rstrip(), cut, len(raw))
            continue
        # A carriage return inside a line begins it anew: progress, and the prompt between two pages.
        for text in [text for part in raw.split("\r") if (text := _cleaned(part)).strip()] or [""]:
            yield Line(number, text.rstrip(), cut, len(text))


def _raw_lines(stream: Bytes) -> Iterator[tuple[int, str, bool]]:
    first = stream.read(_BLOCK)
    encoding = _encoding(first)
    decode = codecs.getincrementaldecoder(encoding)("cluster-latin").decode
    block, end, number, pending, cut = first, "\n", 0, "", False
    while block:
        text = decode(block)
        # A few may stand in any log.
        if block is first and len(text) - len(text.translate(_BINARY)) > 0.02 * len(text) + 1:
            raise NoText
        if not number and end == "\n" and not pending and "\n" not in text and "\r" in text[:-1]:
            end = "\r"
        *whole, rest = text.split(end)
        for piece in whole:
            number += 1
            line = pending + piece if len(pending) <= LONGEST else pending
            yield number, line[:LONGEST].rstrip("\r"), cut or len(line) > LONGEST
            pending, cut = "", False
        if len(pending) <= LONGEST:
            pending += rest[: LONGEST + 1]
        cut = cut or len(pending) > LONGEST
        block = stream.read(_BLOCK)
    if pending:
        yield number + 1, pending[:LONGEST].rstrip("\r"), cut


def _encoding(first: bytes) -> str:
    for mark, encoding in _BOMS:
        if first.startswith(mark):
            return encoding
    even, odd = first[::2].count(0), first[1::2].count(0)
    half = len(first) // 2 or 1
    # Text of Western scripts in UTF-16 has a zero in nearly every other byte.
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return "utf-8"


def _cleaned(text: str) -> str:
    """Return a line without escape codes, paging and what was erased."""
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if _PAGE in text:
        text = _PAGING.sub("", text)
    if "\b" in text:
        text = _erased(text)
    return _CONTROLS.sub("", text)


def _erased(text: str) -> str:
    kept: list[str] = []
    for character in text:
        if character != "\b":
            kept.append(character)
        elif kept:
            kept.pop()
    return "".join(kept)
