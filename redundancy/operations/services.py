"""Start, stop and restart services of a node (*Control Center*)."""

from collections.abc import Sequence

from django.db import transaction

from redundancy.catalog import SERVICE_BY_NAME, SRM, XCP_ROUTER, ServiceKind, Watch
from redundancy.clock import lab_datetime
from redundancy.drivers import Observation, get_driver
from redundancy.errors import Refused
from redundancy.models import EventKind, NodeRuntime, NodeService, Server, ServiceStatus
from redundancy.operations import events, faults, power
from redundancy.srm.words import listed, mark, say, say_count, say_row


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
        _record(server, mark("{service} on {node} was started."), [name], actor)


def start_again(*, server: Server, names: Sequence[str], actor: str) -> None:
    """Start services that SRM had stopped, and those that stopped with the Cisco XCP Router.

    Does nothing on a node that is off, for a service that runs, and for no names.
    """
    if not names:
        return
    with transaction.atomic():
        driver = get_driver()
        seen = {service.name: service for service in driver.observe([server])[server.pk]}
        wanted = [n for n in names if n in seen and seen[n].status == ServiceStatus.STOPPED]
        if not wanted or faults.take_start(server):
            return
        if XCP_ROUTER in wanted:
            # What took its status at the very moment the router did, went down with it.
            went_down = seen[XCP_ROUTER].since
            wanted += [
                service.name
                for service in seen.values()
                if SERVICE_BY_NAME[service.name].xcp
                and service.status == ServiceStatus.STOPPED
                and service.since == went_down
                and service.name not in wanted
            ]
        driver.start(server, wanted, dependents=False)
        sentence = say_count(
            "{services} on {node} was started again: SRM had stopped it.",
            "{services} on {node} were started again: SRM had stopped them.",
            len(wanted),
            services=listed(wanted),
            node=server.name,
        )
        _record_sentence(server, sentence, wanted, actor)


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
        template = (
            mark("{service} on {node} was stopped, and with it {others}.")
            if others
            else mark("{service} on {node} was stopped.")
        )
        _record(server, template, [name, *others], actor)


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
        template = (
            mark("{service} on {node} was restarted, and with it {others}.")
            if others
            else mark("{service} on {node} was restarted.")
        )
        _record(server, template, [name, *others], actor)


def set_activated(*, server: Server, name: str, activated: bool, actor: str) -> None:
    """Activate a feature service, which starts it if it can run, or deactivate it, which stops it."""
    with transaction.atomic():
        services = _seen(server, name)
        if SERVICE_BY_NAME[name].kind is not ServiceKind.FEATURE:
            raise Refused(
                say("{service} is a network service; it is always activated.", service=name),
                field="name",
            )
        if services[name].activated is activated:
            return
        NodeRuntime.poke(server.pk)
        NodeService.objects.filter(server=server, name=name).update(
            activated=activated, running=False, since=lab_datetime()
        )
        router = services[XCP_ROUTER].status == ServiceStatus.STARTED
        if activated and (router or not SERVICE_BY_NAME[name].xcp):
            get_driver().start(server, [name], dependents=False)
        template = (
            mark("{service} on {node} was activated.")
            if activated
            else mark("{service} on {node} was deactivated.")
        )
        _record(server, template, [name], actor)


def set_configured(*, server: Server, name: str, configured: bool, actor: str) -> None:
    """Say whether the deployment configured the function behind a service; then SRM watches it."""
    with transaction.atomic():
        service = SERVICE_BY_NAME.get(name)
        if service is None or service.watch is not Watch.IF_CONFIGURED:
            raise Refused(
                say("{service} does not depend on a configured function.", service=name[:60]),
                field="name",
            )
        NodeRuntime.poke(server.pk)
        rows = NodeService.objects.filter(server=server, name=name).exclude(configured=configured)
        if rows.update(configured=configured):
            template = (
                mark("The function of {service} on {node} is configured.")
                if configured
                else mark("The function of {service} on {node} is no longer configured.")
            )
            _record(server, template, [name], actor)


def _readable(server: Server, name: str) -> dict[str, Observation]:
    """Return the services of the node by name; refuse what cannot be controlled."""
    services = _seen(server, name)
    if services[name].status == ServiceStatus.NOT_ACTIVATED:
        raise Refused(
            say("{service} is not activated on {node}.", service=name, node=server.name),
            field="name",
        )
    return services


def _seen(server: Server, name: str) -> dict[str, Observation]:
    """Return the services of the node by name; refuse one it has not, or that cannot be reached."""
    services = {seen.name: seen for seen in get_driver().observe([server])[server.pk]}
    service = services.get(name)
    if service is None:
        raise Refused(
            say("{node} has no service named {name!r}.", node=server.name, name=name[:60]),
            field="name",
        )
    if service.status == ServiceStatus.UNKNOWN:
        raise Refused(
            say("{node} is powered off; its services cannot be controlled.", node=server.name)
        )
    return services


def _check_router(services: dict[str, Observation], name: str) -> None:
    router = services.get(XCP_ROUTER)
    if name == XCP_ROUTER or router is None or not SERVICE_BY_NAME[name].xcp:
        return
    if router.status != ServiceStatus.STARTED:
        raise Refused(
            say(
                "{service} runs only while {router} runs; start that first.",
                service=name,
                router=XCP_ROUTER,
            ),
            field="name",
        )


def _running_dependents(services: dict[str, Observation], name: str) -> list[str]:
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


def _record(server: Server, template: str, names: Sequence[str], actor: str) -> None:
    """Write into the history what ``template`` says of the first service, and of the others with it."""
    named = {"service": names[0], "node": server.name, "others": ", ".join(names[1:])}
    _record_sentence(server, say_row(template, named), names, actor)


def _record_sentence(server: Server, sentence: str, names: Sequence[str], actor: str) -> None:
    events.record(
        kind=EventKind.LAB, sentence=sentence, node=server, actor=actor, inputs={"services": names}
    )
