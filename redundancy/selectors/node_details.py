"""One IM and Presence server as *Node Details* shows it."""

from dataclasses import dataclass

from redundancy.models import RedundancyGroup, Server
from redundancy.selectors import deployed, live, nodes, wording
from redundancy.selectors.deployed import Rooms
from redundancy.selectors.replication import NodeReplication, held_back, of_nodes
from redundancy.selectors.services import ServiceRow, services_of
from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """What can be found out about a node; ``row``: as its group's page shows it.

    ``seen``: whether the nodes are being looked at.
    ``unreadable``: why its services and its SRM cannot be read, a sentence; empty when they can.
    ``srm_silent``: why its SRM, though it could be read, does not report; empty when it does.
    ``held``: what its Data Monitor holds back, and the cure; empty for nothing. ``rooms``: what has
    become of its chat rooms, None where there are none. ``version``: as last known. ``up_since``: lab seconds, None unless it is up.
    """

    row: live.NodeRow
    seen: bool
    group: RedundancyGroup | None
    installed: bool
    version: str
    unreadable: str
    srm_silent: str
    up_since: float | None
    replication: NodeReplication
    held: str
    services: tuple[ServiceRow, ...]
    rooms: Rooms | None


def details(pk: int, *, seeing: bool = True) -> NodeDetails | None:
    """Return the node with this key, in a constant number of queries; None when there is none."""
    server = nodes.node(pk)
    if server is None:
        return None
    machine = server.machine
    unreadable = "" if machine.powered else say("{why}.", why=wording.why_silent(server))
    rows = services_of(server)
    silent = not unreadable and not machine.srm_running
    return NodeDetails(
        row=live.node_live(server, seeing=seeing),
        seen=seeing,
        group=server.group,
        installed=bool(server.version),
        version=server.version,
        unreadable=unreadable,
        srm_silent=say("{why}.", why=wording.why_silent(server)) if silent else "",
        up_since=machine.up_since.timestamp() if machine.up_since else None,
        replication=of_nodes([server])[0],
        held=held_back(server, machine, rows),
        services=tuple(rows),
        rooms=_rooms(server),
    )


def _rooms(server: Server) -> Rooms | None:
    if server.group_id is None:
        return None
    found = deployed.of_group(server.group_id).rooms
    return next((rooms for rooms in found if rooms.node == server.name), None)
