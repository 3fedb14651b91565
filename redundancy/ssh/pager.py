"""Pages of output: after as many lines as the terminal has, but one, a key is awaited."""

from dataclasses import dataclass

PROMPT = "\x1b[1mPress <enter> for 1 line, <space> for one page, or <q> to quit\x1b[0m"
# Removes the prompt again.
GONE = "\r\x1b[K"


@dataclass(slots=True)
class Pager:
    """``rows``: those of the terminal. ``on``: whether pages are made at all (``set cli pagination``)."""

    rows: int = 24
    on: bool = True
    _left: int = 0

    def begin(self) -> None:
        """Begin the output of another command."""
        self._left = max(1, self.rows - 1)

    @property
    def full(self) -> bool:
        """Whether a key must be pressed before the next line."""
        return self.on and self._left <= 0

    def printed(self) -> None:
        """Count a line."""
        self._left -= 1

    def press(self, character: str) -> bool | None:
        """Take a key: True to go on, False to drop the rest, None for a key that means nothing here."""
        if character in "\r\n":
            self._left = 1
            return True
        if character == " ":
            self._left = max(1, self.rows - 1)
            return True
        return False if character in "qQ\x03" else None
