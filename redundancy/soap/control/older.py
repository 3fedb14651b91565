"""The form of older clients: the same operations, and answers whose elements tell their types (RPC/encoded)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from redundancy.soap.control import operations
from redundancy.soap.fields import Field, Kind, fit
from redundancy.soap.service import Call, Operation

NAMESPACE = "http://cisco.com/ccm/serviceability/soap/ControlCenterServices/"
_TYPES = {Kind.TEXT: "xsd:string", Kind.INTEGER: "xsd:integer", Kind.BOOLEAN: "xsd:boolean"}
_AST = "http://schemas.cisco.com/ast/soap/"
_DECLARED = f' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:ast="{_AST}"'
# The type of the items in a list, by the name of the list.
_ITEMS = {
    "ServiceInfoList": "ServiceInformation",
    "Services": "ServiceSpecification",
    "Products": "InstalledProduct",
}


def write(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the elements of ``values``, each with its type."""
    for field in fields:
        yield from _element(field, values[field.name], "", _DECLARED)


def _element(field: Field, value: Any, within: str, declared: str = "") -> Iterator[str]:
    if field.kind is not Kind.STRUCT:
        text = str(value).lower() if field.kind is Kind.BOOLEAN else fit(value)
        yield f'<{field.name} xsi:type="{_TYPES[field.kind]}">{escape(text)}</{field.name}>'
        return
    yield f'<{field.name}{declared} xsi:type="ast:{_type(field, within)}">'
    for inner in field.fields:
        held = value[inner.name]
        for each in held if inner.many else (held,):
            yield from _element(inner, each, field.name)
    yield f"</{field.name}>"


def _type(field: Field, within: str) -> str:
    """Return the name of the type of a field in the one named ``within``."""
    if field.name in _ITEMS:
        return f"ArrayOf{_ITEMS[field.name]}"
    return _ITEMS[within] if field.name == "item" else field.name


def types() -> str:
    """Return the schema of the types that answers name."""
    found: dict[str, str] = {}
    for operation in _ALL:
        for field in operation.response:
            _describe(field, "", found)
    made = "".join(found.values())
    return f"<xsd:schema targetNamespace='{_AST}' xmlns:ast='{_AST}'>{made}</xsd:schema>"


def _describe(field: Field, within: str, found: dict[str, str]) -> str:
    if field.kind is not Kind.STRUCT:
        return _TYPES[field.kind]
    name = _type(field, within)
    most = {True: "unbounded", False: "1"}
    elements = "".join(
        f"<xsd:element name='{inner.name}' type='{_describe(inner, field.name, found)}'"
        f" minOccurs='0' maxOccurs='{most[inner.many]}'/>"
        for inner in field.fields
    )
    found[name] = (
        f"<xsd:complexType name='{name}'><xsd:sequence>{elements}</xsd:sequence></xsd:complexType>"
    )
    return f"ast:{name}"


def _older(operation: Operation, part: str) -> Operation:
    """Return an operation whose answer has the one element ``part``."""
    (returned,) = operation.response

    def do(call: Call) -> dict[str, Any]:
        return {part: operation.do(call)[returned.name]}

    return replace(operation, response=(replace(returned, name=part),), do=do)


_PARTS = {
    "soapGetServiceStatus": "ServiceInformationResponse",
    "soapDoControlServices": "ServiceInformationResponse",
    "soapDoServiceDeployment": "ServiceInformationResponse",
    "soapGetStaticServiceList": "StaticServiceList",
    "getProductInformationList": "GetProductInformationListResponse",
}
_ALL = tuple(_older(each, _PARTS[each.name]) for each in operations.OPERATIONS)
# One of them has another name there; both are asked for.
OPERATIONS = (*_ALL, replace(_ALL[-1], name="GetProductInformationList"))
