"""The log lines of all children on one terminal, each with its owner's name in front."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

RESET = "\x1b[0m"
COLOURS = ("\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m", "\x1b[31m")
# A line without an end must not fill the memory.
LONGEST_LINE = 64 * 1024


def wants_colour(out: TextIO, env: Mapping[str, str] = os.environ) -> bool:
    """Return whether ``out`` is a terminal that shows colour and nobody asked for none."""
    return out.isatty() and "NO_COLOR" not in env and env.get("TERM") != "dumb"


class Lines:
    """Cut a stream of bytes into lines of text."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that ``chunk`` completes."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            whole.append(self._rest)
            self._rest = b""
        return [_text(line) for line in whole]

    def flush(self) -> list[str]:
        """Return what is left without a line's end."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")


class Console:
    """Write lines as ``web    | text``."""

    def __init__(self, out: TextIO, names: tuple[str, ...], *, colour: bool) -> None:
        self._out = out
        self._width = max(map(len, names))
        self._colours = {
            name: COLOURS[number % len(COLOURS)] if colour else ""
            for number, name in enumerate(names)
        }
        self.closed = False

    def format(self, name: str, line: str) -> str:
        """Return ``line`` with the name of its owner in front."""
        colour = self._colours.get(name, "")
        return f"{colour}{name:<{self._width}} |{RESET if colour else ''} {line}".rstrip()

    def write(self, name: str, *lines: str) -> None:
        """Write ``lines`` of ``name``. When the reader has gone, set ``closed``; raise nothing."""
        if self.closed:
            return
        try:
            for line in lines:
                self._out.write(self.format(name, line) + "\n")
            self._out.flush()
        except BrokenPipeError:
            self.closed = True
            # What is still in the buffer must not raise again when the interpreter ends.
            with Path(os.devnull).open("wb") as nothing:
                os.dup2(nothing.fileno(), self._out.fileno())
        except OSError:
            # A full disk behind the output loses lines; it does not stop the product.
            return
