"""What a command is: how it is written, what it does, and one run of it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from time import sleep

from redundancy.errors import Refused
from redundancy.models import RedundancyGroup, Server
from redundancy.selectors import groups, nodes
from redundancy.selectors.find import Criterion
from redundancy.selectors.servers import publisher

# Understood by the prompt itself.
LEAVE = ("exit", "quit")
HELP = ("help", "?")


class Style(StrEnum):
    """How ``utils ha status`` is printed: as the vendor's guide shows it, or as public scripts read it."""

    GUIDE = "guide"
    FIELD = "field"


@dataclass(slots=True)
class Session:
    """What is set for one conversation.

    ``style``: the dialect of ``utils ha status``. ``paged``: whether output stops after each page. ``idle``:
    seconds without a key after which it ends. Both are None where there is no such thing.
    """

    style: Style
    paged: bool | None = None
    idle: float | None = None


class Kind(Enum):
    """What an argument names. The value is its word in the usage of a command."""

    GROUP = "group"
    NODE = "node"
    # Its name may be several words.
    SERVICE = "service"
    # Of performance counters: their object, and their name.
    OBJECT = "object"
    COUNTER = "counter"
    MINUTES = "minutes"
    DAYS = "days"
    PATH = "path"
    # Any of the words that the command knows.
    OPTIONS = "options"
    # Everything up to the end of the line, as it is.
    SELECT = "select ..."

    @property
    def title(self) -> str:
        """The kind in a sentence."""
        longer = {
            Kind.GROUP: "presence redundancy group",
            Kind.MINUTES: "number of minutes",
            Kind.DAYS: "number of days",
            Kind.SELECT: "SELECT statement",
        }
        return longer.get(self, self.value)


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a command.

    ``actor``: who gave it. ``warn``: takes what is worth knowing but no part of the output.
    ``confirm``: asks whether to go on all the same. ``session``: the conversation it belongs to.
    ``look``: shows a page with a question below it and returns one of the keys that it was given; None where
    nobody looks. ``pause``: waits for real seconds, or until the command is given up.
    ``here``: the key of the node that the command is given on; None: of no one node.
    """

    values: dict[Kind, str]
    actor: str
    warn: Callable[[str], None]
    confirm: Callable[[], bool]
    session: Session
    look: Callable[[Sequence[str], str, str], str] | None = None
    pause: Callable[[float], None] = sleep
    here: int | None = None

    @property
    def node(self) -> Server:
        """The node that was named: by its name, or its host name alone or with a domain."""
        return nodes.find_node(self.values[Kind.NODE])

    @property
    def node_or_publisher(self) -> Server:
        """The node that was named, or else the one that the command is given on, or the publisher."""
        if Kind.NODE in self.values:
            return self.node
        if self.here is not None:
            if here := nodes.node(self.here):
                return here
            raise Refused("This node was deleted.")
        found = publisher()
        if found is None:
            raise Refused("There is no IM and Presence node yet.")
        return found

    @property
    def running_node(self) -> Server:
        """The same, refused where it has no power: it answers nothing."""
        found = self.node_or_publisher
        if not found.machine.powered:
            raise Refused(f"{found.name} has no power; it does not answer.")
        return found

    @property
    def group(self) -> RedundancyGroup:
        """The group that was named."""
        name = self.values[Kind.GROUP]
        found = groups.find_groups([Criterion("name", "exactly", name)]).first()
        if found is None:
            raise Refused(f"There is no presence redundancy group {name[:60]!r}.")
        return found


Do = Callable[[Call], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    ``usage``: its fixed words, then its arguments by their kinds: ``<node>``, or ``[node]`` where
    it may be left out. ``do``: carries a call out and gives the output line by line. ``writes``:
    whether it changes anything, which not every role may. ``options``: the words of ``[options]``.
    """

    usage: str
    help: str
    do: Do
    writes: bool = True
    options: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The fixed words."""
        return tuple(re.split(r"[<[]", self.usage)[0].split())

    @property
    def arguments(self) -> dict[Kind, bool]:
        """The arguments in their order, and whether each may be left out."""
        found = re.findall(r"([<[])([^]>]+)", self.usage)
        return {Kind(word): bracket == "[" for bracket, word in found}

    @property
    def takes_statement(self) -> bool:
        """Whether all that follows the words is one statement, taken as it is."""
        return Kind.SELECT in self.arguments
