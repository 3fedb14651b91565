"""What a text tells, one value at a time: of what, which value, and where it stands. Pure."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file and line, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


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
