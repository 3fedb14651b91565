"""What each key does to a line, and what is echoed."""

import pytest

from redundancy.ssh.line import LONGEST, Key, Line
from redundancy.ssh.pager import Pager


def typed(text: str, *, helpful: bool = False) -> tuple[str, str, list[Key]]:
    """Return the line, all that was echoed, and what was asked for."""
    line, echoed, keys = Line(helpful), "", []
    for character in text:
        echo, key = line.press(character)
        echoed += echo
        keys += [key] if key else []
    return line.text, echoed, keys


@pytest.mark.parametrize(
    ("text", "line", "echoed", "keys"),
    [
        ("show", "show", "show", []),
        ("sho\x7fw", "shw", "sho\b \bw", []),
        ("\x08\x7f", "", "", []),
        ("abc\x15d", "d", "abc" + "\b \b" * 3 + "d", []),
        ("a\r", "a", "a", [Key.ENTER]),
        ("a\n", "a", "a", [Key.ENTER]),
        ("a\x03", "a", "a", [Key.INTERRUPT]),
        ("\x04", "", "", [Key.LEAVE]),
        # It does not leave in the middle of a line.
        ("a\x04", "a", "a", []),
        # Cursor and function keys, and other control characters, do nothing.
        ("a\x1b[A\x1bOP\x1b[15~\x1b[1;5Db\x00\x07", "ab", "ab", []),
        ("a\tb", "a b", "a b", []),
        ("what?", "what?", "what?", []),
        ("é日", "é日", "é日", []),
    ],
)
def test_keys(text: str, line: str, echoed: str, keys: list[Key]) -> None:
    assert typed(text) == (line, echoed, keys)


def test_help_and_completion_where_the_terminal_is_one() -> None:
    assert typed("ut\t?", helpful=True) == ("ut", "ut?", [Key.COMPLETE, Key.HELP])


def test_a_line_is_never_wrapped_and_has_an_end() -> None:
    text, echoed, _ = typed("x" * (LONGEST + 500))
    assert text == echoed == "x" * LONGEST


def pages(pager: Pager, lines: int, keys: str) -> list[int]:
    """Return how many lines were printed before each key, and after the last."""
    pager.begin()
    counts, waiting = [0], iter(keys)
    for _ in range(lines):
        if pager.full:
            goes_on = None
            while goes_on is None:
                goes_on = pager.press(next(waiting))
            counts.append(0)
            if not goes_on:
                break
        counts[-1] += 1
        pager.printed()
    return counts


@pytest.mark.parametrize(
    ("rows", "lines", "keys", "counts"),
    [
        (24, 23, "", [23]),
        (24, 24, " ", [23, 1]),
        (10, 28, " \r ", [9, 9, 1, 9]),
        (10, 30, "xq", [9, 0]),
        (10, 30, "\x03", [9, 0]),
        (1, 3, "  ", [1, 1, 1]),
    ],
)
def test_pages(rows: int, lines: int, keys: str, counts: list[int]) -> None:
    assert pages(Pager(rows), lines, keys) == counts


def test_no_pages_when_they_are_off() -> None:
    assert pages(Pager(10, on=False), 1000, "") == [1000]
