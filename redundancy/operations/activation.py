"""Activate and deactivate the feature services of a node (*Service Activation*)."""

from collections.abc import Iterator, Mapping, Sequence

from django.db import transaction

from redundancy.catalog import (
    SERVICE_BY_NAME,
    XCP_ROUTER,
    Service,
    ServiceKind,
    is_monitored,
)
from redundancy.clock import lab_datetime
from redundancy.drivers import Observation, get_driver
from redundancy.errors import Refused, Stale
from redundancy.models import NodeRuntime, NodeService, Server, ServiceStatus
from redundancy.operations import access, acts, events, locks
from redundancy.operations.services import observed, record_services, start_service
from redundancy.selectors import effects
from redundancy.selectors.access import missing_services, not_activated, unmonitored
from redundancy.srm.words import listed, say, together


def set_activated(*, server: Server, name: str, activated: bool, actor: str) -> None:
    """Activate a feature service, which starts it if it can run, or deactivate it, which stops it."""
    set_activations(server=server, activated={name: activated}, actor=actor)


def set_activations(
    *,
    server: Server,
    activated: Mapping[str, bool],
    expected: Mapping[str, bool] | None = None,
    actor: str,
) -> list[str]:
    """Activate and deactivate feature services of a node, and return those that changed.

    What is activated starts if it can run; what is deactivated stops, and SRM watches it no longer.

    Args:
        server: The node.
        activated: By the name of the service whether it shall be activated.
        expected: What the administrator saw; when one of them is otherwise by now, nothing is changed.
        actor: User name of who does it.

    Raises:
        Stale: A service is not as ``expected``.
        Refused: The node is off, or has no such feature service.

    """
    with transaction.atomic():
        locks.one_administrator()
        NodeRuntime.poke(server.pk)
        services = observed(server, *activated)
        Refused.unless_none(_always(name) for name in activated if not _is_feature(name))
        _check_fresh(server, services, expected or {})
        changed = _changes(services, activated)
        for on in (True, False):
            names = [name for name, wanted in changed.items() if wanted is on]
            if names:
                _switch(server, services, names, on=on)
                keys = NodeService.objects.filter(server=server, name__in=names).order_by("pk")
                changes = [
                    change
                    for pk in keys.values_list("pk", flat=True)
                    for change in events.changed("service", pk, activated=on)
                ]
                sentence = _sentence(server, names, on=on)
                record_services(server, sentence, names, actor, changes)
    return list(changed)


def start_login_services(*, server: Server, actor: str) -> None:
    """Start the services for want of which nobody can log in at ``server``. Does nothing when all run.

    Those that are not activated there are activated, which starts them.
    """
    with transaction.atomic():
        locks.one_administrator()
        missing = missing_services([server.pk]).get(server.pk, ())
        idle = not_activated(server.pk, missing)
        # In the order of the catalogue: the others run only while the Cisco XCP Router does.
        for name in missing:
            if name not in idle:
                start_service(server=server, name=name, actor=actor)
        if idle:
            set_activations(server=server, activated=dict.fromkeys(idle, True), actor=actor)


def caution(server: Server, activated: Mapping[str, bool]) -> acts.Caution | None:
    """Return what needs confirming before ``set_activations``; None when it can be done without asking.

    That is, while High Availability is on, what changes the list of services that SRM watches, and what
    keeps clients from logging in.
    """
    services = {seen.name: seen for seen in get_driver().observe([server])[server.pk]}
    known = {name: on for name, on in activated.items() if name in services and _is_feature(name)}
    changed = _changes(services, known)
    watched = {
        name: on
        for name, on in changed.items()
        if is_monitored(name, activated=True, configured=services[name].configured)
    }
    stopped = [
        name
        for name, on in changed.items()
        if not on and services[name].status == ServiceStatus.STARTED
    ]
    what = say("{act}: {subject}", act=say("Service Activation"), subject=server.name)
    if watched:
        because = say("What its SRM monitors changes at once.")
        told = effects.of_login_services(server.name, unmonitored(stopped))
        return acts.caution_of(
            server, what, because, lambda peer: [*_effects(server, services, watched, peer), *told]
        )
    return acts.caution_unseen(server, what, stopped)


def _effects(
    server: Server, services: Mapping[str, Observation], watched: Mapping[str, bool], peer: str
) -> Iterator[str]:
    names = {"node": server.name, "peer": peer}
    off = [name for name, on in watched.items() if not on]
    if off:
        yield say(
            "Deactivated, so stopped and no longer monitored by SRM: {services}. {node} does not fail over "
            "for it, and its users are without what it does.",
            services=listed(off),
            node=server.name,
        )
    on = [name for name, activated in watched.items() if activated]
    if not on:
        return
    yield say(
        "Monitored by SRM from now on: {services}. If it is down for the Critical Service Delay, {node} "
        "fails over to {peer}.",
        services=listed(on),
        **names,
    )
    idle = [name for name in on if not _can_run(services, name)]
    if idle:
        yield say(
            "Not started, since {router} does not run on {node}: {services}.",
            router=XCP_ROUTER,
            node=server.name,
            services=listed(idle),
        )
    yield acts.FALLBACK_AGAIN


def _changes(services: Mapping[str, Observation], activated: Mapping[str, bool]) -> dict[str, bool]:
    return {name: on for name, on in activated.items() if services[name].activated is not on}


def _switch(
    server: Server, services: Mapping[str, Observation], names: Sequence[str], *, on: bool
) -> None:
    NodeService.objects.filter(server=server, name__in=names).update(
        activated=on, running=False, starting=False, since=lab_datetime()
    )
    access.start({server.pk: [name for name in names if on and _can_run(services, name)]})


def _can_run(services: Mapping[str, Observation], name: str) -> bool:
    router = services[XCP_ROUTER].status == ServiceStatus.STARTED
    return router or not SERVICE_BY_NAME[name].xcp


def _is_feature(name: str) -> bool:
    service: Service | None = SERVICE_BY_NAME.get(name)
    return service is not None and service.kind is ServiceKind.FEATURE


def _always(name: str) -> Refused:
    rule = say("{service} is a network service; it is always activated.", service=name)
    return Refused(rule, field="name")


def _check_fresh(
    server: Server, services: Mapping[str, Observation], expected: Mapping[str, bool]
) -> None:
    changed = [
        name
        for name, activated in expected.items()
        if name in services and services[name].activated is not activated
    ]
    if changed:
        raise Stale(
            together(
                [
                    say(
                        "Somebody else activated or deactivated meanwhile, on {node}: {services}.",
                        node=server.name,
                        services=listed(changed),
                    ),
                    say("Nothing was saved. The page shows what is activated now."),
                ]
            )
        )


def _sentence(server: Server, names: Sequence[str], *, on: bool) -> str:
    if len(names) == 1:
        named = {"service": names[0], "node": server.name}
        return (
            say("{service} on {node} was activated.", **named)
            if on
            else say("{service} on {node} was deactivated.", **named)
        )
    several = {"services": listed(names), "node": server.name}
    return (
        say("{services} on {node} were activated.", **several)
        if on
        else say("{services} on {node} were deactivated.", **several)
    )
