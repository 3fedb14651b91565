"""Reads of a node's services, as the Control Center, Node Details and the command line show them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from redundancy.catalog import SERVICE_BY_NAME, SERVICES, XCP_ROUTER, ServiceKind, Watch
from redundancy.clock import lab_datetime, lab_now
from redundancy.drivers import Observation, get_driver
from redundancy.fingerprint import PASSING
from redundancy.models import Server, ServiceStatus
from redundancy.srm.codec import node_from_json
from redundancy.srm.words import say

# A node that cannot be read may have started or stopped it since; one not activated did neither.
_DATED = frozenset({ServiceStatus.STARTED, ServiceStatus.STOPPED, ServiceStatus.STARTING})
_TONES = {
    ServiceStatus.STARTED: "ok",
    ServiceStatus.STARTING: "busy",
    ServiceStatus.STOPPING: "busy",
    ServiceStatus.STOPPED: "bad",
    ServiceStatus.NOT_ACTIVATED: "off",
    # Cannot be read: that is no failure of the service, and no stop.
    ServiceStatus.UNKNOWN: "warn",
}


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service of a node.

    ``configured``: whether the cluster has configured the function that it carries.
    ``since``: lab time at which it took its status, None where that is not known.
    ``up_seconds``: lab seconds since it was started, None unless it is.
    """

    name: str
    kind: ServiceKind
    status: ServiceStatus
    activated: bool
    monitored: bool
    since: datetime | None
    up_seconds: float | None = field(metadata=PASSING)
    configured: bool = False

    @property
    def started(self) -> bool:
        """Return whether it runs."""
        return self.status == ServiceStatus.STARTED

    @property
    def wanted(self) -> bool:
        """Return whether it runs, or is about to."""
        return self.status in {ServiceStatus.STARTED, ServiceStatus.STARTING}

    @property
    def why(self) -> str:
        """Return why SRM monitors it or does not; empty of one for which that is always so."""
        return why_monitored(self.name, activated=self.activated, configured=self.configured)

    @property
    def watch(self) -> str:
        """Return whether SRM monitors it, and why where that depends on the deployment."""
        what = say("Monitored") if self.monitored else say("Not monitored")
        return say("{what}: {why}", what=what, why=self.why) if self.why else what

    @property
    def tone(self) -> str:
        """Return the tone of its status."""
        return _TONES[self.status]


def why_monitored(name: str, *, activated: bool, configured: bool) -> str:
    """Return why SRM monitors a service or does not; empty of one for which that is always so."""
    match SERVICE_BY_NAME[name].watch:
        case Watch.IF_CONFIGURED if configured:
            return say("configured and activated") if activated else say("not activated")
        case Watch.IF_CONFIGURED:
            return say("not configured") if activated else say("not configured, not activated")
        case Watch.IF_ACTIVATED:
            return say("activated") if activated else say("not activated")
        case _:
            return ""


def services_of(server: Server, kind: ServiceKind | None = None) -> list[ServiceRow]:
    """Return the services of a node in the order of the catalogue; of one kind, or all."""
    rows = services_of_all([server])[server.pk]
    return [row for row in rows if kind is None or row.kind == kind]


def services_of_all(servers: Sequence[Server]) -> dict[int, list[ServiceRow]]:
    """Return the services of each of these nodes, by its key, in the order of the catalogue."""
    now = lab_now()
    return {pk: _rows(observed, now) for pk, observed in get_driver().observe(servers).items()}


def _rows(services: Sequence[Observation], now: float) -> list[ServiceRow]:
    seen = {service.name: service for service in services}
    rows = []
    for service in SERVICES:
        observed = seen.get(service.name)
        if observed is None:
            continue
        started = observed.status == ServiceStatus.STARTED
        rows.append(
            ServiceRow(
                name=service.name,
                kind=service.kind,
                status=observed.status,
                activated=observed.activated,
                configured=observed.configured,
                monitored=observed.monitored,
                since=lab_datetime(observed.since) if observed.status in _DATED else None,
                up_seconds=max(0.0, now - observed.since) if started else None,
            )
        )
    return rows


def stopped_by_srm(server: Server, rows: Sequence[ServiceRow]) -> list[str]:
    """Return those of a node's services that are stopped because its SRM stopped them, or the router with them."""
    memory = server.runtime.memory
    if not memory:
        return []
    stopped = node_from_json(memory).stopped
    down = [r.name for r in rows if r.name in stopped and r.status == ServiceStatus.STOPPED]
    return down + went_down_with_router(rows, down)


class _Seen(Protocol):
    """A service as it was seen."""

    @property
    def name(self) -> str: ...

    @property
    def status(self) -> ServiceStatus: ...

    @property
    def since(self) -> object: ...


def went_down_with_router(services: Iterable[_Seen], stopped: Collection[str]) -> list[str]:
    """Return what stopped at the very moment at which the Cisco XCP Router did, besides ``stopped``.

    Nothing unless the router is among ``stopped``.
    """
    if XCP_ROUTER not in stopped:
        return []
    seen = list(services)
    since = next(service.since for service in seen if service.name == XCP_ROUTER)
    return [
        service.name
        for service in seen
        if SERVICE_BY_NAME[service.name].xcp
        and service.status == ServiceStatus.STOPPED
        and service.since == since
        and service.name not in stopped
    ]
