"""Topologies for the tests, of any size."""

from redundancy.selectors.cluster import Cluster, ClusterGroup, Ear, Sound
from redundancy.selectors.cluster import ClusterNode as Node
from redundancy.selectors.presence import Presence
from topology.model import Topology
from topology.model import build_map as build_topology

HEARD = Ear(Sound.HEARD, 1000.0, heard_back=True)
LATE = Ear(Sound.LATE, 960.0, heard_back=True)
SILENT = Ear(Sound.SILENT, 900.0, heard_back=True)
WAITING, DEAF, UNSEEN = Ear(Sound.WAITING), Ear(Sound.DEAF), Ear(Sound.UNSEEN)


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
        "ear": HEARD,
    }
    return Node(**(fields | changes))  # type: ignore[arg-type]


def group(number: int, *nodes: Node, ha_enabled: bool = True, name: str = "") -> ClusterGroup:
    """Return a group of the given nodes."""
    return ClusterGroup(number, name or f"group-{number}", ha_enabled, nodes)


def topology(*groups: ClusterGroup, loose: tuple[Node, ...] = (), homeless: int = 0) -> Topology:
    """Return the topology of these groups and nodes without one."""
    return build_topology(Cluster(groups, loose, homeless))


def cluster(groups: int, unassigned: int = 0) -> Topology:
    """Return ``groups`` pairs and some nodes without a group."""
    pairs = (group(n, node(2 * n + 1), node(2 * n + 2)) for n in range(groups))
    loose = tuple(node(100_000 + n, ear=None) for n in range(unassigned))
    return topology(*pairs, loose=loose)
