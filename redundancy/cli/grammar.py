"""The commands of the CLI, as data."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What stands for an argument."""

    GROUP = "presence redundancy group"
    NODE = "node"
    # Its name may be several words.
    SERVICE = "service"
    # Everything up to the end of the line, as it is.
    SELECT = "SELECT statement"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command."""

    kind: Kind
    optional: bool = False

    @property
    def usage(self) -> str:
        """How the argument is written in a line of help."""
        word = {Kind.GROUP: "group", Kind.SELECT: "select ..."}.get(self.kind, self.kind.value)
        return f"[{word}]" if self.optional else f"<{word}>"


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its fixed words, then its arguments."""

    words: tuple[str, ...]
    help: str
    arguments: tuple[Argument, ...] = ()

    @property
    def name(self) -> str:
        """The fixed words as one string."""
        return " ".join(self.words)

    @property
    def usage(self) -> str:
        """How the command is written."""
        return " ".join((*self.words, *(argument.usage for argument in self.arguments)))


def _command(name: str, summary: str, *arguments: Argument) -> Command:
    return Command(tuple(name.split()), summary, arguments)


_GROUP, _NODE, _SERVICE = Argument(Kind.GROUP), Argument(Kind.NODE), Argument(Kind.SERVICE)
_ANY_GROUP = Argument(Kind.GROUP, optional=True)
_ANY_NODE = Argument(Kind.NODE, optional=True)

COMMANDS: tuple[Command, ...] = (
    _command("run sql", "ask the cluster's tables, read-only", Argument(Kind.SELECT)),
    _command("show network cluster", "list the servers of the cluster"),
    _command("utils ha failover", "move the users of a node to its peer", _NODE),
    _command("utils ha fallback", "move the users of a node back to it", _NODE),
    _command("utils ha recover", "restart SRM on both nodes of a failed group", _GROUP),
    _command("utils ha status", "show the state of the nodes of a group, or of all", _ANY_GROUP),
    _command("utils service list", "show the services of a node", _ANY_NODE),
    _command("utils service restart", "restart a service of a node", _SERVICE, _ANY_NODE),
    _command("utils service start", "start a service of a node", _SERVICE, _ANY_NODE),
    _command("utils service stop", "stop a service of a node", _SERVICE, _ANY_NODE),
    _command("utils system poweron", "switch a node on", _NODE),
    _command("utils system restart", "restart a node", _NODE),
    _command("utils system shutdown", "shut a node down", _NODE),
)

# Understood by the prompt itself.
LEAVE = ("exit", "quit")
HELP = ("help", "?")
