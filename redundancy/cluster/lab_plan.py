"""What a lab made of a snapshot will be: its rows, what was assumed, and what cannot be carried over. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from redundancy.cluster.facts import Place
from redundancy.srm.states import Reason, State
from redundancy.srm.words import say

# How the nodes begin, in an address and a form: in the states that are told; else they start.
AS_TOLD = "as-told"
# A text as it is stored, and the rule that it breaks: empty where it breaks none.
Judged = tuple[str, str]
Judge = Callable[[str], Judged]


@dataclass(frozen=True, slots=True)
class Judges:
    """The rules of the lab for single texts. ``parameter`` and ``enterprise``: the key first, then the text."""

    server_name: Judge
    group_name: Judge
    version: Judge
    ipv4_address: Judge
    domain: Judge
    userid: Judge
    im_address: Judge
    parameter: Callable[[str, str], Judged]
    enterprise: Callable[[str, str], Judged]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most IM and Presence servers and groups that the lab may have."""

    servers: int
    groups: int


class Sort(StrEnum):
    """What a note tells. The value is its name in JSON."""

    BEGINS = "begins"
    ASSUMED = "assumed"
    LEFT_OUT = "left-out"

    @property
    def heading(self) -> str:
        """The sort in words."""
        return _TITLES[self]


_TITLES: dict[Sort, str] = {
    Sort.BEGINS: say("How it begins"),
    Sort.ASSUMED: say("Assumed"),
    Sort.LEFT_OUT: say("Not carried over"),
}


@dataclass(frozen=True, slots=True)
class Note:
    """Something that whoever applies the plan has to know, and where it stands."""

    sort: Sort
    sentence: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no lab can be made: of what, and the rule."""

    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class PlannedService:
    """A service of a node."""

    activated: bool
    running: bool


@dataclass(frozen=True, slots=True)
class PlannedServer:
    """A server. ``slot``: 1 or 2, its place in ``group``; ``parameters``: by their keys, those that are no defaults.

    ``state``, ``reason``: those in which its SRM may begin; None: it starts.
    """

    name: str
    presence: bool
    publisher: bool = False
    group: str | None = None
    slot: int | None = None
    version: str = ""
    address: str = ""
    domain: str = ""
    powered: bool = True
    srm_running: bool = True
    services: Mapping[str, PlannedService] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    state: State | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A presence redundancy group. ``as_told``: its nodes can begin in the states that are told.

    ``holder``: the node that serves everybody then; empty: each its own users.
    """

    name: str
    ha: bool
    nodes: tuple[str, ...]
    as_told: bool = False
    holder: str = ""


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """A user; ``node``: assigned to, empty for none."""

    name: str
    address: str
    node: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A lab. With ``refusals`` it cannot be made, and its rows mean nothing."""

    servers: tuple[PlannedServer, ...] = ()
    groups: tuple[PlannedGroup, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    enterprise: Mapping[str, str] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    users: tuple[PlannedUser, ...] = ()
    notes: tuple[Note, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def nodes(self) -> tuple[PlannedServer, ...]:
        """The IM and Presence servers."""
        return tuple(server for server in self.servers if server.presence)
