"""From a line to a command and its arguments, and what may come next in an unfinished line."""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from redundancy.catalog import SERVICE_BY_NAME
from redundancy.cli.commands import COMMANDS
from redundancy.cli.grammar import HELP, LEAVE, Command, Kind
from redundancy.errors import Refused

# Much longer than any command; keeps a pasted file from being taken for one.
LONGEST = 10_000


# A word that is finished: a blank follows, which one in quotation marks may also contain.
_WORD = re.compile(r"""("[^"]*"|'[^']*'|[^\s"']+)\s+""")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may stand at the end of the line, for ``replaces`` characters already typed."""

    text: str
    replaces: int
    help: str = ""


def parse(line: str) -> tuple[Command, dict[Kind, str]]:
    """Return the command that ``line`` gives, and the value of each argument that was given.

    Raises:
        Refused: The line is no command, or an argument is missing, unknown or too much.

    """
    line = clean(line)
    command, rest = _find(line)
    return command, _arguments(command, rest)


def clean(line: str) -> str:
    """Return the line without surrounding blanks, each blank inside as a space."""
    line = line.expandtabs(1).replace("\r", " ").replace("\n", " ").strip()
    if len(line) > LONGEST:
        raise Refused(f"A command has at most {LONGEST} characters; this one has {len(line)}.")
    if not line.isprintable():
        raise Refused("The command contains a character that cannot be printed.")
    return line


def wants_help(line: str) -> bool:
    """Return whether the line asks what can be said: it begins with help or ends with ``?``."""
    words = line.split()
    return bool(words) and not is_select(line) and (words[0] in HELP or words[-1].endswith("?"))


def is_select(line: str) -> bool:
    """Return whether the line is past the words of a command that takes the rest as it is."""
    return any(
        command.takes_statement and rest not in ("", "?")
        for command, rest in _complete_commands(line)
    )


def explain(line: str) -> str:
    """Return the commands that begin like ``line`` (a ``?`` or ``help`` in it does not count)."""
    words = [word for word in line.rstrip().removesuffix("?").split() if word not in HELP]
    open_word = words.pop().lower() if words and line.rstrip(" ?") == line.rstrip("?") else ""
    found = [
        command
        for command in COMMANDS
        if _begins(command, words)
        and (
            len(words) >= len(command.words)
            or command.words[len(words)].lower().startswith(open_word)
        )
    ]
    if not found:
        return "There is no such command. Enter ? for all of them."
    width = max(len(command.usage) for command in found)
    lines = [f"{command.usage:{width}}  {command.help}" for command in found]
    if not words and not open_word:
        lines.append(f"{'exit':{width}}  leave (also quit, Ctrl-D)")
    return "\n".join(lines)


def complete(line: str, names: Callable[[Kind], Iterable[str]]) -> list[Candidate]:
    """Return what the last, unfinished word of ``line`` may become.

    Args:
        line: The line up to the cursor.
        names: Gives the existing groups or nodes.

    """
    for command, rest in _complete_commands(line):
        return _complete_argument(command, rest, names)
    words = line.split()
    typed = words.pop() if words and not line[-1].isspace() else ""
    found: dict[str, str] = {}
    for command in COMMANDS:
        if len(words) < len(command.words) and _begins(command, words):
            last = len(words) == len(command.words) - 1
            found.setdefault(command.words[len(words)], command.help if last else "")
    if not words:
        found |= dict.fromkeys((*LEAVE, HELP[0]), "")
    return [
        Candidate(word, len(typed), summary)
        for word, summary in sorted(found.items())
        if word.lower().startswith(typed.lower())
    ]


def _find(line: str) -> tuple[Command, str]:
    for command, rest in _complete_commands(line + " "):
        return command, rest.strip()
    known = line.split()
    unknown: list[str] = []
    while known and not any(_begins(command, known) for command in COMMANDS):
        unknown.insert(0, known.pop())
    if not known:
        raise Refused(f"Unknown command {line.split()[0][:60]!r}. Enter ? for all commands.")
    where = " ".join(known).lower()
    following = " or ".join(found.text for found in complete(f"{where} ", lambda _: ()))
    if not unknown:
        raise Refused(f"Incomplete command: after {where!r} must follow {following}.")
    raise Refused(
        f"Unknown command: after {where!r} must follow {following}, not {unknown[0][:60]!r}."
    )


def _begins(command: Command, words: Sequence[str]) -> bool:
    """Return whether the command's words and ``words`` agree as far as both go."""
    return all(
        mine.lower() == word.lower() for mine, word in zip(command.words, words, strict=False)
    ) and (len(words) <= len(command.words) or bool(command.arguments))


def _complete_commands(line: str) -> Iterable[tuple[Command, str]]:
    """Give the command all of whose words are finished in the line, and what follows them."""
    for command in COMMANDS:
        words = r"\s+".join(re.escape(word) for word in command.words)
        if matched := re.match(rf"\s*{words}\s+", line, re.IGNORECASE):
            yield command, line[matched.end() :]


def _arguments(command: Command, rest: str) -> dict[Kind, str]:
    if command.takes_statement:
        if not rest:
            raise _missing(command, Kind.SELECT)
        return {Kind.SELECT: rest}
    try:
        words = shlex.split(rest)
    except ValueError:
        raise Refused(f"{command.usage}: a quotation mark is not closed.") from None
    values: dict[Kind, str] = {}
    for kind, optional in command.arguments.items():
        if kind is Kind.SERVICE and words:
            values[kind], words = _service(words)
        elif kind is Kind.OPTIONS:
            taken = list(takewhile(lambda word: word.lower() in command.options, words))
            values[kind], words = " ".join(taken).lower(), words[len(taken) :]
        elif words:
            values[kind] = words.pop(0)
        elif not optional:
            raise _missing(command, kind)
    if words:
        raise Refused(f"{command.usage}: {words[0][:60]!r} is too much.")
    return values


def _missing(command: Command, kind: Kind) -> Refused:
    return Refused(f"{command.usage}: the {kind.title} is missing.")


def _service(words: list[str]) -> tuple[str, list[str]]:
    """Return the service that the first words name, and the words after it."""
    text = " ".join(" ".join(words).split())
    if name := _leading_service(f"{text} "):
        return name, text[len(name) :].split()
    raise Refused(f"There is no service {text[:60]!r}. 'utils service list' names them.")


def _leading_service(text: str) -> str:
    """Return the service whose name, with a blank after it, begins ``text``; empty if none does."""
    begins = (name for name in SERVICE_BY_NAME if text.lower().startswith(f"{name.lower()} "))
    # The longest name: one may begin like another.
    return max(begins, key=len, default="")


def _complete_argument(
    command: Command, rest: str, names: Callable[[Kind], Iterable[str]]
) -> list[Candidate]:
    for kind in command.arguments:
        if kind is Kind.SERVICE:
            service = _leading_service(rest)
            if not service:
                return _matching(sorted(SERVICE_BY_NAME), rest)
            rest = rest[len(service) :].lstrip()
        elif kind is Kind.SELECT:
            return []
        elif kind is Kind.OPTIONS:
            while (word := _WORD.match(rest)) and word[1].lower() in command.options:
                rest = rest[word.end() :]
            if not word:
                return _matching([*command.options, *names(Kind.NODE)], rest)
        elif word := _WORD.match(rest):
            rest = rest[word.end() :]
        else:
            return _matching(names(kind), rest)
    return []


def _matching(names: Iterable[str], typed: str) -> list[Candidate]:
    return [Candidate(name, len(typed)) for name in names if name.lower().startswith(typed.lower())]
