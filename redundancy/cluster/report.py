"""A reading as text for people and as data for programs, in English. Pure."""

from collections.abc import Iterator
from typing import Any

from redundancy.cluster.checks import findings
from redundancy.cluster.facts import Place, called
from redundancy.cluster.findings import Finding
from redundancy.cluster.reader.reading import Reading
from redundancy.cluster.snapshot import NOWHERE, Node, Snapshot, Value
from redundancy.srm.words import english, say

# Lines that were not understood, and events, that the text shows; the data has all that are kept.
_SHOWN = 20
_OF_NODE = ("state", "reason", "group", "version", "address", "fqdn", "product", "role", "reached")
_OF_NODE_BESIDE = ("clock", "time_zone", "up", "connected_since")


def text(reading: Reading, snapshots: list[Snapshot]) -> Iterator[str]:
    """Yield the lines of a report."""
    understood = reading.lines - reading.missed_lines
    yield (
        f"Read {len(reading.files):,} file(s), {reading.lines:,} line(s): "
        f"{understood:,} understood or empty, {reading.missed_lines:,} not."
    )
    for file, rule in reading.refused:
        yield f"Not read, or not to its end: {file}: {english(rule)}"
    if reading.cut_lines:
        yield f"Lines that are too long, of which only the beginning was read: {reading.cut_lines:,}."
    if reading.dropped:
        yield f"Values beyond what is kept, which are not in this report: {reading.dropped:,}."
    for number, snapshot in enumerate(snapshots, start=1):
        yield ""
        yield f"Snapshot {number} of {len(snapshots)}, {english(when(snapshot))}"
        yield from _snapshot(snapshot)
    if not snapshots:
        yield "Nothing in it tells of a cluster."
    yield from _rest(reading)


def when(snapshot: Snapshot) -> str:
    """Return when a snapshot was taken, as far as it tells."""
    if snapshot.taken is None:
        return say("time not told")
    return say("taken {moment} by the clock in it", moment=f"{snapshot.taken:%Y-%m-%d %H:%M:%S}")


def _snapshot(snapshot: Snapshot) -> Iterator[str]:
    per_node = snapshot.users_per_node()
    for group in snapshot.groups.values():
        ha = "not told" if group.ha is None else _certain(group.ha)
        yield f"  Group {group.name}: High Availability {ha} ({group.place})"
        for node in snapshot.pair(group):
            yield f"    {_node(node, per_node)}"
    grouped = {name for group in snapshot.groups.values() for name in group.nodes}
    for node in snapshot.nodes.values():
        if node.name not in grouped:
            yield f"  {_node(node, per_node)}"
    for name, value in snapshot.parameters.items():
        yield f"  {name} = {value.text} ({value.place})"
    if snapshot.users:
        yield f"  Users listed: {len(snapshot.users):,}, assigned to no node: {per_node.get(NOWHERE, 0):,}"
    if snapshot.all_users is not None:
        yield f"  Users by a count: {snapshot.all_users.text} ({snapshot.all_users.place})"
    if absent := missing(snapshot):
        yield f"  Not told: {'; '.join(map(english, absent))}"
    found = findings(snapshot)
    yield f"  Findings: {len(found) or 'none, of what is told'}"
    risk = None
    for finding in found:
        if finding.risk is not risk:
            risk = finding.risk
            yield f"  {english(risk.title)}:"
        places = ", ".join(str(place) for place in finding.places)
        yield f"    - {english(finding.sentence)}{f' ({places})' if places else ''}"
        if finding.advice:
            yield f"      {english(finding.advice)}"


def _certain(value: Value) -> str:
    return f"{value.text} (told in two ways)" if value.disputed else value.text


def _node(node: Node, per_node: dict[str, int]) -> str:
    parts = [node.name]
    if node.product is not None and not node.is_presence:
        parts.append(node.product.text)
    if node.state is not None:
        parts.append(_certain(node.state) + (f" ({node.reason.text})" if node.reason else ""))
    if node.version is not None:
        parts.append(f"version {node.version.text}")
    if node.address is not None:
        parts.append(node.address.text)
    if node.services:
        started = sum(value.text == "STARTED" for value in node.services.values())
        parts.append(f"{started} of {len(node.services)} services started")
    if node.name in per_node:
        parts.append(f"{per_node[node.name]:,} users")
    parts += [f"{name} {value.text}" for name, value in node.counters.items()]
    return ", ".join(parts)


def missing(snapshot: Snapshot) -> list[str]:
    """Return what would be needed to judge the cluster, and is not told."""
    presence = [node for node in snapshot.nodes.values() if node.is_presence]
    found = []
    for what in ("state", "version", "services"):
        absent = [node.name for node in presence if not getattr(node, what)]
        if absent:
            names = {"what": called(what), "nodes": ", ".join(absent)}
            found.append(say("{what} of {nodes}", **names))
    found += [
        say("High Availability of {group}", group=group.name)
        for group in snapshot.groups.values()
        if group.ha is None
    ]
    if not snapshot.groups:
        found.append(called("groups"))
    if not snapshot.users:
        found.append(called("users"))
    if not snapshot.parameters:
        own = any(node.parameters for node in presence)
        found.append(called("clusterwide parameters" if own else "parameters"))
    return found


def _rest(reading: Reading) -> Iterator[str]:
    if reading.event_lines:
        yield ""
        yield f"SRM trace: {reading.event_lines:,} line(s) of states, peers and services; the last ones:"
        for event in list(reading.events)[-_SHOWN:]:
            yield f"  {event.at} {event.what}: {', '.join(event.detail)} ({event.place})"
    if reading.unused:
        yield ""
        yield "Columns of tables that are not read:"
        for unused in reading.unused[:_SHOWN]:
            yield f"  {', '.join(unused.columns)}: {unused.rows:,} row(s) ({unused.place})"
    if reading.missed_lines:
        yield ""
        yield f"Not understood: {reading.missed_lines:,} line(s); the first:"
        for missed in reading.missed[:_SHOWN]:
            yield f"  {missed.place}: {missed.text}"


def data(reading: Reading, snapshots: list[Snapshot]) -> dict[str, Any]:
    """Return the reading as JSON has it."""
    return {
        "files": reading.files,
        "lines": reading.lines,
        "not_read": [{"file": file, "rule": english(rule)} for file, rule in reading.refused],
        "lines_cut": reading.cut_lines,
        "values_left_out": reading.dropped,
        "snapshots": [_snapshot_data(snapshot) for snapshot in snapshots],
        "events": [
            {"at": each.at, "what": each.what, "detail": list(each.detail), **_place(each.place)}
            for each in reading.events
        ],
        "unused_columns": [
            {"columns": list(each.columns), "rows": each.rows, **_place(each.place)}
            for each in reading.unused
        ],
        "not_understood": {
            "lines": reading.missed_lines,
            "first": [{"text": each.text, **_place(each.place)} for each in reading.missed],
        },
    }


def _snapshot_data(snapshot: Snapshot) -> dict[str, Any]:
    per_node = snapshot.users_per_node()
    return {
        "taken": None if snapshot.taken is None else snapshot.taken.isoformat(),
        "files": list(snapshot.files),
        "groups": [
            {
                "name": each.name,
                "ha": _value(each.ha),
                "nodes": list(each.nodes),
                **_place(each.place),
            }
            for each in snapshot.groups.values()
        ],
        "nodes": [_node_data(node) for node in snapshot.nodes.values()],
        "parameters": _values(snapshot.parameters),
        "users": {
            "listed": len(snapshot.users),
            "counted": _value(snapshot.all_users),
            "per_node": {name: number for name, number in per_node.items() if name != NOWHERE},
            "unassigned": per_node.get(NOWHERE, 0),
        },
        "not_told": [english(each) for each in missing(snapshot)],
        "findings": [finding_data(each) for each in findings(snapshot)],
    }


def _node_data(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        **{name: _value(getattr(node, name)) for name in (*_OF_NODE, *_OF_NODE_BESIDE)},
        "services": _values(node.services),
        "counters": _values(node.counters),
        "parameters": _values(node.parameters),
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON has it."""
    return {
        "kind": finding.kind.value,
        "risk": finding.risk.name.lower(),
        "fields": {k: english(v) if isinstance(v, str) else v for k, v in finding.fields.items()},
        "sentence": english(finding.sentence),
        "advice": english(finding.advice),
        "places": [_place(place) for place in finding.places],
    }


def _values(values: Any) -> dict[str, Any]:
    return {name: _value(value) for name, value in values.items()}


def _value(value: Value | None) -> dict[str, Any] | None:
    if value is None:
        return None
    disputed = {"disputed": True} if value.disputed else {}
    return {"value": english(value.text), **_place(value.place), **disputed}


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line}
