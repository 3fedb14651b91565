"""Add, edit and delete servers (*System > Server*)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import transaction

from redundancy import trace_store
from redundancy.catalog import SERVICES
from redundancy.clock import lab_datetime
from redundancy.errors import Refused, Taken
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
from redundancy.models.bulk import insert
from redundancy.operations import acts, events, locks, rules
from redundancy.srm.words import listed, say, together

DEFAULT_GROUP = "DefaultCUPSubCluster"
_RULES: dict[str, Callable[[str], str | None]] = {
    "name": rules.server_name,
    "description": rules.description,
    "ipv4_address": rules.ipv4_address,
    "ipv6_address": rules.ipv6_address,
    "mac_address": rules.mac_address,
    "domain": rules.domain,
    "version": rules.version,
}


class ServerTexts(TypedDict, total=False):
    """What is typed of a server; of a new one, what is left out has its default."""

    name: str
    description: str
    ipv4_address: str
    ipv6_address: str
    mac_address: str
    domain: str
    version: str


def add_server(*, server_type: str, actor: str, **texts: Unpack[ServerTexts]) -> Server:
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
    _fill(server, texts)
    with transaction.atomic():
        locks.one_administrator()
        changes = _take_place(server) if server_type == ServerType.IMP else []
        with _name_is_free(server):
            server.save(force_insert=True)
        if server_type == ServerType.IMP:
            install([server])
        kind = ServerType(server_type).label
        sentence = (
            say(
                "Server {server} was added as the IM&P database publisher ({kind}).",
                server=server.name,
                kind=kind,
            )
            if server.is_publisher
            else say("Server {server} was added ({kind}).", server=server.name, kind=kind)
        )
        events.record(
            kind=EventKind.ADMIN,
            sentence=sentence,
            node=server,
            actor=actor,
            changes=[*events.added("server", server.pk), *changes],
        )
    return server


def edit_server(*, server: Server, actor: str, **texts: Unpack[ServerTexts]) -> Server:
    """Change a saved server and return it as it is now. Its type stays, and what is left out."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(server)
        old = {field: getattr(current, field) for field in _RULES}
        _fill(current, texts)
        with _name_is_free(current):
            current.save(update_fields=list(_RULES))
        for sentence, fields in _told(current, old):
            events.record(
                kind=EventKind.ADMIN,
                sentence=sentence,
                node=current,
                actor=actor,
                changes=events.changed("server", current.pk, **fields),
            )
    return current


def _told(server: Server, old: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is told of a server that was ``old``: a sentence, and the fields with their new values."""
    new = {
        field: getattr(server, field) for field in _RULES if getattr(server, field) != old[field]
    }
    if "name" in new:
        sentence = say("Server {old} was renamed to {new}.", old=old["name"], new=server.name)
        yield sentence, {"name": new.pop("name")}
    if "version" in new:
        sentence = say(
            "The software on {server} is now {new}; it was {old}.",
            server=server.name,
            new=server.version,
            old=old["version"],
        )
        yield sentence, {"version": new.pop("version")}
    if new:
        labels: list[Any] = [each.verbose_name for each in Server._meta.fields if each.name in new]
        yield say("Changed on {server}: {fields}.", server=server.name, fields=listed(labels)), new


def before_renaming(server: Server, name: str) -> acts.Caution | None:
    """Return what needs confirming before ``server`` is called ``name``; None when nobody has to be asked.

    A node is renamed while High Availability of its group is off.
    """
    if name.strip() == server.name:
        return None
    return acts.caution_of(
        server,
        say("Rename {node}", node=server.name),
        say("The vendor's guide wants it disabled before a node is renamed."),
        lambda peer: [
            say(
                "On the vendor's system {node} restarts when its host name changes, and {peer} would "
                "take its users over. The lab changes the name alone.",
                node=server.name,
                peer=peer,
            )
        ],
    )


def delete_server(*, server: Server, actor: str) -> None:
    """Delete a server with its machine and its parameters. It cannot be undone."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(server)
        Refused.unless_none(_obstacles(current))
        sentence = say("Server {server} was deleted.", server=current.name)
        events.record(
            kind=EventKind.ADMIN,
            sentence=sentence,
            node=current,
            actor=actor,
            changes=events.removed("server", current.pk),
        )
        trace_store.forget(current.pk)
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
        rule = say("{server} has users assigned; it cannot be deleted.", server=server.name)
        yield Refused(together([rule, rules.UNASSIGN_USERS]))
    elif PresenceSession.objects.filter(node=server).exists():
        yield Refused(
            say("{server} holds sessions of users; it cannot be deleted.", server=server.name)
        )


def _fill(server: Server, texts: ServerTexts) -> None:
    rule_of = _RULES
    if server.server_type != ServerType.CUCM:
        rule_of = _RULES | {"mac_address": rules.no_mac_address}
    given: dict[str, Any] = {field: getattr(server, field) or "" for field in _RULES} | dict(texts)
    stored = rules.checked({field: (rule, given[field]) for field, rule in rule_of.items()})
    for field, value in stored.items():
        setattr(server, field, value)


def _take_place(server: Server) -> list[events.Change]:
    """Make the first IM and Presence server the publisher, in the default group; return what that changed."""
    nodes = Server.objects.filter(server_type=ServerType.IMP)
    if nodes.count() >= settings.MAX_IMP_SERVERS:
        raise Refused(
            say(
                "There are {most} IM and Presence servers already; more are not allowed.",
                most=settings.MAX_IMP_SERVERS,
            )
        )
    if nodes.exists():
        return []
    # An earlier publisher may have left its group, which has no servers now.
    group = RedundancyGroup.objects.filter(name__iexact=DEFAULT_GROUP).first()
    server.group = group or RedundancyGroup.objects.create(name=DEFAULT_GROUP)
    server.slot = 1
    server.is_publisher = True
    if group is None:
        return events.added("group", server.group.pk)
    return events.changed("group", group.pk, first=server.name)


def install(servers: Sequence[Server]) -> None:
    """Give new nodes, just saved, their machines, their services and the memory of their SRM."""
    now = lab_datetime()
    Machine.objects.bulk_create(Machine(server=server, up_since=now) for server in servers)
    insert(
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
    gone = say("Server {server} does not exist any more.", server=server.name)
    return locks.hold_one(Server.objects.filter(pk=server.pk), gone)


def _name_is_free(server: Server) -> AbstractContextManager[None]:
    taken = say("A server named {server} exists already.", server=server.name)
    return locks.unique("server_name_unique", Taken(taken, field="name"))
