"""The ``admin:`` prompt: lines from a terminal with history, completion and ``?``, or from a pipe."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output
from prompt_toolkit.shortcuts import CompleteStyle

from redundancy.cli import parser
from redundancy.cli.grammar import Kind
from redundancy.cli.run import all_names

PROMPT = "admin:"
CONFIRM = "Continue (yes/no)? "


def lines(history: Path) -> Iterator[str]:
    """Give what is entered, line by line, until Ctrl-D or the end of the pipe."""
    return typed(history) if sys.stdin.isatty() else (line.strip() for line in sys.stdin)


def typed(
    history: Path, *, source: Input | None = None, screen: Output | None = None
) -> Iterator[str]:
    """Give each line entered at a terminal; Ctrl-C drops the line, Ctrl-D ends.

    Args:
        history: The file that keeps what was entered.
        source: The keyboard, if it is not the one of this process.
        screen: The same for what is shown.

    """
    # It may hold what somebody asked about users.
    history.touch(mode=0o600)
    completer = _Completer()
    prompt: PromptSession[str] = PromptSession(
        f"{PROMPT} ",
        history=FileHistory(str(history)),
        completer=completer,
        complete_while_typing=False,
        complete_style=CompleteStyle.READLINE_LIKE,
        key_bindings=_keys(),
        input=source,
        output=screen,
    )
    while True:
        completer.look()
        try:
            yield prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def confirm(*, source: Input | None = None, screen: Output | None = None) -> bool:
    """Ask whether to go on; only the word yes is one. Arguments as of ``typed``."""
    session: PromptSession[str] = PromptSession(CONFIRM, input=source, output=screen)
    try:
        return session.prompt().strip().lower() == "yes"
    except (KeyboardInterrupt, EOFError):
        return False


def choose(
    question: str, keys: str, *, source: Input | None = None, screen: Output | None = None
) -> str:
    """Ask for one of ``keys``, the first to leave. Other arguments as of ``typed``."""
    session: PromptSession[str] = PromptSession(f"{question} ", input=source, output=screen)
    try:
        while not (key := session.prompt().strip().lower()[:1]) or key not in keys:
            pass
    except (KeyboardInterrupt, EOFError):
        return keys[0]
    return key


class _Completer(Completer):
    """Completes with the names that existed when the line was begun.

    Keys are handled inside an event loop, where Django lets nobody ask the database.
    """

    def __init__(self) -> None:
        self._names: dict[Kind, list[str]] = {}

    def look(self) -> None:
        """Read the names from the database, before the prompt takes keys."""
        self._names = all_names()

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterable[Completion]:
        for found in parser.complete(document.text_before_cursor, self._names.__getitem__):
            yield Completion(
                f"{found.text} ",
                start_position=-found.replaces,
                display=found.text,
                display_meta=found.help,
            )


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("?")
    def _(event: KeyPressEvent) -> None:
        """Show what can be said here; in a SELECT the character itself is meant."""
        before = event.current_buffer.document.text_before_cursor
        if parser.is_select(before):
            event.current_buffer.insert_text("?")
        else:
            run_in_terminal(lambda: print(parser.explain(before)))  # noqa: T201

    return keys
