"""Topologies for the tests, of any size."""

from redundancy.selectors.presence import Presence
from topology.model import Group, Node, Topology


def node(number: int, **changes: object) -> Node:
    """Return a healthy node; ``changes`` replace its fields."""
    fields: dict[str, object] = {
        "server_id": number,
        "name": f"imp-{number}.example.com",
        "is_publisher": number == 1,
        "assigned": 500,
        "presence": Presence(500),
        "state": "Normal",
        "reason": "Normal",
        "tone": "ok",
    }
    return Node(**(fields | changes))  # type: ignore[arg-type]


def group(number: int, *nodes: Node, ha_enabled: bool = True, name: str = "") -> Group:
    """Return a group of the given nodes."""
    return Group(number, name or f"group-{number}", ha_enabled, nodes)


def cluster(groups: int, unassigned: int = 0) -> Topology:
    """Return ``groups`` pairs and some nodes without a group."""
    pairs = tuple(group(n, node(2 * n + 1), node(2 * n + 2)) for n in range(groups))
    loose = tuple(node(100_000 + n) for n in range(unassigned))
    return Topology(pairs, loose)
