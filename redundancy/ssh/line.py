"""A line as it is typed: what each key does to it, and what the terminal shows for it.

No input, no output: ``press`` takes one character and returns what to echo. Nothing is ever wrapped, and no cursor is
moved but one character back: scripts search the output for ``admin:`` with their command behind it.
"""

from dataclasses import dataclass, field
from enum import Enum

# What is typed behind this is not taken; the command line refuses a longer command.
LONGEST = 10_001
_BACK = "\b \b"
_CTRL_C, _CTRL_D, _CTRL_U, _ESCAPE = "\x03", "\x04", "\x15", "\x1b"
_ERASE = "\x08\x7f"


class Key(Enum):
    """What a key asked for that is more than a character of the line."""

    ENTER = "enter"
    INTERRUPT = "interrupt"
    LEAVE = "leave"
    HELP = "help"
    COMPLETE = "complete"


@dataclass(slots=True)
class Line:
    """A line that is being typed. ``helpful``: ``?`` asks for help and Tab completes."""

    helpful: bool = False
    text: str = ""
    _escape: str = field(default="", repr=False)

    def press(self, character: str) -> tuple[str, Key | None]:
        """Take one character; return what to echo, and what was asked for."""
        if self._escape:
            self._follow(character)
            return "", None
        if character in "\r\n":
            return "", Key.ENTER
        if character == _CTRL_C:
            return "", Key.INTERRUPT
        if character == _CTRL_D:
            return "", None if self.text else Key.LEAVE
        if character == _CTRL_U:
            echo, self.text = _BACK * len(self.text), ""
            return echo, None
        if character in _ERASE:
            echo, self.text = _BACK if self.text else "", self.text[:-1]
            return echo, None
        if character == _ESCAPE:
            self._escape = character
            return "", None
        if self.helpful and character == "?":
            return character, Key.HELP
        if character == "\t":
            return ("", Key.COMPLETE) if self.helpful else self._add(" ")
        return self._add(character)

    def _add(self, text: str) -> tuple[str, None]:
        if not text.isprintable() or len(self.text) >= LONGEST:
            return "", None
        self.text += text
        return text, None

    def put(self, text: str) -> str:
        """Put more text at the end of the line; return what to echo."""
        return self._add(text)[0]

    def _follow(self, character: str) -> None:
        """Swallow what a cursor key or the like sends: ESC, perhaps [ or O, numbers, and a letter."""
        if self._escape == _ESCAPE and character in "[O":
            self._escape += character
        elif len(self._escape) == 1 or character.isalpha() or character in "~\r\n":
            self._escape = ""

    def begin(self) -> str:
        """Return the line and begin a new one."""
        text, self.text = self.text, ""
        return text
