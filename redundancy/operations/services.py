"""Start, stop and restart services of a node (*Control Center*)."""

from collections.abc import Sequence

from django.db import transaction

from redundancy.catalog import SERVICE_BY_NAME, SRM, XCP_ROUTER
from redundancy.drivers import Observed, get_driver
from redundancy.errors import Refused
from redundancy.models import EventKind, Server, ServiceStatus
from redundancy.operations import events, power


def start_service(*, server: Server, name: str, actor: str) -> None:
    """Start one service. Does nothing when it runs."""
    with transaction.atomic():
        services = _readable(server, name)
        _check_router(services, name)
        if services[name].status == ServiceStatus.STARTED:
            return
        if name == SRM:
            power.start_srm(server=server, actor=actor)
            return
        get_driver().start(server, [name], dependents=False)
        _record(server, f"{name} on {server.name} was started.", actor=actor)


def stop_service(*, server: Server, name: str, actor: str) -> None:
    """Stop one service; the XCP Router takes the other XCP services with it."""
    with transaction.atomic():
        services = _readable(server, name)
        if services[name].status == ServiceStatus.STOPPED:
            return
        if name == SRM:
            power.stop_srm(server=server, actor=actor)
            return
        others = _running_dependents(services, name)
        get_driver().stop(server, [name])
        _record(server, f"{name} on {server.name} was stopped{_with(others)}.", actor=actor)


def restart_service(*, server: Server, name: str, actor: str) -> None:
    """Restart one service; the XCP Router restarts the XCP services that run."""
    with transaction.atomic():
        services = _readable(server, name)
        _check_router(services, name)
        if name == SRM:
            power.restart_srm(server=server, actor=actor)
            return
        others = _running_dependents(services, name)
        driver = get_driver()
        driver.stop(server, [name])
        driver.start(server, [name, *others], dependents=False)
        _record(server, f"{name} on {server.name} was restarted{_with(others)}.", actor=actor)


def _readable(server: Server, name: str) -> dict[str, Observed]:
    """Return the services of the node by name; refuse what cannot be controlled."""
    services = {seen.name: seen for seen in get_driver().observe([server])[server.pk]}
    service = services.get(name)
    if service is None:
        raise Refused(f"{server.name} has no service named {name[:60]!r}.", field="name")
    if service.status == ServiceStatus.UNKNOWN:
        raise Refused(f"{server.name} is powered off; its services cannot be controlled.")
    if service.status == ServiceStatus.NOT_ACTIVATED:
        raise Refused(f"{name} is not activated on {server.name}.", field="name")
    return services


def _check_router(services: dict[str, Observed], name: str) -> None:
    router = services.get(XCP_ROUTER)
    if name == XCP_ROUTER or router is None or not SERVICE_BY_NAME[name].xcp:
        return
    if router.status != ServiceStatus.STARTED:
        raise Refused(f"{name} runs only while {XCP_ROUTER} runs; start that first.", field="name")


def _running_dependents(services: dict[str, Observed], name: str) -> list[str]:
    """Return the running services that stop with the service ``name``."""
    if name != XCP_ROUTER:
        return []
    return [
        seen.name
        for seen in services.values()
        if SERVICE_BY_NAME[seen.name].xcp
        and seen.name != name
        and seen.status == ServiceStatus.STARTED
    ]


def _with(others: Sequence[str]) -> str:
    return f", and with it {', '.join(others)}" if others else ""


def _record(server: Server, sentence: str, *, actor: str) -> None:
    events.record(kind=EventKind.LAB, sentence=sentence, node=server, actor=actor)
