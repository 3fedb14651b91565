"""What the recognisers of lines share: where they are, and where their findings go. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from redundancy.cluster.facts import Event, Fact, Of, Place, Unused
from redundancy.cluster.reader.text import Line


@dataclass(slots=True)
class Context:
    """One file while it is read.

    ``command``: what was typed at the last prompt, in small letters; empty where there was none.
    ``header``: the node that a ``Node Name :`` line named since then. ``missed``: takes a line that nobody
    understands; ``understood``: takes such lines back, when what follows makes them clear. ``host``: takes the
    name of a node that tells its status, and whether it is the one that was asked (no other was named).
    """

    file: str
    fact: Callable[[Fact], None]
    event: Callable[[Event], None]
    unused: Callable[[Unused], None]
    clock: Callable[[datetime, Place], None]
    host: Callable[[str, bool], None]
    missed: Callable[[Line], None]
    understood: Callable[[list[Line]], None]
    command: str = ""
    header: str = ""

    def place(self, line: Line) -> Place:
        """Return where ``line`` stands."""
        return Place(self.file, line.number)

    def tell(self, of: Of, subject: str, name: str, value: str, line: Line) -> None:
        """Take a value down."""
        self.fact(Fact(of, subject, name, value, self.place(line)))

    def node(self, *commands: str) -> str:
        """Return the node that the output is of; empty: the one that was asked.

        By the line that names it, or the argument of the command at the prompt where that is one of
        ``commands``, which print this kind of output.
        """
        return self.header or self.argument(*commands)

    def argument(self, *commands: str) -> str:
        """Return the one word that follows one of ``commands`` at the last prompt, or nothing."""
        for command in commands:
            if self.command.startswith(f"{command} "):
                words = self.command[len(command) :].split()
                return words[0] if len(words) == 1 else ""
        return ""


class Recogniser(Protocol):
    """Knows one kind of output by its lines."""

    def take(self, line: Line, context: Context, /) -> bool:
        """Take a line if it is one of this kind's; return whether it was."""
        ...

    def end(self, context: Context, /) -> None:
        """End the output: what was held back is no more than it is."""
        ...
