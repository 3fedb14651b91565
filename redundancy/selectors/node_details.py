"""One IM and Presence server as *Node Details* shows it."""

from dataclasses import dataclass

from redundancy.models import RedundancyGroup
from redundancy.selectors import live, nodes, wording
from redundancy.selectors.services import ServiceRow, services_of
from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """What can be found out about a node; ``row``: as its group's page shows it.

    ``unreadable``: why its services and its SRM cannot be read, a sentence; empty when they can.
    ``srm_silent``: why its SRM, though it could be read, does not report; empty when it does.
    ``version``: as last known. ``up_since``: lab seconds, None unless it is up.
    """

    row: live.NodeRow
    group: RedundancyGroup | None
    installed: bool
    version: str
    unreadable: str
    srm_silent: str
    up_since: float | None
    services: tuple[ServiceRow, ...]


def details(pk: int) -> NodeDetails | None:
    """Return the node with this key, in a constant number of queries; None when there is none."""
    server = nodes.node(pk)
    if server is None:
        return None
    machine = server.machine
    unreadable = "" if machine.powered else say("{why}.", why=wording.why_silent(server))
    silent = not unreadable and not machine.srm_running
    return NodeDetails(
        row=live.node_live(server),
        group=server.group,
        installed=bool(server.version),
        version=server.version,
        unreadable=unreadable,
        srm_silent=say("{why}.", why=wording.why_silent(server)) if silent else "",
        up_since=machine.up_since.timestamp() if machine.up_since else None,
        services=tuple(services_of(server)),
    )
