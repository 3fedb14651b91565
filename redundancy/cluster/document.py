"""A snapshot as JSON, to be kept and read again: with a version, in two parts, packed. Pure.

The first part is all but the users, with the number of users of each node; the second part is the users. A
document of a later version is refused, one of an earlier version is read.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from redundancy.cluster.facts import Place
from redundancy.cluster.findings import Finding, Kind, Risk
from redundancy.cluster.reader.reading import Reading
from redundancy.cluster.snapshot import Dispute, Group, Loose, Node, Snapshot, User, Value
from redundancy.srm.words import Said, from_text, to_text

VERSION = 1
# Bytes of a part, unpacked.
LARGEST = 64 * 1024 * 1024
_SINGLE = (
    "group", "state", "reason", "version", "address", "fqdn", "product", "role", "reached", "connected_since",
    "clock", "time_zone", "up",
)  # fmt: skip
_MANY = ("services", "counters", "parameters")


class Unusable(Exception):
    """What is kept is no document that is read here; its text says why."""


def pack(data: Any) -> bytes:
    """Return JSON, packed."""
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 6)


def unpack(data: bytes | memoryview) -> Any:
    """Return what was packed; Unusable when it is damaged or too large."""
    opened = zlib.decompressobj()
    try:
        text = opened.decompress(bytes(data), LARGEST)
        if opened.unconsumed_tail or not opened.eof:
            raise Unusable("It is too large, or ends before its end.")
        return json.loads(text)
    except (zlib.error, ValueError) as error:
        raise Unusable(str(error)) from None


# --- out -----------------------------------------------------------------------------------------


class _Files:
    """Numbers for the names of files."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}

    def place(self, place: Place) -> list[int]:
        return [self.names.setdefault(place.file, len(self.names)), place.line]

    def value(self, value: Value | None) -> list[Any] | None:
        if value is None:
            return None
        told = [value.text, *self.place(value.place)]
        return [*told, 1] if value.disputed else told

    def values(self, values: Mapping[str, Value]) -> dict[str, Any]:
        return {name: self.value(value) for name, value in values.items()}


def document_of(snapshot: Snapshot, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return all of a snapshot but its users, and what was found in it, as JSON takes it."""
    files = _Files()
    found = {
        "version": VERSION,
        "taken": _moment(snapshot.taken),
        "until": _moment(snapshot.until),
        "read": list(snapshot.files),
        "groups": [
            [each.name, files.place(each.place), files.value(each.ha), list(each.nodes)]
            for each in snapshot.groups.values()
        ],
        "nodes": [
            {
                "name": node.name,
                **{
                    name: files.value(value)
                    for name in _SINGLE
                    if (value := getattr(node, name)) is not None
                },
                **{name: files.values(getattr(node, name)) for name in _MANY},
            }
            for node in snapshot.nodes.values()
        ],
        "parameters": files.values(snapshot.parameters),
        "all_users": files.value(snapshot.all_users),
        "users": {"listed": len(snapshot.users), "per_node": snapshot.users_per_node()},
        "disputes": [
            [each.what, each.field, files.value(each.first), files.value(each.second), each.changed]
            for each in snapshot.disputes
        ],
        "loose": [[each.what, each.number, files.place(each.place)] for each in snapshot.loose],
        "backwards": [
            [files.place(place), one.isoformat(), two.isoformat()]
            for place, one, two in snapshot.backwards
        ],
        "findings": [_finding(each, files) for each in findings],
    }
    return found | {"files": list(files.names)}


def people_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return the users of a snapshot as JSON takes them."""
    files = _Files()
    nodes: dict[str | None, int] = {}
    rows = [
        [user.name, nodes.setdefault(user.node, len(nodes)), *files.place(user.place)]
        for user in snapshot.users.values()
    ]
    return {"version": VERSION, "files": list(files.names), "nodes": list(nodes), "users": rows}


def rest_of(reading: Reading) -> dict[str, Any]:
    """Return what a reading told of no cluster: lines not understood, columns not read, files refused."""
    files = _Files()
    found = {
        "version": VERSION,
        "lines": reading.lines,
        "missed_lines": reading.missed_lines,
        "cut_lines": reading.cut_lines,
        "dropped": reading.dropped,
        "refused": [[file, to_text(rule)] for file, rule in reading.refused],
        "missed": [[each.text, *files.place(each.place)] for each in reading.missed],
        "unused": [
            [list(each.columns), each.rows, *files.place(each.place)] for each in reading.unused
        ],
        "event_lines": reading.event_lines,
        "events": [
            [each.at, each.what, list(each.detail), *files.place(each.place)]
            for each in reading.events
        ],
    }
    return found | {"files": list(files.names)}


def _finding(finding: Finding, files: _Files) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "risk": int(finding.risk),
        "fields": {
            name: [to_text(value)] if isinstance(value, Said) else value
            for name, value in finding.fields.items()
        },
        "places": [files.place(place) for place in finding.places],
        "advice": to_text(finding.advice),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


# --- in ------------------------------------------------------------------------------------------


class _Named:
    """The names of files for their numbers."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def place(self, told: Sequence[int]) -> Place:
        return Place(self._names[told[0]], told[1])

    def value(self, told: Sequence[Any] | None) -> Value | None:
        return None if told is None else self.certain(told)

    def certain(self, told: Sequence[Any]) -> Value:
        return Value(told[0], self.place(told[1:3]), len(told) > 3)

    def values(self, told: Mapping[str, Sequence[Any]]) -> dict[str, Value]:
        return {name: self.certain(value) for name, value in told.items()}


def snapshot_from(document: Mapping[str, Any], people: Mapping[str, Any] | None = None) -> Snapshot:
    """Return a snapshot; without ``people`` it has no users, and ``users_told`` tells their numbers.

    Raises:
        Unusable: It is of a later version, or no document of a snapshot.

    """
    _check(document)
    try:
        return _snapshot_from(document, {} if people is None else users_from(people))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Unusable(f"{type(error).__name__}: {error}") from None


def _snapshot_from(document: Mapping[str, Any], users: Mapping[str, User]) -> Snapshot:
    files = _Named(document["files"])
    groups = {
        name: Group(name, files.place(place), files.value(ha), tuple(nodes))
        for name, place, ha, nodes in document["groups"]
    }
    nodes = {}
    for each in document["nodes"]:
        single = {name: files.value(each[name]) for name in _SINGLE if name in each}
        many = {name: files.values(each[name]) for name in _MANY}
        nodes[each["name"]] = Node(each["name"], **single, **many)  # type: ignore[arg-type]
    return Snapshot(
        taken=_read_moment(document["taken"]),
        files=tuple(document["read"]),
        groups=groups,
        nodes=nodes,
        parameters=files.values(document["parameters"]),
        users=users,
        all_users=files.value(document["all_users"]),
        disputes=tuple(
            Dispute(what, field, files.certain(first), files.certain(second), changed)
            for what, field, first, second, changed in document["disputes"]
        ),
        loose=tuple(
            Loose(what, number, files.place(place)) for what, number, place in document["loose"]
        ),
        until=_read_moment(document["until"]),
        backwards=tuple(
            (files.place(place), datetime.fromisoformat(one), datetime.fromisoformat(two))
            for place, one, two in document["backwards"]
        ),
    )


def users_from(people: Mapping[str, Any]) -> dict[str, User]:
    """Return the users by their names in small letters; Unusable as for ``snapshot_from``."""
    _check(people)
    try:
        files, nodes = _Named(people["files"]), people["nodes"]
        return {
            name.lower(): User(name, nodes[node], files.place((file, line)))
            for name, node, file, line in people["users"]
        }
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Unusable(f"{type(error).__name__}: {error}") from None


def users_told(document: Mapping[str, Any]) -> tuple[int, Counter[str]]:
    """Return how many users were listed, and how many of them are assigned to each node (NOWHERE: to none)."""
    users = document["users"]
    return users["listed"], Counter(users["per_node"])


def findings_from(document: Mapping[str, Any]) -> list[Finding]:
    """Return what was found when it was read, in the order it was found."""
    files = _Named(document["files"])
    return [
        Finding(
            Kind(each["kind"]),
            Risk(each["risk"]),
            {k: from_text(v[0]) if isinstance(v, list) else v for k, v in each["fields"].items()},
            tuple(files.place(place) for place in each["places"]),
            from_text(each["advice"]) if each["advice"] else "",
        )
        for each in document["findings"]
    ]


def place_of(rest: Mapping[str, Any], file: int, line: int) -> Place:
    """Return a place of ``rest_of``."""
    return Place(rest["files"][file], line)


def _check(part: Mapping[str, Any]) -> None:
    version = part.get("version") if isinstance(part, Mapping) else None
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise Unusable(f"It is of version {version}, and up to {VERSION} can be read here.")


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
