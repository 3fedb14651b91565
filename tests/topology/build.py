"""Topologies for the tests, of any size."""

from dataclasses import dataclass

from redundancy.selectors.cluster import Cluster, ClusterGroup, Face, Outline, Users
from redundancy.selectors.cluster import ClusterNode as Node
from redundancy.selectors.hearing import Ear, Sound
from redundancy.selectors.presence import Presence
from topology import choice
from topology.choice import MapQuery, Part
from topology.model import Topology, build_map

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


def face(node: Node) -> Face:
    """Return a node at a glance."""
    sound = node.ear.sound if node.ear else None
    return Face(node.server_id, node.name, node.state, node.reason, node.tone, sound)


@dataclass(frozen=True)
class Whole:
    """All groups and nodes of a cluster, as a survey has them."""

    groups: tuple[ClusterGroup, ...]
    loose: tuple[Node, ...] = ()
    homeless: int = 0

    @property
    def outlines(self) -> list[Outline]:
        """All at a glance."""
        return [
            *(
                Outline(each.group_id, each.name, each.ha_enabled, tuple(map(face, each.nodes)))
                for each in self.groups
            ),
            *(Outline(None, each.name, False, (face(each),)) for each in self.loose),
        ]

    def shown(self, outlines: tuple[Outline, ...]) -> Topology:
        """Return the topology of these."""
        nodes = [node for each in self.groups for node in each.nodes] + list(self.loose)
        users = Users(
            sum(node.assigned for node in nodes),
            self.homeless,
            sum(node.presence.active for node in nodes),
            sum(node.presence.waiting for node in nodes),
        )
        groups = {each.group_id: each for each in self.groups}
        loose = {each.server_id: each for each in self.loose}
        some = Cluster(
            tuple(groups[each.group_id] for each in outlines if each.group_id is not None),
            tuple(loose[each.nodes[0].server_id] for each in outlines if each.group_id is None),
        )
        return build_map(self.outlines, users, some)

    def choose(self, query: MapQuery) -> Part:
        """Return the part that ``query`` asks for."""
        chosen = choice.choose(self.outlines, query)
        return choice.part_of(chosen, self.shown(chosen.outlines))


def topology(*groups: ClusterGroup, loose: tuple[Node, ...] = (), homeless: int = 0) -> Topology:
    """Return the topology of these groups and nodes without one."""
    whole = Whole(groups, loose, homeless)
    return whole.shown(tuple(whole.outlines))


def many(groups: int, unassigned: int = 0) -> Whole:
    """Return ``groups`` pairs and some nodes without a group."""
    pairs = (group(n, node(2 * n + 1), node(2 * n + 2)) for n in range(groups))
    loose = tuple(node(100_000 + n, ear=None) for n in range(unassigned))
    return Whole(tuple(pairs), loose)


def cluster(groups: int, unassigned: int = 0) -> Topology:
    """Return the topology of so many."""
    whole = many(groups, unassigned)
    return whole.shown(tuple(whole.outlines))
