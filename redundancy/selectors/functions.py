"""Reads of the functions that the cluster has configured."""

from collections.abc import Mapping
from dataclasses import dataclass

from redundancy.functions import FUNCTION_BY_KEY
from redundancy.models import ConfiguredFunction, NodeService
from redundancy.srm.words import say


def configured() -> frozenset[str]:
    """Return the keys of the functions that are configured."""
    return frozenset(ConfiguredFunction.objects.order_by().values_list("key", flat=True))


@dataclass(frozen=True, slots=True)
class Carriers:
    """On how many nodes a service is activated; ``some`` of those on which it is not: key and name."""

    activated: int
    nodes: int
    some: tuple[tuple[int, str], ...]

    @property
    def more(self) -> int:
        """Return on how many nodes, besides ``some``, it is not activated."""
        return self.nodes - self.activated - len(self.some)


def carriers(service: str, most: int) -> Carriers:
    """Return on how many nodes a service is activated, and at most so many on which it is not."""
    rows = NodeService.objects.filter(name=service).order_by("server__name")
    missing = rows.filter(activated=False).values_list("server", "server__name")
    return Carriers(rows.filter(activated=True).count(), rows.count(), tuple(missing[:most]))


def dangers(wanted: Mapping[str, bool]) -> list[str]:
    """Return which nodes will fail over when functions are configured as ``wanted``, by their keys.

    That is where a service is activated, but does not run, and SRM begins to miss it.
    """
    present = configured()
    new = [
        FUNCTION_BY_KEY[key].service
        for key, on in wanted.items()
        if on and key in FUNCTION_BY_KEY and key not in present
    ]
    idle = NodeService.objects.filter(
        name__in=filter(None, new),
        activated=True,
        running=False,
        server__machine__powered=True,
        server__group__ha_enabled=True,
    )
    return [
        say(
            "{service} does not run on {node}: once SRM watches it, {node} fails over, as soon as it has "
            "been down for the Critical Service Delay.",
            service=service,
            node=node,
        )
        for service, node in idle.order_by("server__name", "name").values_list(
            "name", "server__name"
        )
    ]
