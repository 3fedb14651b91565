"""A snapshot as its page shows it: cells with their places, findings by risk, explanations, readiness."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from redundancy.catalog import PARAMETERS
from redundancy.cluster import reads
from redundancy.cluster.document import Unusable, place_of, rest_of, users_told
from redundancy.cluster.explaining import Explained, explained, number_of
from redundancy.cluster.facts import Place
from redundancy.cluster.findings import Finding
from redundancy.cluster.reader.reading import Reading
from redundancy.cluster.readiness import Readiness, Ready, readiness
from redundancy.cluster.report import missing
from redundancy.cluster.snapshot import NOWHERE, Node, Snapshot, Value
from redundancy.models import ClusterSnapshot
from redundancy.selectors.wording import TONES
from redundancy.srm.states import NOT_RESPONDING, State
from redundancy.srm.words import from_text, mark, say

_READY_TONES = {Ready.YES: "ok", Ready.NO: "bad", Ready.UNKNOWN: "unseen"}
# Values that are words of ours and of the vendor's, shown by their names in the reader's language.
_WORDS = (mark("on"), mark("off"), mark("yes"), mark("no"), mark("Publisher"), mark("Subscriber"))
NOT_TOLD = say("not told")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with its place; ``value`` None: not told. ``word``: whether it is one of the known words."""

    value: Value | None
    tone: str = ""
    word: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its name and its cells."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Nodes side by side, and what is told of each."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Risk:
    """What is at risk, and the findings that say so."""

    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a node may be restarted, and the tone of the answer."""

    readiness: Readiness
    tone: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group: what its states mean, and its nodes."""

    explained: Explained
    ha: Cell
    states: tuple[tuple[Node, Cell, Cell], ...]
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """A line that was not understood."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Unused:
    """Columns that are not read."""

    columns: str
    rows: int
    place: Place


@dataclass(frozen=True, slots=True)
class Rest:
    """What was not understood of an input, or not read. ``number``: of all such lines."""

    lines: int
    number: int
    cut: int
    dropped: int
    refused: tuple[tuple[str, str], ...]
    missed: tuple[Missed, ...]
    unused: tuple[Unused, ...]
    event_lines: int

    @property
    def understood(self) -> int:
        """Lines that were understood, or empty."""
        return self.lines - self.number


@dataclass(frozen=True, slots=True)
class Shown:
    """A snapshot as it is shown."""

    snapshot: Snapshot
    groups: tuple[Group, ...]
    risks: tuple[Risk, ...]
    found: int
    missing: tuple[str, ...]
    assumed: tuple[str, ...]
    nodes: Table
    services: Table
    parameters: Table
    users: tuple[tuple[str, int], ...]
    listed: int
    unassigned: int


def shown(row: ClusterSnapshot) -> Shown:
    """Return what the page shows of a snapshot. Raises Unusable."""
    snapshot, found, document = reads.face(row)
    listed, per_node = users_told(document)
    users = dict(per_node) if listed else None
    nodes = list(snapshot.nodes.values())
    presence = [node for node in nodes if node.is_presence]
    return Shown(
        snapshot=snapshot,
        groups=tuple(_groups(snapshot, users)),
        risks=tuple(
            Risk(risk.title, tuple(several))
            for risk, several in groupby(found, key=lambda each: each.risk)
        ),
        found=len(found),
        missing=tuple(each for each in missing(snapshot) if each != "users" or not listed),
        assumed=tuple(_assumed(snapshot)),
        nodes=_nodes(nodes),
        services=_several(presence, lambda node: node.services, _service),
        parameters=_parameters(snapshot, presence),
        users=tuple((name, number) for name, number in sorted(per_node.items()) if name != NOWHERE),
        listed=listed,
        unassigned=per_node.get(NOWHERE, 0),
    )


def _groups(snapshot: Snapshot, users: dict[str, int] | None) -> Iterator[Group]:
    for group in snapshot.groups.values():
        judged = [readiness(snapshot, group, node, users) for node in snapshot.pair(group)]
        yield Group(
            explained(snapshot, group),
            _word(group.ha),
            tuple(
                (node, _state(node), Cell(node.reason, word=True)) for node in snapshot.pair(group)
            ),
            tuple(Judged(each, _READY_TONES[each.ready]) for each in judged),
        )


def _state(node: Node) -> Cell:
    if node.state is None:
        return Cell(None)
    if node.state.disputed:
        return Cell(node.state, "unseen", word=True)
    if node.state.text == NOT_RESPONDING:
        return Cell(node.state, "bad", word=True)
    try:
        return Cell(node.state, TONES[State(node.state.text)], word=True)
    except ValueError:
        return Cell(node.state, word=True)


def _word(value: Value | None) -> Cell:
    return Cell(value, word=True)


def _nodes(nodes: Sequence[Node]) -> Table:
    lines: list[tuple[str, Callable[[Node], Cell]]] = [
        (say("Product"), lambda node: Cell(node.product)),
        (say("Group"), lambda node: Cell(node.group)),
        (say("State"), _state),
        (say("Reason"), lambda node: _word(node.reason)),
        (say("Version"), lambda node: Cell(node.version)),
        (say("Address"), lambda node: Cell(node.address)),
        (say("Full name"), lambda node: Cell(node.fqdn)),
        (say("Database role"), lambda node: _word(node.role)),
        (say("Reached"), lambda node: _word(node.reached)),
        (say("Clock"), lambda node: Cell(node.clock)),
        (say("Time zone"), lambda node: Cell(node.time_zone)),
        (say("Up for"), lambda node: Cell(node.up)),
        (say("Connected since"), lambda node: Cell(node.connected_since)),
    ]
    rows = [Row(name, tuple(cell(node) for node in nodes)) for name, cell in lines]
    counters = _several(nodes, lambda node: node.counters, Cell).rows
    told = [row for row in rows if any(cell.value is not None for cell in row.cells)]
    return Table(tuple(node.name for node in nodes), (*told, *counters))


def _service(value: Value | None) -> Cell:
    if value is None:
        return Cell(None)
    if value.disputed:
        return Cell(value, "unseen")
    if value.text == "STARTED":
        return Cell(value, "ok")
    return Cell(value, "off" if "Service Not Activated" in value.text else "bad")


def _several(
    nodes: Sequence[Node],
    values: Callable[[Node], Mapping[str, Value]],
    cell: Callable[[Value | None], Cell],
) -> Table:
    """Return a table of everything that one of the nodes has, by name."""
    having = [node for node in nodes if values(node)]
    names = dict.fromkeys(name for node in having for name in values(node))
    rows = [Row(name, tuple(cell(values(node).get(name)) for node in having)) for name in names]
    return Table(tuple(node.name for node in having), tuple(rows))


def _parameters(snapshot: Snapshot, nodes: Sequence[Node]) -> Table:
    own = _several(nodes, lambda node: node.parameters, Cell)
    if not snapshot.parameters:
        return own
    empty = (Cell(None),) * len(own.heads)
    rows = [Row(name, (Cell(value), *empty)) for name, value in snapshot.parameters.items()]
    rows += [Row(row.name, (Cell(None), *row.cells)) for row in own.rows]
    return Table((say("Clusterwide"), *own.heads), tuple(rows))


def _assumed(snapshot: Snapshot) -> Iterator[str]:
    """Yield which parameters of SRM are not told, and so taken to be the vendor's defaults."""
    for parameter in PARAMETERS:
        told = number_of(snapshot.parameters.get(parameter.name)) is not None
        if parameter.unit == "s" and not parameter.per_node and not told:
            yield say(
                "{parameter}: {default} s, the vendor's default",
                parameter=parameter.name,
                default=parameter.default,
            )


def rest_of_row(row: ClusterSnapshot) -> Rest | None:
    """Return what was not understood when a snapshot was read; None where it cannot be used."""
    try:
        return _rest(reads.rest(row))
    except (Unusable, KeyError, IndexError, TypeError, ValueError):
        return None


def rest_of_reading(reading: Reading) -> Rest:
    """Return what was not understood of a reading."""
    return _rest(rest_of(reading))


def _rest(rest: Mapping[str, Any]) -> Rest:
    return Rest(
        lines=rest["lines"],
        number=rest["missed_lines"],
        cut=rest["cut_lines"],
        dropped=rest["dropped"],
        refused=tuple((file, from_text(rule)) for file, rule in rest["refused"]),
        missed=tuple(
            Missed(text, place_of(rest, file, line)) for text, file, line in rest["missed"]
        ),
        unused=tuple(
            Unused(", ".join(columns), rows, place_of(rest, file, line))
            for columns, rows, file, line in rest["unused"]
        ),
        event_lines=rest["event_lines"],
    )
