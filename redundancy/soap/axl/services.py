"""The services of the nodes, as they are configured. Whether they run is told by the Control Center."""

from collections.abc import Iterator

from redundancy.catalog import SRM
from redundancy.models import NodeService, Server
from redundancy.operations.activation import set_activated
from redundancy.soap.axl import items
from redundancy.soap.axl.items import Values
from redundancy.soap.fields import Field, Invalid, Kind, Reference
from redundancy.soap.service import Call, Fault
from redundancy.soap.uuids import key_in, uuid_for, uuid_of
from redundancy.srm.trace import Level
from redundancy.traces.writes import set_trace_level

NAME, WHAT = "ProcessNodeService", "ProcessNodeService"
_KEY = (
    Field("processNodeName", Kind.REFERENCE, longest=255),
    Field("service", longest=128),
    Field("uuid", longest=64),
)
# Of those that are not modelled nothing is told.
_FIELDS = (
    # A number there; ours are those of SRM's own levels.
    Field("traceLevel", longest=64),
    Field("userCategories", longest=64),
    Field("enable", Kind.BOOLEAN),
    Field("numFiles", longest=64),
    Field("maxFileSize", longest=64),
    Field("isActive", Kind.BOOLEAN),
)
_RESULT = (*_KEY[:2], *_FIELDS)
_COLUMNS = ("pk", "name", "activated", "server_id", "server__name", "server__machine__trace_level")
_TOGETHER = 2000


def _values(
    pk: int, name: str, activated: bool, server: int, server_name: str, trace_level: str
) -> Values:
    told = {
        "uuid": uuid_for(NodeService, pk),
        "processNodeName": Reference(server_name, uuid_for(Server, server)),
        "service": name,
        "enable": True,
        "isActive": activated,
    }
    return told | {"traceLevel": Level[trace_level].value} if name == SRM else told


def _find(call: Call, code: int) -> NodeService:
    node, service = call.values.get("processNodeName"), call.values.get("service")
    uuid = call.values.get("uuid")
    rows = NodeService.objects.select_related("server")
    if uuid:
        found = rows.filter(pk=key_in(uuid, NodeService) or 0).first()
    elif node and service:
        server = items.referenced(Server.objects.all(), node, "processNodeName", "server")
        found = rows.filter(server=server, name__iexact=service.strip()).first()
    else:
        raise Invalid("processNodeName and service, or uuid: must be given.")
    if found is None:
        raise items.not_found(WHAT, code)
    return found


def _get(call: Call) -> Values:
    found = NodeService.objects.filter(pk=_find(call, items.NOT_FOUND).pk)
    return _values(*found.values_list(*_COLUMNS).get())


def _list(call: Call, criteria: Values) -> Iterator[Values]:
    columns = {"processNodeName": "server__name", "service": "name"}
    rows = NodeService.objects.filter(items.matches(criteria, columns))
    rows = rows.order_by("server__name", "pk")
    for row in items.page(rows, call).values_list(*_COLUMNS).iterator(chunk_size=_TOGETHER):
        yield _values(*row)


def _update(call: Call) -> str:
    found, values = _find(call, items.NOT_FOUND_ON_UPDATE), call.values
    items.refuse_unknown(values, "userCategories", "numFiles", "maxFileSize")
    if values.get("enable") is False:
        raise Fault("enable: is not modelled here; services are always enabled.")
    active, level = values.get("isActive"), (values.get("traceLevel") or "").strip()
    if level:
        if found.name != SRM:
            raise Fault(f"traceLevel: only {SRM} has one here.")
        numbers = {str(each.value): each.name for each in Level}
        level = numbers.get(level, level.upper())
        set_trace_level(server=found.server, level=level, actor=call.actor)
    if active is not None and active is not found.activated:
        set_activated(server=found.server, name=found.name, activated=active, actor=call.actor)
    return uuid_of(found)


OPERATIONS = (
    items.get(NAME, _RESULT, _get, _KEY),
    items.listing(NAME, ("processNodeName", "service"), _RESULT, _list),
    items.update(NAME, _FIELDS, _update, _KEY),
)
