"""Start, stop and restart services of a node (*Control Center*)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from redundancy.catalog import DATABASE, SERVICE_BY_NAME, SRM, XCP_ROUTER
from redundancy.drivers import Observation, get_driver
from redundancy.errors import Refused
from redundancy.models import HaEvent, NodeService, Server, ServiceStatus
from redundancy.models.bulk import insert
from redundancy.operations import access, events, faults, power
from redundancy.selectors.replication import held_sentence
from redundancy.selectors.services import went_down_with_router
from redundancy.srm.words import listed, mark, say, say_count, say_row, together

# A service that somebody wants to run, whether it does already or not.
_WANTED = frozenset({ServiceStatus.STARTED, ServiceStatus.STARTING})


@dataclass(frozen=True, slots=True)
class Restart:
    """What SRM restarts on a node: its critical services, by name. ``actor``: who caused it."""

    server: Server
    names: Sequence[str]
    actor: str


def start_service(*, server: Server, name: str, actor: str) -> None:
    """Start one service. Does nothing when it runs."""
    with transaction.atomic():
        services = _readable(server, name)
        _check_router(services, name)
        if services[name].status in _WANTED:
            return
        if name == SRM:
            power.start_srm(server=server, actor=actor)
            return
        access.start({server.pk: [name]})
        _record(server, mark("{service} on {node} was started."), [name], actor)


def start_again(*, server: Server, names: Sequence[str], actor: str) -> None:
    """Start services that SRM had stopped, and those that stopped with the Cisco XCP Router.

    Does nothing on a node that is off, for a service that runs, and for no names.
    """
    if not names:
        return
    with transaction.atomic():
        seen = {service.name: service for service in get_driver().observe([server])[server.pk]}
        wanted = [n for n in names if n in seen and seen[n].status == ServiceStatus.STOPPED]
        if not wanted or faults.take_start(server):
            return
        wanted += went_down_with_router(seen.values(), wanted)
        access.start({server.pk: wanted})
        sentence = say_count(
            "{services} on {node} was started again: SRM had stopped it.",
            "{services} on {node} were started again: SRM had stopped them.",
            len(wanted),
            services=listed(wanted),
            node=server.name,
        )
        record_services(server, sentence, wanted, actor)


def restart_critical(restarts: Sequence[Restart]) -> None:
    """Let the SRM of each node restart its critical services for a fallback, all but the database; stopped ones start.

    With the Cisco XCP Router the XCP services restart that run; where it was stopped, all start. A
    number of statements that does not grow with the nodes.
    """
    with transaction.atomic():
        seen = get_driver().observe([each.server for each in restarts])
        again = {each.server.pk: _restarting(each.names, seen[each.server.pk]) for each in restarts}
        access.stop(again)
        failing = faults.take_starts(again)
        starting = {
            each.server.pk: [*each.names, *again[each.server.pk]]
            for each in restarts
            if each.server.pk not in failing
        }
        if starting:
            access.start(starting)
        waiting = _held_back(again)
        insert(
            [
                _of_services(
                    each.server,
                    _restarted(
                        each.server,
                        again[each.server.pk],
                        seen[each.server.pk],
                        fails=each.server.pk in failing,
                    ),
                    again[each.server.pk],
                    each.actor,
                    waiting=waiting.get(each.server.pk, ()),
                )
                for each in restarts
            ]
        )


def _restarting(names: Sequence[str], seen: Sequence[Observation]) -> list[str]:
    """Return what restarts on a node of whose services ``names`` are critical."""
    again = [name for name in names if name != DATABASE]
    if XCP_ROUTER in again:
        router = next(service.status for service in seen if service.name == XCP_ROUTER)
        again += [
            service.name
            for service in seen
            if SERVICE_BY_NAME[service.name].xcp
            and service.status == router
            and service.name not in again
        ]
    return again


def _restarted(
    server: Server, names: Sequence[str], seen: Sequence[Observation], *, fails: bool
) -> str:
    named = {"node": server.name, "services": listed(names)}
    if fails:
        return say("On {node} did not start: {services}.", **named)
    if any(each.name in names and each.status == ServiceStatus.STARTED for each in seen):
        return say("SRM restarted the critical services of {node}: {services}.", **named)
    return say("SRM started the critical services of {node}: {services}.", **named)


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
        access.stop({server.pk: [name]})
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
        # Whose connection ends in it is disconnected, however soon it runs again.
        access.stop({server.pk: [name]})
        access.start({server.pk: [name, *others]})
        template = (
            mark("{service} on {node} was restarted, and with it {others}.")
            if others
            else mark("{service} on {node} was restarted.")
        )
        _record(server, template, [name, *others], actor)


def _readable(server: Server, name: str) -> dict[str, Observation]:
    """Return the services of the node by name; refuse what cannot be controlled."""
    services = observed(server, name)
    if services[name].status == ServiceStatus.NOT_ACTIVATED:
        raise Refused(
            say("{service} is not activated on {node}.", service=name, node=server.name),
            field="name",
        )
    return services


def observed(server: Server, *names: str) -> dict[str, Observation]:
    """Return the services of the node by name; refuse what it has not, or cannot be reached of ``names``."""
    services = {seen.name: seen for seen in get_driver().observe([server])[server.pk]}
    for name in names:
        service = services.get(name)
        if service is None:
            raise Refused(
                say("{node} has no service named {name!r}.", node=server.name, name=name[:60]),
                field="name",
            )
        # A silent process of SRM can be replaced; whether the node has power is asked there.
        if service.status == ServiceStatus.UNKNOWN and name != SRM:
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
        if SERVICE_BY_NAME[seen.name].xcp and seen.name != name and seen.status in _WANTED
    ]


def _record(server: Server, template: str, names: Sequence[str], actor: str) -> None:
    """Write into the history what ``template`` says of the first service, and of the others with it."""
    named = {"service": names[0], "node": server.name, "others": ", ".join(names[1:])}
    record_services(server, say_row(template, named), names, actor)


def record_services(
    server: Server,
    sentence: str,
    names: Sequence[str],
    actor: str,
    changes: Sequence[events.Change] = (),
) -> None:
    """Write into the history what was done to these services of the node; ``changes``: to their settings."""
    waiting = _held_back({server.pk: names}).get(server.pk, ())
    told = _of_services(server, sentence, names, actor, changes, waiting=waiting)
    told.save(force_insert=True)


def _held_back(names: Mapping[int, Collection[str]]) -> dict[int, list[str]]:
    """Return which of these services of each node, by its key, its Data Monitor holds back; in one query."""
    rows = NodeService.objects.filter(server__in=names, starting=True).order_by("server", "name")
    found: dict[int, list[str]] = {}
    for node, name in rows.values_list("server_id", "name"):
        if name in names[node]:
            found.setdefault(node, []).append(name)
    return found


def _of_services(
    server: Server,
    sentence: str,
    names: Sequence[str],
    actor: str,
    changes: Sequence[events.Change] = (),
    *,
    waiting: Sequence[str],
) -> HaEvent:
    """Return the event of what was done to services of a node; ``waiting``: those that are held back."""
    if waiting:
        sentence = together([sentence, held_sentence(server.name, waiting)])
    return events.event(
        kind=events.kind_of_deed(actor),
        sentence=sentence,
        node=server,
        actor=actor,
        inputs={"services": names},
        changes=changes,
    )
