"""What SRM and the Control Center ask of a node's services, whoever runs them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from redundancy.models import Server, ServiceStatus
from redundancy.srm.types import Reading


@dataclass(frozen=True, slots=True)
class Observation:
    """A service of a node as seen from outside.

    ``since``: lab seconds at which it took its status. ``monitored``: whether SRM watches it in
    this deployment. ``activated`` is configuration, so it is known of a node that is off, too, as is
    ``configured``: whether the cluster has configured the function that it carries.
    """

    name: str
    status: ServiceStatus
    monitored: bool
    since: float
    activated: bool = True
    configured: bool = False


class ServiceDriver(Protocol):
    """Looks at the services of nodes, and starts and stops them."""

    def observe(self, nodes: Sequence[Server]) -> dict[int, list[Observation]]:
        """Return every service of each node, by the key of the node.

        A node that cannot be read has its services with the status Unknown: that is not Stopped.
        """
        ...

    def read(self, nodes: Collection[int]) -> dict[int, list[Reading]]:
        """Return the monitored services of each node, by the key of the node, as its SRM sees them."""
        ...

    def start(
        self,
        wanted: Mapping[int, Collection[str]],
        *,
        dependents: bool = True,
        at: datetime | None = None,
    ) -> None:
        """Start these services of each node, by its key, all in one transaction.

        With ``dependents``, those that live in one of them start too. ``at``: the lab time of it; now
        without.
        """
        ...

    def stop(self, wanted: Mapping[int, Collection[str]]) -> None:
        """Stop these services of each node, by its key, and those that cannot run without one of them."""
        ...
