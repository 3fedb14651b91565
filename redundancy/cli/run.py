"""The entry for everything that takes command lines: the prompt, scripts, log collection."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from time import sleep

from django.conf import settings
from django.db import DatabaseError

from redundancy.cli import parser
from redundancy.cli.grammar import Call, Kind, Session, Style
from redundancy.cli.performance import CLASSES
from redundancy.errors import Refused
from redundancy.permissions import READ_ONLY_SENTENCE
from redundancy.selectors import groups, nodes


def run(
    line: str,
    *,
    actor: str,
    warn: Callable[[str], None],
    confirm: Callable[[], bool] = lambda: True,
    may_write: bool = True,
    session: Session | None = None,
    look: Callable[[Sequence[str], str, str], str] | None = None,
    pause: Callable[[float], None] = sleep,
    here: int | None = None,
) -> Iterator[str]:
    """Carry one command line out and give its output line by line.

    Args:
        line: What was entered.
        actor: Who entered it.
        warn: Takes what is worth knowing but no part of the output.
        confirm: Asks, after a caution, whether to go on. Without it nobody is asked.
        may_write: Whether the actor's role may change anything.
        session: The conversation that the line belongs to; None: it is alone.
        look: Shows a page with a question below it and returns a key that it was given; None: nobody looks.
        pause: Waits for real seconds, or until the command is given up.
        here: The key of the node that it was entered on, which commands without a node mean; None: the publisher.

    Raises:
        Refused: There is no such command, or it cannot be done.

    """
    if parser.wants_help(line):
        yield from parser.explain(line).splitlines()
        return
    command, values = parser.parse(line)
    if command.writes and not may_write:
        raise Refused(str(READ_ONLY_SENTENCE))
    session = session or new_session()
    yield from command.do(Call(values, actor, warn, confirm, session, look, pause, here))


def new_session() -> Session:
    """Return a conversation without pages, as the settings have it."""
    return Session(Style(settings.CLI_STYLE))


def names(kind: Kind) -> Iterable[str]:
    """Return what there is of a kind, for completion; nothing where that cannot be told."""
    with suppress(DatabaseError):
        match kind:
            case Kind.NODE:
                return list(nodes.nodes().values_list("name", flat=True))
            case Kind.GROUP:
                return list(groups.find_groups().values_list("name", flat=True))
            case Kind.OBJECT:
                return [f'"{each.name}"' for each in CLASSES]
            case Kind.COUNTER:
                return [name for each in CLASSES for name in each.counters]
    return ()


def all_names() -> dict[Kind, list[str]]:
    """Return what there is of each kind, as ``parser.complete`` asks for it."""
    return {kind: list(names(kind)) for kind in Kind}
