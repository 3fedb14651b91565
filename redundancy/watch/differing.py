"""Whether a cluster is another one than when it was kept: of what is told, without what always passes. Pure."""

import json
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from redundancy.cluster.comparing import minutes_up
from redundancy.cluster.snapshot import Node, Snapshot, Value

# Of a node what is told of it; not its clock, for how long it runs, and counters, which are different at each look.
_FIELDS = (
    "group", "state", "reason", "version", "address", "fqdn", "product", "role", "reached", "time_zone",
)  # fmt: skip
# By how much the moment of a start may be off, as clocks and uptimes are told in minutes and seconds.
JITTER = timedelta(minutes=5)


def differs(before: Snapshot, after: Snapshot) -> bool:
    """Return whether ``after`` tells something else than ``before``, or that a node was restarted in between."""
    return _essence(before) != _essence(after) or restarted(before, after)


def restarted(before: Snapshot, after: Snapshot) -> bool:
    """Return whether a node is told to have started later than it was told before."""
    for name, node in after.nodes.items():
        earlier = before.nodes.get(name)
        one, two = (None if each is None else _started(each) for each in (earlier, node))
        if one is not None and two is not None and two > one + JITTER:
            return True
    return False


def _started(node: Node) -> datetime | None:
    """Return when a node started, by its own clock; None where that is not told."""
    if node.clock is None or node.up is None or node.clock.disputed or node.up.disputed:
        return None
    try:
        return datetime.fromisoformat(node.clock.text) - timedelta(minutes=minutes_up(node.up))
    except (ValueError, OverflowError):
        return None


def _essence(snapshot: Snapshot) -> str:
    """Return a short text that is another one when something else is told, wherever it stands."""
    told: dict[str, Any] = {
        "groups": {
            name: [_text(group.ha), list(group.nodes)] for name, group in snapshot.groups.items()
        },
        "nodes": {name: _node(node) for name, node in snapshot.nodes.items()},
        "parameters": _texts(snapshot.parameters),
        "users": {key: user.node for key, user in snapshot.users.items()},
        "all users": _text(snapshot.all_users),
        "loose": sorted(each.what for each in snapshot.loose),
    }
    return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()


def _node(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {name: _text(getattr(node, name)) for name in _FIELDS}
    # Of counters only which there are.
    return found | {
        "services": _texts(node.services),
        "parameters": _texts(node.parameters),
        "counters": sorted(node.counters),
    }


def _texts(values: Any) -> dict[str, Any]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: Value | None) -> list[Any] | None:
    return None if value is None else [value.text, value.disputed]
