"""Presence redundancy groups."""

from collections.abc import Iterator, Mapping

from django.db.models import Count, Prefetch

from redundancy.models import PresenceUser, RedundancyGroup, Server, ServerType
from redundancy.operations import groups
from redundancy.selectors.groups import find_groups
from redundancy.soap.axl import items
from redundancy.soap.axl.items import Values
from redundancy.soap.fields import Field, Kind, Reference
from redundancy.soap.service import Call
from redundancy.soap.uuids import uuid_for, uuid_of

NAME = "PresenceRedundancyGroup"
WHAT = "Presence Redundancy Group"
_FIELDS = (
    Field("name", required=True, longest=255),
    Field("description", longest=255),
    Field("server1", Kind.REFERENCE, required=True, longest=255),
    Field("server2", Kind.REFERENCE, nillable=True, longest=255),
    Field("haEnabled", Kind.BOOLEAN),
)
_RESULT = (*_FIELDS, Field("numUsers", Kind.INTEGER))
# Groups of a list that are read at once.
_TOGETHER = 500


def _values(group: RedundancyGroup, users: Mapping[int, int]) -> Values:
    members = {server.slot: server for server in group.servers.all()}
    return {
        "uuid": uuid_of(group),
        "name": group.name,
        "description": group.description,
        "server1": _reference(members.get(1)),
        "server2": _reference(members.get(2)),
        "haEnabled": group.ha_enabled,
        "numUsers": sum(users.get(server.pk, 0) for server in members.values()),
    }


def _reference(server: Server | None) -> Reference | None:
    return Reference(server.name, uuid_of(server)) if server else None


def _get(call: Call) -> Values:
    group = items.item(RedundancyGroup.objects.all(), call, WHAT)
    users = PresenceUser.objects.filter(home__group=group).order_by()
    return _values(group, dict(users.values_list("home").annotate(n=Count("pk"))))


def _list(call: Call, criteria: Values) -> Iterator[Values]:
    columns = {"name": "name", "description": "description"}
    rows = find_groups().filter(items.matches(criteria, columns))
    # Without the states of the nodes.
    rows = rows.prefetch_related(None).prefetch_related(
        Prefetch("servers", Server.objects.order_by("slot"))
    )
    users = dict(
        PresenceUser.objects.filter(home__isnull=False)
        .order_by()
        .values_list("home")
        .annotate(n=Count("pk"))
    )
    for group in items.page(rows, call).iterator(chunk_size=_TOGETHER):
        yield _values(group, users)


def _server(reference: Reference | None, field: str) -> Server | None:
    if not reference:
        return None
    return items.referenced(Server.objects.all(), reference, field, "server")


def _add(call: Call, values: Values) -> str:
    first = _server(values["server1"], "server1")
    assert first is not None
    group = groups.add_group(
        name=values["name"],
        description=values.get("description") or "",
        first=first,
        second=_server(values.get("server2"), "server2"),
        actor=call.actor,
    )
    if values.get("haEnabled"):
        groups.enable_ha(group=group, actor=call.actor)
    return uuid_of(group)


def _update(call: Call) -> str:
    group = items.item(RedundancyGroup.objects.all(), call, WHAT, items.NOT_FOUND_ON_UPDATE)
    members: dict[int | None, Server | None] = {each.slot: each for each in group.servers.all()}
    for slot, field in ((1, "server1"), (2, "server2")):
        if field in call.values:
            members[slot] = _server(call.values[field], field)
    description = call.values.get("description", group.description)
    groups.edit_group(
        group=group,
        name=call.values.get("newName") or group.name,
        description=description or "",
        first=members.get(1),
        second=members.get(2),
        ha_enabled=call.values.get("haEnabled"),
        actor=call.actor,
    )
    return uuid_of(group)


def _remove(call: Call) -> str:
    group = items.item(RedundancyGroup.objects.all(), call, WHAT, items.NOT_FOUND_ON_UPDATE)
    uuid = uuid_for(RedundancyGroup, group.pk)
    groups.delete_group(group=group, actor=call.actor)
    return uuid


_SERVER = (Field("name"), Field("description"), Field("nodeUsage"))
_SERVER_COLUMNS = {"name": "name", "description": "description"}


def _assigned_servers(call: Call, criteria: Values) -> Iterator[Values]:
    nodes = Server.objects.filter(group__isnull=False).annotate(users=Count("assigned_users"))
    nodes = nodes.filter(items.matches(criteria, _SERVER_COLUMNS)).order_by("name", "pk")
    for node in items.page(nodes, call).iterator(chunk_size=_TOGETHER):
        yield {**_of_server(node), "numUsers": node.users}


def _unassigned_servers(call: Call, criteria: Values) -> Iterator[Values]:
    nodes = Server.objects.filter(group__isnull=True, server_type=ServerType.IMP)
    nodes = nodes.filter(items.matches(criteria, _SERVER_COLUMNS)).order_by("name", "pk")
    for node in items.page(nodes, call).iterator(chunk_size=_TOGETHER):
        yield _of_server(node)


def _of_server(node: Server) -> dict[str, object]:
    return {
        "uuid": uuid_of(node),
        "name": node.name,
        "description": node.description,
        "nodeUsage": usage(publisher=node.is_publisher),
    }


def usage(*, publisher: bool) -> str:
    """Return what AXL calls the part that a server has in its database."""
    return "Publisher" if publisher else "Subscriber"


OPERATIONS = (
    items.add(NAME, _FIELDS, _add),
    items.update(NAME, _FIELDS, _update),
    items.get(NAME, _RESULT, _get),
    items.listing(NAME, ("name", "description"), _RESULT, _list),
    items.remove(NAME, _remove),
    items.listing(
        "AssignedPresenceServers",
        ("name", "description"),
        (*_SERVER, Field("numUsers", Kind.INTEGER)),
        _assigned_servers,
    ),
    items.listing(
        "UnassignedPresenceServers", ("name", "description"), _SERVER, _unassigned_servers
    ),
)
