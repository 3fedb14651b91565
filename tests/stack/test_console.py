import io
import os

import pytest

from cucm_admin.stack.console import LONGEST_LINE, Console, Lines, wants_colour


@pytest.mark.parametrize(
    ("chunks", "lines", "rest"),
    [
        ([b"one\ntwo\n"], ["one", "two"], []),
        ([b"on", b"e\nt", b"wo"], ["one"], ["two"]),
        ([b"dos\r\n\n"], ["dos", ""], []),
        # A character cut in two by the pipe is one character again; a broken one does no harm.
        ([b"gr\xc3", b"\xbcn\n\xff\n"], ["grün", "�"], []),
        ([], [], []),
    ],
)
def test_bytes_become_lines(chunks: list[bytes], lines: list[str], rest: list[str]) -> None:
    splitter = Lines()
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines
    assert splitter.flush() == rest
    assert splitter.flush() == []


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    splitter = Lines()
    assert splitter.feed(b"x" * LONGEST_LINE) == []
    assert splitter.feed(b"x") == ["x" * (LONGEST_LINE + 1)]


def test_every_line_names_its_owner() -> None:
    out = io.StringIO()
    Console(out, ("web", "valkey"), colour=False).write("web", "one", "", "two")
    assert out.getvalue() == "web    | one\nweb    |\nweb    | two\n"


def test_colour_ends_before_the_text() -> None:
    line = Console(io.StringIO(), ("web",), colour=True).format("web", "text")
    assert line == "\x1b[36mweb |\x1b[0m text"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("out", "env", "colour"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"NO_COLOR": ""}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colour_only_on_a_terminal(out: io.StringIO, env: dict[str, str], colour: bool) -> None:
    assert wants_colour(out, env) is colour


def test_a_reader_that_went_away_is_noticed_not_raised() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        console = Console(out, ("web",), colour=False)
        console.write("web", "nobody reads this")
        assert console.closed
        console.write("web", "nor this")
