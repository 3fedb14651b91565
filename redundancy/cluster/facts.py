"""What a text tells, one value at a time: of what, which value, and where it stands. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from redundancy.srm.words import Said, mark


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file and line, counted from 1; 0: it is no file, but the lab."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Of(StrEnum):
    """What a fact is about."""

    GROUP = "group"
    NODE = "node"
    SERVICE = "service"
    COUNTER = "counter"
    PARAMETER = "parameter"
    USER = "user"
    USERS = "users"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value. ``subject``: a group, a node (empty: the one that was asked), a user; ``field``: which value of it."""

    of: Of
    subject: str
    field: str
    value: str
    place: Place

    @property
    def key(self) -> tuple[Of, str, str]:
        """What the value is of; two facts with one key say the same or contradict each other."""
        return self.of, self.subject, self.field


# What values are called where a sentence is made of them; services, counters and parameters have their own names.
_CALLED = frozenset(
    {
        mark("state"),
        mark("reason"),
        mark("group"),
        mark("version"),
        mark("address"),
        mark("fqdn"),
        mark("product"),
        mark("role"),
        mark("reached"),
        mark("time zone"),
        mark("listed"),
        mark("id"),
        mark("server id"),
        mark("group id"),
        mark("peer id"),
        mark("ha"),
        mark("all"),
        mark("services"),
        mark("counters"),
        mark("parameters"),
        mark("clusterwide parameters"),
        mark("groups"),
        mark("users"),
        mark("assigned node"),
        mark("users of a node id"),
        mark("High Availability"),
    }
)


def called(field: str) -> str:
    """Return what a field is called, to be shown in the reader's language."""
    return Said(field) if field in _CALLED else field


@dataclass(frozen=True, slots=True)
class Event:
    """A line of an SRM trace. ``at``: as it is written there; ``what``: its kind; ``detail``: its values."""

    at: str
    what: str
    detail: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Unused:
    """A table whose columns are none of those that are read here, or columns of one that are not."""

    columns: tuple[str, ...]
    rows: int
    place: Place
