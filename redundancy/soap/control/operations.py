"""The operations of Control Center Services, by the names and fields that its clients use."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction

from redundancy.catalog import SERVICES, XCP_ROUTER, Service, ServiceKind
from redundancy.models import EventKind, Server, ServiceStatus
from redundancy.operations import activation, events
from redundancy.operations.acts import SERVICE_ACTS, Caution, caution
from redundancy.selectors.nodes import find_node
from redundancy.selectors.servers import publisher
from redundancy.selectors.services import ServiceRow, services_of
from redundancy.soap.addresses import dialled
from redundancy.soap.fields import Field, Invalid, Kind
from redundancy.soap.reasons import NOT_RUNNING
from redundancy.soap.service import Call, Fault, Operation
from redundancy.srm.words import say

# Services that one request may name.
MOST = 100
# The number where there is nothing to say.
_NOTHING = -1
_REASONS = NOT_RUNNING | {
    # Ours: a node that is off answers nothing in the vendor's system.
    ServiceStatus.UNKNOWN: (_NOTHING, "Node Powered Off"),
}
_STATUS = {ServiceStatus.NOT_ACTIVATED: "Stopped"}
_UNDER_WAY = {"start": "Starting", "stop": "Stopping", "restart": "Starting"}
# The status of a service for which there is nothing to do.
_AFTER = {"start": ServiceStatus.STARTED, "stop": ServiceStatus.STOPPED}
_PRODUCT, _PRODUCT_NAME = "Cup", "Cisco Unified Communications Manager IM and Presence"


def this_node(call: Call) -> Server:
    """Return the node that a request is for: the one ``?node=`` names, or whose address was dialled, else the publisher."""
    name = call.http.GET.get("node", "")
    node = find_node(name) if name else dialled(call.http) or publisher()
    if node is None:
        raise Fault("There is no IM and Presence node yet.")
    return node


def _node(call: Call, named: str | None) -> Server:
    return find_node(named.strip()) if named and named.strip() else this_node(call)


def _information(row: ServiceRow, said: str = "") -> dict[str, Any]:
    code, text = (_NOTHING, " ") if said else _REASONS.get(row.status, (_NOTHING, " "))
    started = row.since if row.started and not said else None
    return {
        "ServiceName": row.name,
        "ServiceStatus": said or _STATUS.get(row.status, row.status.capitalize()),
        "ReasonCode": code,
        "ReasonCodeString": text,
        "StartTime": f"{started:%a %b %d %H:%M:%S %Y}" if started else "",
        "UpTime": int(row.up_seconds or 0) if started else -1,
    }


def _answer(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ReturnCode": "0",
        "ReasonCode": _NOTHING,
        "ReasonString": "",
        "ServiceInfoList": {"item": list(items)},
    }


def _rows(node: Server, names: Sequence[str], field: str) -> list[ServiceRow]:
    """Return the rows of these services of a node, in the order of ``names``."""
    if len(names) > MOST:
        raise Invalid(f"{field}: must not name more than {MOST} services.")
    rows = {row.name: row for row in services_of(node)}
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise Invalid(f"{field}: {node.name} has no service named {unknown[0][:60]!r}.")
    return [rows[name] for name in names]


def _status(call: Call) -> dict[str, Any]:
    node = this_node(call)
    names = call.values.get("ServiceStatus") or []
    rows = _rows(node, names, "ServiceStatus") if names else services_of(node)
    return {"soapGetServiceStatusReturn": _answer(map(_information, rows))}


def _control(call: Call) -> dict[str, Any]:
    asked = call.values["ControlServiceRequest"]
    act = SERVICE_ACTS.get(asked["ControlType"].strip().lower())
    if act is None:
        raise Invalid("ControlServiceRequest.ControlType: must be Start, Stop or Restart.")
    node = _node(call, asked.get("NodeName"))
    rows = _rows(node, _named(asked), "ControlServiceRequest.ServiceList")
    with transaction.atomic():
        for row in rows:
            told = caution(act, node, row)
            act.run(server=node, name=row.name, actor=call.actor)
            if told is not None:
                _note(node, told, call.actor)
    # Said at once, as of a service that takes its time; whoever asks later is told what became of it.
    said = _UNDER_WAY[act.key]
    changed = {row.name for row in rows if act.key == "restart" or row.status != _AFTER[act.key]}
    after = _rows(node, [row.name for row in rows], "")
    items = [_information(row, said if row.name in changed else "") for row in after]
    return {"soapDoControlServicesReturn": _answer(items)}


def _deploy(call: Call) -> dict[str, Any]:
    asked = call.values["DeploymentServiceRequest"]
    on = {"deploy": True, "undeploy": False}.get(asked["DeployType"].strip().lower())
    if on is None:
        raise Invalid("DeploymentServiceRequest.DeployType: must be Deploy or UnDeploy.")
    node = _node(call, asked.get("NodeName"))
    names = _named(asked)
    _rows(node, names, "DeploymentServiceRequest.ServiceList")
    wanted = dict.fromkeys(names, on)
    with transaction.atomic():
        told = activation.caution(node, wanted)
        activation.set_activations(server=node, activated=wanted, actor=call.actor)
        if told is not None:
            _note(node, told, call.actor)
    after = _rows(node, names, "")
    return {"soapDoServiceDeploymentReturn": _answer(map(_information, after))}


def _named(asked: dict[str, Any]) -> list[str]:
    if names := asked.get("ServiceList"):
        return list(dict.fromkeys(name.strip() for name in names))
    raise Invalid("ServiceList: must name a service.")


def _note(node: Server, told: Caution, actor: str) -> None:
    """Keep in the history that nobody was asked, though High Availability was on."""
    sentence = say(
        "{what} was done by a program while High Availability of {group} was on. {because}",
        what=told.what,
        group=told.group,
        because=told.because,
    )
    events.record(kind=EventKind.ADMIN, sentence=sentence, node=node, group=node.group, actor=actor)


def _specification(service: Service) -> dict[str, Any]:
    needs = [XCP_ROUTER] if service.xcp and service.name != XCP_ROUTER else []
    feature = service.kind is ServiceKind.FEATURE
    return {
        "ServiceName": service.name,
        "ServiceType": "Service",
        "Deployable": feature,
        "GroupName": "IM and Presence Services",
        "DependentServices": {"Service": needs},
        "ProductID": _PRODUCT,
    }


def _static(_call: Call) -> dict[str, Any]:
    services = {"item": [_specification(service) for service in SERVICES]}
    return {"soapGetStaticServiceListReturn": {"Services": services}}


def _extended(_call: Call) -> dict[str, Any]:
    services = {"item": [_specification(service) for service in SERVICES]}
    return {
        "getStaticServiceListExtendedReturn": {
            "ReturnCode": "0",
            "ReasonString": "",
            "Services": services,
        }
    }


def _products(call: Call) -> dict[str, Any]:
    node, first = this_node(call), publisher()
    product = {
        "ProductName": _PRODUCT_NAME,
        "ProductVersion": node.version,
        "ProductDescription": _PRODUCT_NAME,
        "ProductID": _PRODUCT,
        "ShortName": "CUP",
    }
    return {
        "getProductInformationListReturn": {
            "ActiveServerVersion": node.version,
            "PrimaryNode": first.name if first else "",
            "SecondaryNode": "",
            "Products": {"item": [product]},
            "Services": {"item": [_specification(service) for service in SERVICES]},
        }
    }


_ITEM = (
    Field("ServiceName"),
    Field("ServiceStatus"),
    Field("ReasonCode", Kind.INTEGER),
    Field("ReasonCodeString"),
    Field("StartTime"),
    Field("UpTime", Kind.INTEGER),
)
_INFORMATION = (
    Field("ReturnCode"),
    Field("ReasonCode", Kind.INTEGER),
    Field("ReasonString"),
    Field("ServiceInfoList", Kind.STRUCT, (Field("item", Kind.STRUCT, _ITEM, many=True),)),
)
_SPECIFICATION = (
    Field("ServiceName"),
    Field("ServiceType"),
    Field("Deployable", Kind.BOOLEAN),
    Field("GroupName"),
    Field("DependentServices", Kind.STRUCT, (Field("Service", many=True),)),
)


def _services(*more: Field) -> Field:
    item = Field("item", Kind.STRUCT, (*_SPECIFICATION, *more), many=True)
    return Field("Services", Kind.STRUCT, (item,))


def _request(name: str, word: str) -> tuple[Field, ...]:
    fields = (
        Field("NodeName", nillable=True, longest=255),
        Field(word, required=True, longest=20),
        Field("ServiceList", Kind.TEXTS, required=True),
    )
    return (Field(name, Kind.STRUCT, fields, required=True),)


def _operation(
    name: str,
    request: tuple[Field, ...],
    answer: tuple[Field, ...],
    do: Callable[[Call], dict[str, Any]],
    *,
    writes: bool = False,
) -> Operation:
    return Operation(
        name, request, (Field(f"{name}Return", Kind.STRUCT, answer),), do, writes=writes
    )


_PRODUCT_FIELDS = tuple(
    Field(name)
    for name in ("ProductName", "ProductVersion", "ProductDescription", "ProductID", "ShortName")
)
OPERATIONS = (
    _operation(
        "soapGetServiceStatus",
        (Field("ServiceStatus", Kind.TEXTS, many=True),),
        _INFORMATION,
        _status,
    ),
    _operation(
        "soapDoControlServices",
        _request("ControlServiceRequest", "ControlType"),
        _INFORMATION,
        _control,
        writes=True,
    ),
    _operation(
        "soapDoServiceDeployment",
        _request("DeploymentServiceRequest", "DeployType"),
        _INFORMATION,
        _deploy,
        writes=True,
    ),
    _operation(
        "soapGetStaticServiceList",
        (Field("ServiceInformationResponse"),),
        (_services(),),
        _static,
    ),
    _operation(
        "getProductInformationList",
        (Field("ServiceInfo"),),
        (
            Field("ActiveServerVersion"),
            Field("PrimaryNode"),
            Field("SecondaryNode"),
            Field(
                "Products",
                Kind.STRUCT,
                (Field("item", Kind.STRUCT, _PRODUCT_FIELDS, many=True),),
            ),
            _services(Field("ProductID")),
        ),
        _products,
    ),
)
EXTENDED = (
    _operation(
        "getStaticServiceListExtended",
        (Field("ServiceInformationResponse"),),
        (Field("ReturnCode"), Field("ReasonString"), _services(Field("ProductID"))),
        _extended,
    ),
)
