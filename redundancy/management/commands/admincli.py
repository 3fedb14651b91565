"""The command line of the cluster: ``manage.py admincli``."""

import getpass
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser, no_translations
from django.db import DatabaseError, close_old_connections

from redundancy.cli.grammar import LEAVE
from redundancy.cli.run import new_session, run
from redundancy.errors import Refused
from redundancy.management.joined import JoinedCommand


class Command(JoinedCommand):
    """Carry out one command, or those entered at the prompt."""

    help = (
        "Opens the prompt 'admin:', or carries out the one command given, for example: "
        'admincli "utils ha status". Enter ? at the prompt for all commands.'
    )
    # They look at the project, not at the cluster, and would delay each command.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one command, quoted or not."""
        parser.add_argument("command", nargs="*", help="a command; without it, the prompt opens")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit with 0 when everything was carried out, else with 1."""
        given = " ".join(options["command"])
        self._session = new_session()
        # A command that was given whole is not asked about: scripts do that.
        done = self._carry_out(given, asks=False) if given.strip() else self._prompt()
        if not done:
            sys.exit(1)

    def _prompt(self) -> bool:
        terminal = sys.stdin.isatty()
        done = True
        for line in _terminal().lines(settings.VAR_DIR / "admincli_history"):
            if line.strip() in LEAVE:
                break
            # The prompt may have waited for longer than the database keeps a connection.
            close_old_connections()
            if line.strip():
                done &= self._carry_out(line, asks=terminal)
        # What failed was seen at a terminal; a script is told.
        return done or terminal

    def _carry_out(self, line: str, *, asks: bool) -> bool:
        try:
            for text in run(
                line,
                actor=_actor(),
                warn=self.stderr.write,
                confirm=_terminal().confirm if asks else lambda: True,
                session=self._session,
                look=self._look if asks else None,
            ):
                self.stdout.write(text)
            self.stdout.flush()
        except Refused as refused:
            self.stderr.write(refused.rule)
        except DatabaseError as error:
            self.stderr.write(f"The database cannot be used: {str(error).strip()}")
        except BrokenPipeError:
            # Whoever read our output has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        else:
            return True
        return False

    def _look(self, lines: Sequence[str], question: str, keys: str) -> str:
        for line in lines:
            self.stdout.write(line)
        chosen: str = _terminal().choose(question, keys)
        return chosen


def _terminal() -> ModuleType:
    # It takes a fifth of a second to load, and one command needs no prompt.
    from redundancy.cli import prompt

    return prompt


def _actor() -> str:
    """Return who sits at the terminal, told apart from a user of the pages of that name."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # no name belongs to the user's number
        name = str(os.getuid())
    return f"{name} (CLI)"
