"""Database replication of the nodes, and what the Data Monitor of one holds back for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from redundancy.drivers import get_driver
from redundancy.drivers import replication as lab
from redundancy.models import Machine, Server, ServiceStatus
from redundancy.selectors.services import ServiceRow
from redundancy.srm.words import duration, listed, say, together

# The replication setup value of a server: all others mean that it does not replicate.
GOOD, NOT_SET_UP = 2, 0


@dataclass(frozen=True, slots=True)
class NodeReplication:
    """The replication of one node. ``value``: its setup value, None while its database does not answer."""

    server: Server
    value: int | None

    @property
    def is_good(self) -> bool:
        """Whether it is set up."""
        return self.value == GOOD


def of_nodes(servers: Iterable[Server]) -> list[NodeReplication]:
    """Return the replication of each node, in a constant number of queries."""
    nodes = list(servers)
    keys = [server.pk for server in nodes]
    broken, services = lab.not_set_up(keys), get_driver().read(keys)
    found = []
    for server in nodes:
        answers = any(reading.database and reading.up for reading in services[server.pk])
        value = NOT_SET_UP if server.pk in broken else GOOD
        found.append(NodeReplication(server, value if answers else None))
    return found


def held_back(server: Server, machine: Machine, rows: Iterable[ServiceRow]) -> str:
    """Return what the Data Monitor of a node holds back, why, and the cure; empty for nothing.

    ``rows``: services of the node.
    """
    held = [row.name for row in rows if row.status == ServiceStatus.STARTING]
    if not held:
        return ""
    return together([held_sentence(server.name, held), cure(server, machine)])


def held_sentence(node: str, names: Iterable[str]) -> str:
    """Return that the Data Monitor of ``node`` holds the services ``names`` back."""
    return say(
        "Database replication of {node} is not set up; its Data Monitor holds back at Starting: {services}.",
        node=node,
        services=listed(names),
    )


def cure(server: Server, machine: Machine) -> str:
    """Return how the Data Monitor of a node is brought to let services start."""
    goes_on = lab.goes_on_at(machine)
    if goes_on is not None:
        return say(
            "The Data Monitor of the publisher goes on {time} after the node came up.",
            time=duration(lab.PUBLISHER_TIMEOUT),
        )
    return say(
        "They start when replication is set up. Else, as in the field: disable High Availability, "
        "switch the monitor off on both nodes (command line: set replication-sync monitor disable {node}), "
        "wait about 5 minutes until utils service list shows the services started, switch it on again "
        "(the same with enable), and enable High Availability.",
        node=server.name,
    )
