"""Lines as they were printed, whatever the terminal and its log made of them."""

import io

import pytest

from redundancy.cluster.reader.text import LONGEST, Line, NoText, read_lines
from redundancy.ssh import pager


def lines(data: bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(data)))


def numbered(data: bytes) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in lines(data)]


def texts(data: bytes) -> list[str]:
    return [line.text for line in lines(data)]


@pytest.mark.parametrize(
    "data",
    [
        b"one\ntwo\n",
        b"one\r\ntwo\r\n",
        b"one\r\r\ntwo",
        b"one\rtwo\r",
        b"\xef\xbb\xbfone\ntwo",
        "one\ntwo".encode("utf-16"),
        "one\r\ntwo\r\n".encode("utf-16-le"),
        "one\r\ntwo\r\n".encode("utf-16-be"),
        b"\x1b[1mone\x1b[0m\n\x1b]0;title\x07two\x1b[K\n",
        b"onw\b \be\ntwo \x00",
    ],
)
def test_line_ends_marks_encodings_and_codes(data: bytes) -> None:
    assert numbered(data) == [(1, "one"), (2, "two")]


def test_no_prompt_of_a_page_is_left() -> None:
    page = f"first\r\n{pager.PROMPT}{pager.GONE}second\r\n"
    assert texts(page.encode()) == ["first", "second"]
    without_codes = (
        "Press <enter> for 1 line, <space> for one page, or <q> to quit\r      \rsecond\r\n"
    )
    assert texts(without_codes.encode()) == ["second"]
    # Where the log has no control characters at all.
    alone = without_codes.partition("\r")[0]
    assert texts(f"first\n{alone}\n{alone}second\n".encode()) == ["first", "", "second"]


def test_the_time_before_each_line_is_of_the_terminal_program() -> None:
    for stamp in ("[2026-11-28 10:00:01] ", "[Sat Nov 28 10:00:01.123 2026] ", "[10:00:01]"):
        text = f"{stamp}admin:utils ha status\r\n{stamp}\tName: a\r\n{stamp}\r\nb[STARTED]\n"
        assert texts(text.encode()) == ["admin:utils ha status", "\tName: a", "", "b[STARTED]"]
    # No time, and a time within a line.
    for text in ("[HS] peer down", "at [10:00:01] x"):
        assert texts(text.encode()) == [text]


def test_what_is_no_utf_8_is_read_as_latin() -> None:
    assert texts("J\xfcrgen, M\u00fcller\n".encode("latin-1")) == ["Jürgen, Müller"]
    # A character that lies on two blocks.
    assert texts(b"x" * 65_535 + "ü\n".encode())[0][-1] == "x"
    assert texts(b"x\n" * 32_767 + b"y" + "ü\n".encode())[-1] == "yü"


def test_a_line_that_is_too_long_keeps_its_beginning_and_its_number() -> None:
    found = lines(b"a" * 3_000_000 + b"\nb\n" + b"c" * LONGEST + b"\nd")
    assert [(line.number, len(line.text), line.cut) for line in found] == [
        (1, LONGEST, True),
        (2, 1, False),
        (3, LONGEST, False),
        (4, 1, False),
    ]


def test_what_is_no_text_is_refused() -> None:
    for data in (b"\x7fELF\x02\x00\x00\x00" * 50, bytes(range(256)) * 40):
        with pytest.raises(NoText):
            lines(data)
