"""The servers of the cluster: process nodes."""

from collections.abc import Iterator

from django.db.models import Q
from django.db.models.functions import Lower

from redundancy.models import Server, ServerType
from redundancy.operations import servers
from redundancy.selectors.servers import cucm_publisher
from redundancy.soap.axl import items
from redundancy.soap.axl.groups import usage
from redundancy.soap.axl.items import Values
from redundancy.soap.fields import Field, Kind, Reference
from redundancy.soap.service import Call, Fault
from redundancy.soap.uuids import uuid_of
from redundancy.sql.relations import EVERYWHERE

NAME, WHAT = "ProcessNode", "ProcessNode"
ROLES = {
    ServerType.CUCM.value: "CUCM Voice/Video",
    ServerType.IMP.value: "CUCM IM and Presence",
}
_FIELDS = (
    Field("name", required=True, longest=255),
    Field("description", longest=255),
    Field("mac", longest=64),
    Field("ipv6Name", longest=255),
    Field("nodeUsage", longest=64),
    Field("lbmHubGroup", Kind.REFERENCE, nillable=True, longest=255),
    Field("processNodeRole", longest=64),
    Field("cupDomain", longest=255),
)
# The node that stands for the cluster, which the vendor's system lists first.
WIDE: Values = {
    "uuid": "{00000000-1111-0000-0000-000000000000}",
    "name": EVERYWHERE[1],
    "description": "",
    "mac": "",
    "ipv6Name": "",
    "nodeUsage": usage(publisher=False),
    "lbmHubGroup": Reference(),
    "processNodeRole": ROLES[ServerType.CUCM.value],
    "cupDomain": "",
}
# Fields of a search, and their columns. The others are no text in a column.
_COLUMNS = {
    "name": "name",
    "description": "description",
    "mac": "mac_address",
}
_CRITERIA = (*_COLUMNS, "ipv6Name", "nodeUsage", "processNodeRole")
_TOGETHER = 2000


def _values(server: Server, first: Server | None) -> Values:
    return {
        "uuid": uuid_of(server),
        "name": server.name,
        "description": server.description,
        "mac": server.mac_address,
        "ipv6Name": server.ipv6_address or "",
        "nodeUsage": _usage(server, first),
        "lbmHubGroup": Reference(),
        "processNodeRole": ROLES[server.server_type],
        "cupDomain": server.domain,
    }


def _usage(server: Server, first: Server | None) -> str:
    return usage(publisher=server.is_publisher or server == first)


def _is_wide(call: Call) -> bool:
    named = (call.values.get("name") or "").strip().lower() == EVERYWHERE[1].lower()
    return named or (call.values.get("uuid") or "").strip(" {}") == WIDE["uuid"].strip("{}")


def _get(call: Call) -> Values:
    if _is_wide(call):
        return WIDE
    return _values(items.item(Server.objects.all(), call, WHAT), cucm_publisher())


def _list(call: Call, criteria: Values) -> Iterator[Values]:
    first = cucm_publisher()
    rows = Server.objects.filter(
        items.matches(criteria, _COLUMNS),
        server_type__in=[
            kind
            for kind, role in ROLES.items()
            if items.like(role, criteria.get("processNodeRole"))
        ],
    )
    if (address := (criteria.get("ipv6Name") or "").strip()).strip("%"):
        having = rows.exclude(ipv6_address=None).values_list("pk", "ipv6_address")
        rows = rows.filter(pk__in=[pk for pk, each in having if items.like(each or "", address)])
    publishers = Q(is_publisher=True) | Q(pk=first.pk if first else None)
    wanted = [
        items.like(usage(publisher=which), criteria.get("nodeUsage")) for which in (True, False)
    ]
    if wanted == [True, False]:
        rows = rows.filter(publishers)
    elif not wanted[0]:
        rows = rows.exclude(publishers) if wanted[1] else rows.none()
    begin, end = items.bounds(call)
    if all(items.like(WIDE[field], criteria.get(field)) for field in _CRITERIA):
        if begin == 0:
            yield WIDE
        begin, end = max(0, begin - 1), None if end is None else end - 1
    shown = rows.order_by(Lower("name"), "pk")[begin:end]
    for server in shown.iterator(chunk_size=_TOGETHER):
        yield _values(server, first)


def _add(call: Call, values: Values) -> str:
    given = values.get("processNodeRole") or ROLES[ServerType.CUCM.value]
    kinds = [kind for kind, role in ROLES.items() if role.lower() == given.strip().lower()]
    if not kinds:
        raise Fault(f"processNodeRole: must be {' or '.join(ROLES.values())}.")
    server = servers.add_server(server_type=kinds[0], actor=call.actor, **_texts(values))
    _check(server, values)
    return uuid_of(server)


def _update(call: Call) -> str:
    if _is_wide(call):
        raise Fault(f"{EVERYWHERE[1]} stands for the cluster and cannot be changed.")
    server = items.item(Server.objects.all(), call, WHAT, items.NOT_FOUND_ON_UPDATE)
    texts = _texts({**call.values, "name": call.values.get("newName") or server.name})
    _check(servers.edit_server(server=server, actor=call.actor, **texts), call.values)
    return uuid_of(server)


def _texts(values: Values) -> servers.ServerTexts:
    """Return what is given of the texts of a server; nil is an empty one."""
    items.refuse_unknown(values, "lbmHubGroup")
    texts: servers.ServerTexts = {}
    if "name" in values:
        texts["name"] = values["name"]
    if "description" in values:
        texts["description"] = values["description"] or ""
    if "mac" in values:
        texts["mac_address"] = values["mac"] or ""
    if "ipv6Name" in values:
        texts["ipv6_address"] = values["ipv6Name"] or ""
    if "cupDomain" in values:
        texts["domain"] = values["cupDomain"] or ""
    return texts


def _check(server: Server, values: Values) -> None:
    """Refuse what is given where it cannot be chosen: it follows from other things.

    Who is given a subscriber may still get a publisher: the first node of a cluster is one.
    """
    role = (values.get("processNodeRole") or "").strip()
    if role and role.lower() != ROLES[server.server_type].lower():
        raise Fault(f"processNodeRole: {server.name} is {ROLES[server.server_type]}; that stays.")
    publisher = (values.get("nodeUsage") or "").strip().lower() == usage(publisher=True).lower()
    if publisher and _usage(server, cucm_publisher()) != usage(publisher=True):
        raise Fault(f"nodeUsage: {server.name} is a subscriber; there is a publisher already.")


def _remove(call: Call) -> str:
    if _is_wide(call):
        raise Fault(f"{EVERYWHERE[1]} stands for the cluster and cannot be removed.")
    server = items.item(Server.objects.all(), call, WHAT, items.NOT_FOUND_ON_UPDATE)
    uuid = uuid_of(server)
    servers.delete_server(server=server, actor=call.actor)
    return uuid


OPERATIONS = (
    items.add(NAME, _FIELDS, _add),
    items.update(NAME, _FIELDS, _update),
    items.get(NAME, _FIELDS, _get),
    items.listing(NAME, _CRITERIA, _FIELDS, _list),
    items.remove(NAME, _remove),
)
