"""Add, edit and delete servers (*System > Server*)."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction

from redundancy.catalog import DEFAULT_VERSION, SERVICES
from redundancy.clock import lab_datetime
from redundancy.errors import Refused
from redundancy.models import (
    EventKind,
    Machine,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServerType,
)
from redundancy.operations import events, locks, rules
from redundancy.srm.words import say, together

DEFAULT_GROUP = "DefaultCUPSubCluster"


def add_server(
    *,
    name: str,
    server_type: str,
    description: str = "",
    ipv6_address: str = "",
    mac_address: str = "",
    domain: str = "",
    version: str = DEFAULT_VERSION,
    actor: str,
) -> Server:
    """Save a new server and return it.

    The first IM and Presence server becomes the publisher, in the group DefaultCUPSubCluster. An
    IM and Presence server brings its machine with it: powered, the default services running.
    """
    if server_type not in ServerType.values:
        raise Refused(
            say(
                "Server Type must be {first} or {last}.",
                first=ServerType.CUCM.label,
                last=ServerType.IMP.label,
            ),
            field="server_type",
        )
    server = Server(server_type=server_type)
    _fill(server, name, description, ipv6_address, mac_address, domain, version)
    with transaction.atomic():
        locks.one_administrator()
        if server_type == ServerType.IMP:
            _take_place(server)
        with locks.unique("server_name_unique", _name_taken(server)):
            server.save(force_insert=True)
        if server_type == ServerType.IMP:
            install([server])
        events.record(
            kind=EventKind.ADMIN,
            sentence=_added(server),
            node=server,
            actor=actor,
        )
    return server


def _added(server: Server) -> str:
    kind = ServerType(server.server_type).label
    if server.is_publisher:
        return say(
            "Server {server} was added as the IM&P database publisher ({kind}).",
            server=server.name,
            kind=kind,
        )
    return say("Server {server} was added ({kind}).", server=server.name, kind=kind)


def edit_server(
    *,
    server: Server,
    name: str,
    description: str,
    ipv6_address: str,
    mac_address: str,
    domain: str,
    version: str,
    actor: str,
) -> Server:
    """Change a saved server and return it as it is now. Its type stays."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(server)
        old_name, old_version = current.name, current.version
        _fill(current, name, description, ipv6_address, mac_address, domain, version)
        with locks.unique("server_name_unique", _name_taken(current)):
            current.save(
                update_fields=[
                    "name",
                    "description",
                    "ipv6_address",
                    "mac_address",
                    "domain",
                    "version",
                ]
            )
        if current.name != old_name:
            events.record(
                kind=EventKind.ADMIN,
                sentence=say(
                    "Server {old} was renamed to {new}.",
                    old=old_name,
                    new=current.name,
                ),
                node=current,
                actor=actor,
            )
        if current.version != old_version:
            events.record(
                kind=EventKind.ADMIN,
                sentence=say(
                    "The software on {server} is now {new}; it was {old}.",
                    server=current.name,
                    new=current.version,
                    old=old_version,
                ),
                node=current,
                actor=actor,
            )
    return current


def delete_server(*, server: Server, actor: str) -> None:
    """Delete a server with its machine and its parameters. It cannot be undone."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(server)
        obstacles = list(_obstacles(current))
        if obstacles:
            raise Refused.together(obstacles)
        events.record(
            kind=EventKind.ADMIN,
            sentence=say("Server {server} was deleted.", server=current.name),
            node=current,
            actor=actor,
        )
        current.delete()


def _obstacles(server: Server) -> Iterator[Refused]:
    """Yield everything that keeps the server from being deleted."""
    others = Server.objects.filter(server_type=ServerType.IMP).exclude(pk=server.pk)
    if server.is_publisher and others.exists():
        yield Refused(
            say(
                "{server} is the IM&P database publisher; it cannot be deleted while subscribers exist.",
                server=server.name,
            )
        )
    if server.group is not None:
        leave = say(
            "{server} must leave the presence redundancy group {group} before it is deleted.",
            server=server.name,
            group=server.group.name,
        )
        how = say("Delete that group: the publisher leaves it no other way.")
        yield Refused(together([leave, how]) if server.is_publisher else leave)
    if PresenceUser.objects.filter(home=server).exists():
        yield Refused(
            together(
                [
                    say("{server} has users assigned; it cannot be deleted.", server=server.name),
                    rules.UNASSIGN_USERS,
                ]
            )
        )
    elif PresenceSession.objects.filter(node=server).exists():
        yield Refused(
            say("{server} holds sessions of users; it cannot be deleted.", server=server.name)
        )


def _fill(
    server: Server,
    name: str,
    description: str,
    ipv6_address: str,
    mac_address: str,
    domain: str,
    version: str,
) -> None:
    has_mac = server.server_type == ServerType.CUCM
    stored = rules.checked(
        {
            "name": (rules.server_name, name),
            "description": (rules.description, description),
            "ipv6_address": (rules.ipv6_address, ipv6_address),
            "mac_address": (rules.mac_address if has_mac else rules.no_mac_address, mac_address),
            "domain": (rules.domain, domain),
            "version": (rules.version, version),
        }
    )
    for field, value in stored.items():
        setattr(server, field, value)


def _take_place(server: Server) -> None:
    """Make the first IM and Presence server the publisher, in the default group."""
    nodes = Server.objects.filter(server_type=ServerType.IMP)
    if nodes.count() >= settings.MAX_IMP_SERVERS:
        raise Refused(
            say(
                "There are {most} IM and Presence servers already; more are not allowed.",
                most=settings.MAX_IMP_SERVERS,
            )
        )
    if nodes.exists():
        return
    # A group of that name that is left from an earlier publisher is empty: no node exists.
    group = RedundancyGroup.objects.filter(name__iexact=DEFAULT_GROUP).first()
    server.group = group or RedundancyGroup.objects.create(name=DEFAULT_GROUP)
    server.slot = 1
    server.is_publisher = True


def install(servers: Sequence[Server]) -> None:
    """Give new nodes, just saved, their machines, their services and the memory of their SRM."""
    now = lab_datetime()
    Machine.objects.bulk_create(Machine(server=server, up_since=now) for server in servers)
    NodeService.objects.bulk_create(
        NodeService(
            server=server,
            name=service.name,
            activated=service.by_default,
            running=service.by_default,
            since=now,
        )
        for server in servers
        for service in SERVICES
    )
    NodeRuntime.objects.bulk_create(
        NodeRuntime(server=server, since=now.timestamp()) for server in servers
    )


def _locked(server: Server) -> Server:
    # The caller's object may be old: rules are judged by the row.
    current = locks.hold(Server.objects.filter(pk=server.pk)).first()
    if current is None:
        raise Refused(say("Server {server} does not exist any more.", server=server.name))
    return current


def _name_taken(server: Server) -> Refused:
    return Refused(say("A server named {server} exists already.", server=server.name), field="name")
