"""Services of the lab's machines: rows of a table."""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Q

from redundancy.catalog import DATABASE, SERVICES, XCP_ROUTER, Watch, is_monitored
from redundancy.clock import lab_datetime
from redundancy.drivers.base import Observation
from redundancy.models import Machine, NodeRuntime, NodeService, Server, ServiceStatus
from redundancy.srm.types import Reading

WATCHED = [s.name for s in SERVICES if s.watch in {Watch.ALWAYS, Watch.IF_ACTIVATED}]
WATCHED_IF_CONFIGURED = [s.name for s in SERVICES if s.watch is Watch.IF_CONFIGURED]
XCP_SERVICES = frozenset(service.name for service in SERVICES if service.xcp)


class LabDriver:
    """The ServiceDriver of nodes whose machine and services are kept in the database."""

    def observe(self, nodes: Sequence[Server]) -> dict[int, list[Observation]]:
        """Return every service of each node, in one query for all."""
        seen: dict[int, list[Observation]] = {node.pk: [] for node in nodes}
        rows = NodeService.objects.filter(server__in=list(seen)).values_list(
            "server_id",
            "name",
            "activated",
            "configured",
            "running",
            "since",
            "server__machine__powered",
        )
        for server_id, name, activated, configured, running, since, powered in rows:
            seen[server_id].append(
                Observation(
                    name=name,
                    status=_status(powered=powered, activated=activated, running=running),
                    monitored=activated
                    and is_monitored(name, activated=activated, configured=configured),
                    since=since.timestamp(),
                    activated=activated,
                )
            )
        return seen

    def read(self, nodes: Collection[int]) -> dict[int, list[Reading]]:
        """Return the monitored services of each node, in one query for all."""
        seen: dict[int, list[Reading]] = {pk: [] for pk in nodes}
        rows = (
            NodeService.objects.filter(server__in=seen, activated=True)
            .filter(Q(name__in=WATCHED) | Q(name__in=WATCHED_IF_CONFIGURED, configured=True))
            .values_list("server_id", "name", "running", "since", "server__machine__powered")
        )
        for pk, name, running, since, powered in rows:
            up = running if powered else None
            seen[pk].append(Reading(name, up, since.timestamp(), name == DATABASE))
        return seen

    def start(self, node: Server, names: Sequence[str], *, dependents: bool = True) -> None:
        """Start the activated ones of these services; with the XCP Router, the other XCP services."""
        wanted = set(names)
        if dependents and XCP_ROUTER in wanted:
            wanted |= XCP_SERVICES
        self._set(node, wanted, running=True)

    def stop(self, node: Server, names: Sequence[str]) -> None:
        """Stop these services; no XCP service runs without the XCP Router."""
        wanted = set(names)
        if XCP_ROUTER in wanted:
            wanted |= XCP_SERVICES
        self._set(node, wanted, running=False)

    def _set(self, node: Server, names: Collection[str], *, running: bool) -> None:
        with transaction.atomic():
            NodeRuntime.poke(node.pk)
            # Locked, so that nothing starts on a machine that is being switched off.
            machine = Machine.objects.select_for_update(no_key=True).filter(server=node).first()
            if machine is None or not machine.powered:
                return
            NodeService.objects.filter(server=node, name__in=names, activated=True).exclude(
                running=running
            ).update(running=running, since=lab_datetime())


def _status(*, powered: bool | None, activated: bool, running: bool) -> ServiceStatus:
    if not powered:
        return ServiceStatus.UNKNOWN
    if not activated:
        return ServiceStatus.NOT_ACTIVATED
    return ServiceStatus.STARTED if running else ServiceStatus.STOPPED
