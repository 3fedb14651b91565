"""What a command is: how it is written, what it does, and one run of it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from redundancy.errors import Refused
from redundancy.models import RedundancyGroup, Server
from redundancy.selectors import groups, nodes
from redundancy.selectors.find import Criterion
from redundancy.selectors.servers import publisher

# Understood by the prompt itself.
LEAVE = ("exit", "quit")
HELP = ("help", "?")


class Kind(Enum):
    """What an argument names. The value is its word in the usage of a command."""

    GROUP = "group"
    NODE = "node"
    # Its name may be several words.
    SERVICE = "service"
    # Everything up to the end of the line, as it is.
    SELECT = "select ..."

    @property
    def title(self) -> str:
        """The kind in a sentence."""
        longer = {Kind.GROUP: "presence redundancy group", Kind.SELECT: "SELECT statement"}
        return longer.get(self, self.value)


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a command.

    ``actor``: who gave it. ``warn``: takes what is worth knowing but no part of the output.
    ``confirm``: asks whether to go on all the same.
    """

    values: dict[Kind, str]
    actor: str
    warn: Callable[[str], None]
    confirm: Callable[[], bool]

    @property
    def node(self) -> Server:
        """The node that was named."""
        name = self.values[Kind.NODE]
        found = nodes.nodes().select_related("group").filter(name__iexact=name).first()
        if found is None:
            raise Refused(f"There is no IM and Presence node {name[:60]!r}.")
        return found

    @property
    def node_or_publisher(self) -> Server:
        """The node that was named, or else the publisher."""
        if Kind.NODE in self.values:
            return self.node
        found = publisher()
        if found is None:
            raise Refused("There is no IM and Presence node yet.")
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
    it may be left out. ``do``: carries a call out and gives the output line by line.
    """

    usage: str
    help: str
    do: Do

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
