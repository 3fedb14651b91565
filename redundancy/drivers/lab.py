"""Services of the lab's machines: rows of a table."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from redundancy.catalog import (
    DATABASE,
    SERVICES,
    SRM,
    XCP_ROUTER,
    XCP_SERVICES,
    ServiceKind,
    is_monitored,
)
from redundancy.clock import lab_datetime
from redundancy.drivers import replication
from redundancy.drivers.base import Observation
from redundancy.models import Machine, NodeRuntime, NodeService, Server, ServiceStatus
from redundancy.srm.types import Reading

FEATURES = frozenset(s.name for s in SERVICES if s.kind is ServiceKind.FEATURE)


class LabDriver:
    """The ServiceDriver of nodes whose machine and services are kept in the database."""

    def observe(self, nodes: Sequence[Server]) -> dict[int, list[Observation]]:
        """Return every service of each node, in one query for all."""
        seen: dict[int, list[Observation]] = {node.pk: [] for node in nodes}
        of_them = NodeService.objects.filter(server__in=list(seen)).with_configured()
        rows = of_them.values_list(
            "server_id",
            "name",
            "activated",
            "configured",
            "running",
            "starting",
            "since",
            "server__machine__powered",
            "server__machine__srm_silent",
        )
        for (
            server_id,
            name,
            activated,
            configured,
            running,
            starting,
            since,
            powered,
            silent,
        ) in rows:
            # A process of SRM that is not heard of may be dead or stuck: neither started nor stopped.
            readable = powered and not (silent and name == SRM)
            seen[server_id].append(
                Observation(
                    name=name,
                    status=_status(
                        readable=readable, activated=activated, running=running, starting=starting
                    ),
                    monitored=activated
                    and is_monitored(name, activated=activated, configured=configured),
                    since=since.timestamp(),
                    activated=activated,
                    configured=configured,
                )
            )
        return seen

    def read(self, nodes: Collection[int]) -> dict[int, list[Reading]]:
        """Return the monitored services of each node, in one query for all."""
        seen: dict[int, list[Reading]] = {pk: [] for pk in nodes}
        rows = (
            NodeService.objects.filter(server__in=seen)
            .monitored()
            .values_list("server_id", "name", "running", "since", "server__machine__powered")
        )
        for pk, name, running, since, powered in rows:
            up = running if powered else None
            seen[pk].append(Reading(name, up, since.timestamp(), name == DATABASE))
        return seen

    def start(
        self,
        wanted: Mapping[int, Collection[str]],
        *,
        dependents: bool = True,
        at: datetime | None = None,
    ) -> None:
        """Start the activated ones of these services; with the XCP Router, the other XCP services.

        Feature services stay Starting while the Data Monitor holds them back.
        """
        self._set(wanted, running=True, dependents=dependents, at=at)

    def stop(self, wanted: Mapping[int, Collection[str]]) -> None:
        """Stop these services; no XCP service runs without the XCP Router."""
        self._set(wanted, running=False)

    def _set(
        self,
        wanted: Mapping[int, Collection[str]],
        *,
        running: bool,
        dependents: bool = True,
        at: datetime | None = None,
    ) -> None:
        """Set them in a number of statements that grows with the different lists of names only."""
        with transaction.atomic():
            NodeRuntime.poke(*wanted)
            # Locked, so that nothing starts on a machine that is being switched off.
            machines = list(
                Machine.objects.select_for_update(of=("self",), no_key=True)
                .filter(pk__in=wanted, powered=True)
                .select_related("server")
                .order_by("pk")
            )
            if not machines:
                return
            now = at or lab_datetime()
            holding = replication.holding_features(machines) if running else set()
            alike: dict[frozenset[str], list[int]] = defaultdict(list)
            for machine in machines:
                names = frozenset(wanted[machine.pk])
                if dependents and XCP_ROUTER in names:
                    names |= XCP_SERVICES
                alike[names].append(machine.pk)
            for names, nodes in alike.items():
                rows = NodeService.objects.filter(server__in=nodes, name__in=names, activated=True)
                if held_back := holding.intersection(nodes):
                    held = Q(server__in=held_back, name__in=FEATURES)
                    waiting = rows.filter(held, running=False).exclude(starting=True)
                    waiting.update(starting=True, since=now)
                    rows = rows.exclude(held)
                rows.exclude(running=running, starting=False).update(
                    running=running, starting=False, since=now
                )


def _status(
    *, readable: bool | None, activated: bool, running: bool, starting: bool
) -> ServiceStatus:
    if not readable:
        return ServiceStatus.UNKNOWN
    if not activated:
        return ServiceStatus.NOT_ACTIVATED
    if starting:
        return ServiceStatus.STARTING
    return ServiceStatus.STARTED if running else ServiceStatus.STOPPED
