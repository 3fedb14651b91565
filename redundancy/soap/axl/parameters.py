"""Service parameters, and those of the enterprise, which AXL has as parameters of a service of its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models.functions import Lower

from redundancy.catalog import (
    ENTERPRISE_PARAMETERS,
    PARAMETERS,
    SRM,
    EnterpriseParameter,
    Parameter,
)
from redundancy.errors import Refused
from redundancy.models import Server, ServiceParameter
from redundancy.parameters.writes.enterprise import (
    reset_enterprise_parameters,
    set_enterprise_parameters,
)
from redundancy.parameters.writes.parameters import reset_parameters, set_parameter
from redundancy.selectors import enterprise, nodes, parameters
from redundancy.soap.axl import items
from redundancy.soap.axl.items import Values
from redundancy.soap.axl.nodes import WIDE
from redundancy.soap.fields import BOOLEANS, Field, Invalid, Kind, Reference
from redundancy.soap.service import Call
from redundancy.soap.uuids import key_in, uuid_for, uuid_of

NAME, WHAT = "ServiceParameter", "ServiceParameter"
ENTERPRISE = "Enterprise Wide"
_KEY = (
    Field("processNodeName", Kind.REFERENCE, longest=255),
    Field("name", longest=128),
    Field("service", longest=128),
    Field("uuid", longest=64),
)
_VALUE = Field("value", longest=255)
_RESULT = (*_KEY[:3], _VALUE, Field("valueType"))
_ALL: tuple[Parameter | EnterpriseParameter, ...] = (*PARAMETERS, *ENTERPRISE_PARAMETERS)
# The place of a parameter, from 1 on, stands in its UUID above this many bits for the key of its node.
_NODE_BITS = 32
_NODES_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class _Item:
    """A parameter of a node, or of all. ``server``: None for one that is the same on all."""

    parameter: Parameter | EnterpriseParameter
    server: Server | None = None

    @property
    def service(self) -> str:
        return SRM if isinstance(self.parameter, Parameter) else ENTERPRISE

    @property
    def uuid(self) -> str:
        node = self.server.pk if self.server else 0
        return uuid_for(ServiceParameter, (_ALL.index(self.parameter) + 1) << _NODE_BITS | node)

    def values(self, value: str) -> Values:
        node = Reference(WIDE["name"], WIDE["uuid"])
        if self.server:
            node = Reference(self.server.name, uuid_of(self.server))
        return {
            "uuid": self.uuid,
            "processNodeName": node,
            "name": self.parameter.name,
            "service": self.service,
            "value": value,
            "valueType": _type(self.parameter),
        }

    def value(self) -> str:
        """Return its present value."""
        if isinstance(self.parameter, EnterpriseParameter):
            return enterprise.values()[self.parameter.key]
        return parameters.texts(self.server)[self.parameter.key]


def _type(parameter: Parameter | EnterpriseParameter) -> str:
    if isinstance(parameter, EnterpriseParameter):
        return "String"
    return "Boolean" if parameter.unit == "bool" else "Integer"


def _per_node(parameter: Parameter | EnterpriseParameter) -> bool:
    return isinstance(parameter, Parameter) and parameter.per_node


def _find(call: Call, code: int) -> _Item:
    """Return the parameter that a call names: by its name, with node and service where they are given."""
    values = call.values
    if uuid := values.get("uuid"):
        place, node = divmod(key_in(uuid, ServiceParameter) or 0, 1 << _NODE_BITS)
        found = _ALL[place - 1 : place] if place else ()
        reference = Reference(uuid=uuid_for(Server, node)) if node else Reference()
    elif name := (values.get("name") or "").strip():
        service = (values.get("service") or "").strip().lower()
        reference = values.get("processNodeName") or Reference()
        found = tuple(
            each
            for each in _ALL
            if each.name.lower() == name.lower() and service in ("", _Item(each).service.lower())
        )
    else:
        raise Invalid("name with processNodeName and service, or uuid: must be given.")
    for parameter in found:
        server = _server(reference)
        if _per_node(parameter) is (server is not None):
            return _Item(parameter, server)
    raise items.not_found(WHAT, code)


def _server(reference: Reference) -> Server | None:
    """Return the node that is meant; None for the one that stands for the cluster."""
    wide = WIDE["name"].lower() == reference.name.strip().lower() or WIDE["uuid"] == reference.uuid
    if wide or not reference:
        return None
    return items.referenced(nodes.nodes(), reference, "processNodeName", "server")


def _get(call: Call) -> Values:
    found = _find(call, items.NOT_FOUND)
    return found.values(found.value())


def _list(call: Call, criteria: Values) -> Iterator[Values]:
    begin, end = items.bounds(call)
    for place, each in enumerate(_matching(criteria)):
        if end is not None and place >= end:
            return
        if place >= begin:
            yield each


def _matching(criteria: Values) -> Iterator[Values]:
    meant = [
        each
        for each in _ALL
        if items.like(each.name, criteria.get("name"))
        and items.like(_Item(each).service, criteria.get("service"))
    ]
    if items.like(WIDE["name"], criteria.get("processNodeName")):
        present = parameters.texts() | enterprise.values()
        for each in meant:
            if not _per_node(each):
                yield _Item(each).values(present[each.key])
    own = [each for each in meant if _per_node(each)]
    if not own:
        return
    rows = nodes.nodes().filter(items.matches(criteria, {"processNodeName": "name"}))
    for some in _chunks(rows.order_by(Lower("name"), "pk").iterator(chunk_size=_NODES_TOGETHER)):
        texts = parameters.of_nodes(server.pk for server in some)
        for server in some:
            for each in own:
                yield _Item(each, server).values(texts[server.pk][each.key])


def _chunks(servers: Iterable[Server]) -> Iterator[list[Server]]:
    some: list[Server] = []
    for server in servers:
        some.append(server)
        if len(some) == _NODES_TOGETHER:
            yield some
            some = []
    if some:
        yield some


def _update(call: Call) -> str:
    found = _find(call, items.NOT_FOUND_ON_UPDATE)
    parameter, value = found.parameter, (call.values.get("value") or "").strip()
    if isinstance(parameter, EnterpriseParameter):
        try:
            set_enterprise_parameters(values={parameter.key: value}, actor=call.actor)
        except Refused as refused:
            raise Refused(refused.rule, field="value") from None
    else:
        if parameter.unit == "bool":
            value = str(BOOLEANS.get(value.lower(), value))
        set_parameter(key=parameter.key, value=value, server=found.server, actor=call.actor)
    return found.uuid


def _reset(call: Call) -> str:
    service = (call.values["service"] or "").strip().lower()
    server = _server(call.values["processNodeName"])
    if service == ENTERPRISE.lower() and server is None:
        keys = [each.key for each in ENTERPRISE_PARAMETERS]
        reset_enterprise_parameters(keys=keys, actor=call.actor)
    elif service == SRM.lower():
        keys = [each.key for each in PARAMETERS if each.per_node is (server is not None)]
        reset_parameters(keys=keys, server=server, actor=call.actor)
    else:
        raise items.not_found(WHAT, items.NOT_FOUND_ON_UPDATE)
    return "Success"


def _reset_enterprise(call: Call) -> str:
    keys = [each.key for each in ENTERPRISE_PARAMETERS]
    reset_enterprise_parameters(keys=keys, actor=call.actor)
    return "Success"


def uuid(key: str, server: int | None) -> str:
    """Return the UUID of the parameter with this key; ``server``: that of its node, None for all nodes."""
    parameter = next(each for each in _ALL if each.key == key)
    return _Item(parameter, Server(pk=server) if server else None).uuid


OPERATIONS = (
    items.get(NAME, _RESULT, _get, _KEY),
    items.listing(NAME, ("processNodeName", "name", "service"), _RESULT, _list),
    items.update(NAME, (_VALUE,), _update, _KEY),
    items.writing(
        "doServiceParametersReset",
        (
            Field("processNodeName", Kind.REFERENCE, required=True, longest=255),
            Field("service", required=True, longest=128),
        ),
        _reset,
    ),
    items.writing("doEnterpriseParametersReset", (), _reset_enterprise),
)
