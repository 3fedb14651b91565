"""The entry for everything that takes command lines: the prompt, scripts, log collection."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from django.db import DatabaseError

from redundancy.cli import parser
from redundancy.cli.grammar import Call, Kind
from redundancy.selectors import groups, nodes


def run(
    line: str,
    *,
    actor: str,
    warn: Callable[[str], None],
    confirm: Callable[[], bool] = lambda: True,
) -> Iterator[str]:
    """Carry one command line out and give its output line by line.

    Args:
        line: What was entered.
        actor: Who entered it.
        warn: Takes what is worth knowing but no part of the output.
        confirm: Asks, after a caution, whether to go on. Without it nobody is asked.

    Raises:
        Refused: There is no such command, or it cannot be done.

    """
    if parser.wants_help(line):
        yield from parser.explain(line).splitlines()
        return
    command, values = parser.parse(line)
    yield from command.do(Call(values, actor, warn, confirm))


def names(kind: Kind) -> Iterable[str]:
    """Return the existing nodes or groups, for completion; nothing while they cannot be read."""
    with suppress(DatabaseError):
        if kind is Kind.NODE:
            return list(nodes.nodes().values_list("name", flat=True))
        if kind is Kind.GROUP:
            return list(groups.find_groups().values_list("name", flat=True))
    return ()
