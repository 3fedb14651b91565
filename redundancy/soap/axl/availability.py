"""High availability as AXL of IM and Presence has it: its state, what can be asked for, the nodes' services.

States and reasons are told by their names: the numbers of reasons are not public.
"""

from dataclasses import replace

from redundancy.catalog import DEFAULT_VERSION
from redundancy.models import PresenceUser, RedundancyGroup, Server, ServiceStatus
from redundancy.operations import actions
from redundancy.selectors import live, nodes, observing
from redundancy.selectors.servers import publisher
from redundancy.selectors.services import ServiceRow, services_of
from redundancy.soap.addresses import dialled
from redundancy.soap.axl import items
from redundancy.soap.axl.items import Values
from redundancy.soap.fields import Field, Kind
from redundancy.soap.reasons import NOT_RUNNING
from redundancy.soap.service import Call, Fault, Operation
from redundancy.soap.uuids import uuid_for, uuid_of
from redundancy.srm.states import Reason, State

WHAT = "subcluster"
_KEY = (Field("uuid", longest=64), Field("subClusterName", longest=255))
_NODE = (
    Field("count", Kind.INTEGER),
    Field("uuid"),
    Field("hostId"),
    Field("description"),
    Field("numUsers", Kind.INTEGER),
    Field("activeUsers", Kind.INTEGER),
    Field("isPublisher", Kind.BOOLEAN),
    Field("rftrunkmeshpoint"),
    Field("enterpriseNodeId", Kind.INTEGER),
    Field("nodeState"),
    Field("nodeReason"),
)
_INFO = (
    Field("name"),
    Field("uuid"),
    Field("dnsServer"),
    Field("description"),
    Field("numUsers", Kind.INTEGER),
    Field("isHAEnabled", Kind.BOOLEAN),
    Field("isHAAvailable", Kind.BOOLEAN),
    Field("nodes", Kind.STRUCT, (Field("node", Kind.STRUCT, _NODE, many=True),)),
)


def _group(call: Call) -> RedundancyGroup:
    if call.values.get("uuid"):
        # Both may be given here.
        call = replace(call, values={**call.values, "subClusterName": ""})
    rows = RedundancyGroup.objects.all()
    return items.item(rows, call, WHAT, name="subClusterName")


def _state(row: live.NodeRow, *, seen: bool) -> tuple[str, str]:
    """Return state and reason of a node by their English names; what was seen once is not known now."""
    if not seen:
        return State.UNKNOWN.value, Reason.UNKNOWN.value
    return row.state, row.reason


def _status(call: Call) -> Values:
    group = _group(call)
    seen = not group.ha_enabled or observing.sees()
    found = live.group_live(group.pk, seeing=seen)
    servers = {server.pk: server for server in group.servers.all()}
    told = []
    for count, row in enumerate(found.rows, start=1):
        state, reason = _state(row, seen=seen)
        told.append(
            {
                "count": count,
                "uuid": uuid_for(Server, row.server_id),
                "hostId": row.name,
                "description": servers[row.server_id].description,
                "numUsers": row.assigned,
                "activeUsers": row.active,
                "isPublisher": row.is_publisher,
                "enterpriseNodeId": row.server_id,
                "nodeState": state,
                "nodeReason": reason,
            }
        )
    states = [node["nodeState"] for node in told]
    info = {
        "name": group.name,
        "uuid": uuid_of(group),
        "description": group.description,
        "numUsers": sum(row.assigned for row in found.rows),
        "isHAEnabled": group.ha_enabled,
        # One of the two could take over now.
        "isHAAvailable": group.ha_enabled and states == [State.NORMAL.value] * 2,
        "nodes": {"node": told},
    }
    return {"return": {"SubClusterInfo": info}}


_OPERATIONS = ("fall_back", "fail_over", "recover")


def _process(call: Call) -> str:
    group, name = _group(call), (call.values["operationName"] or "").strip()
    if name == "recover":
        actions.request_recover(group=group, actor=call.actor)
        return "true"
    if name not in _OPERATIONS:
        raise Fault(f"operationName: must be one of {', '.join(_OPERATIONS)}.")
    asked = (call.values.get("nodeName") or "").strip()
    node = nodes.nodes().filter(group=group, name__iexact=asked.replace("\0", " ")).first()
    if node is None:
        raise Fault(f"nodeName: there is no node {asked[:80]!r} in {group.name}.", items.NOT_FOUND)
    request = actions.request_fallback if name == "fall_back" else actions.request_failover
    request(node=node, serial=None, actor=call.actor)
    return "true"


_SERVICE = (
    Field("serviceName"),
    Field("status"),
    Field("startTime"),
    Field("upTime", Kind.INTEGER),
    Field("isCritical", Kind.BOOLEAN),
    Field("reasonCode"),
    Field("reasonCodeStr"),
)
_NODE_SERVICES = (
    Field("nodeName"),
    Field("subClusterName"),
    Field("nodeStateString"),
    Field("nodeReasonString"),
    Field("criticalServices", Kind.STRUCT, _SERVICE, many=True),
)


def _services(call: Call) -> Values:
    found, name = nodes.nodes().select_related("group"), (call.values.get("nodeName") or "").strip()
    if name:
        found = found.filter(name__iexact=name.replace("\0", " "))
        if not found:
            raise items.not_found("node")
    seen = observing.sees()
    return {"return": {"nodes": {"node": (_of_node(node, seen=seen) for node in found)}}}


def _of_node(node: Server, *, seen: bool) -> Values:
    off = node.group is None or not node.group.ha_enabled
    state, reason = _state(live.node_live(node, seeing=seen), seen=seen or off)
    return {
        "nodeName": node.name,
        "subClusterName": node.group.name if node.group else "",
        "nodeStateString": state,
        "nodeReasonString": reason,
        "criticalServices": [_of_service(row) for row in services_of(node)],
    }


def _of_service(row: ServiceRow) -> Values:
    code, text = NOT_RUNNING.get(row.status, (-1, ""))
    status = row.status
    told: dict[str, object] = {
        "serviceName": row.name,
        "status": (
            ServiceStatus.STOPPED if status == ServiceStatus.NOT_ACTIVATED else status
        ).value,
        "isCritical": row.monitored,
        "reasonCode": code,
        "reasonCodeStr": text,
    }
    if row.started and row.since is not None and row.up_seconds is not None:
        told |= {"startTime": f"{row.since:%Y-%m-%d %H:%M:%S}", "upTime": int(row.up_seconds)}
    return told


def _publisher() -> Server:
    found = publisher()
    if found is None:
        raise Fault("There is no IM and Presence server yet.", items.NOT_FOUND)
    return found


def _version(call: Call) -> Values:
    node = dialled(call.http) or _publisher()
    return {"return": {"version": node.version or DEFAULT_VERSION}}


_CLUSTER = (
    Field("publisher"),
    Field("version"),
    Field("numSubClusters", Kind.INTEGER),
    Field("numNodes", Kind.INTEGER),
    Field("numUsers", Kind.INTEGER),
)


def _cluster(_call: Call) -> Values:
    first = _publisher()
    info = {
        "publisher": first.name,
        "version": first.version or DEFAULT_VERSION,
        "numSubClusters": RedundancyGroup.objects.count(),
        "numNodes": nodes.nodes().count(),
        "numUsers": PresenceUser.objects.filter(home__isnull=False).count(),
    }
    return {"return": {"clusterInfo": info}}


def _returned(*fields: Field) -> tuple[Field, ...]:
    return (Field("return", Kind.STRUCT, fields),)


OPERATIONS = (
    Operation(
        "getSubClusterHAStatus",
        (_KEY[1], _KEY[0]),
        _returned(Field("SubClusterInfo", Kind.STRUCT, _INFO)),
        _status,
    ),
    items.writing(
        "processHAOperations",
        (
            *_KEY,
            Field("operationName", required=True, longest=64),
            Field("nodeName", longest=255),
        ),
        _process,
        result="hasChanged",
    ),
    Operation(
        "getClusterNodesAndCriticalServices",
        (Field("nodeName", longest=255), Field("locale", longest=64)),
        _returned(
            Field("nodes", Kind.STRUCT, (Field("node", Kind.STRUCT, _NODE_SERVICES, many=True),))
        ),
        _services,
        streams=True,
    ),
    Operation("getCUPVersion", (), _returned(Field("version")), _version),
    Operation(
        "getClusterInfo", (), _returned(Field("clusterInfo", Kind.STRUCT, _CLUSTER)), _cluster
    ),
)
