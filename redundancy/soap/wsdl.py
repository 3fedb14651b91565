"""The description of an interface (WSDL 1.1, document/literal), made of its tables of fields.

It is our own and describes what is here; the vendor's describes much more.
"""

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from redundancy.soap.envelope import Version
from redundancy.soap.fields import Field, Kind
from redundancy.soap.service import Operation, Service

_SIMPLE = {
    Kind.TEXT: "xsd:string",
    Kind.BOOLEAN: "xsd:boolean",
    Kind.INTEGER: "xsd:integer",
    # Clients give a row of it as a list of its elements.
    Kind.ROW: "xsd:anyType",
}
# A text with attributes.
_CONTENT = (
    "<xsd:simpleContent><xsd:extension base='xsd:string'>{}</xsd:extension></xsd:simpleContent>"
)
# An item by its name, or by its UUID.
_REFERENCE = _CONTENT.format("<xsd:attribute name='uuid' type='xsd:string'/>")


def describe(service: Service, location: str) -> str:
    """Return the WSDL of ``service`` at the address ``location``."""
    return "".join(_parts(service, location))


def _parts(service: Service, location: str) -> Iterator[str]:
    namespace = quoteattr(service.namespaces[-1])
    own = quoteattr(service.wsdl_namespace or service.namespaces[-1])
    form = "qualified" if service.qualified else "unqualified"
    operations = service.operations.values()
    yield (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f"<wsdl:definitions name={quoteattr(service.name)} targetNamespace={own} xmlns:w={own} xmlns:s={namespace}"
        " xmlns:wsdl='http://schemas.xmlsoap.org/wsdl/' xmlns:soap='http://schemas.xmlsoap.org/wsdl/soap/'"
        " xmlns:soap12='http://schemas.xmlsoap.org/wsdl/soap12/' xmlns:xsd='http://www.w3.org/2001/XMLSchema'>"
        f"<wsdl:types>{service.types}<xsd:schema targetNamespace={namespace} elementFormDefault='{form}'>"
    )
    for operation in operations:
        yield from _element(operation.name, operation.request, asked=True)
        yield from _element(operation.answer_name, operation.response, asked=False)
    yield "</xsd:schema></wsdl:types>"
    for operation in operations:
        for kind, element in (("In", operation.name), ("Out", operation.answer_name)):
            yield (
                f"<wsdl:message name='{operation.name}{kind}'>"
                f"<wsdl:part name='parameters' element='s:{element}'/></wsdl:message>"
            )
    yield f"<wsdl:portType name='{service.name}PortType'>"
    for operation in operations:
        yield (
            f"<wsdl:operation name='{operation.name}'><wsdl:input message='w:{operation.name}In'/>"
            f"<wsdl:output message='w:{operation.name}Out'/></wsdl:operation>"
        )
    yield "</wsdl:portType>"
    # What asks by SOAP 1.2 may do so by 1.1, too, and clients that know only that look at the first port.
    bindings = [("", "soap"), *([("12", "soap12")] if service.version is Version.V12 else [])]
    for suffix, prefix in bindings:
        yield (
            f"<wsdl:binding name='{service.binding}{suffix}' type='w:{service.name}PortType'>"
            f"<{prefix}:binding style='document' transport='http://schemas.xmlsoap.org/soap/http'/>"
        )
        for operation in operations:
            yield from _bound(service, operation, prefix)
        yield "</wsdl:binding>"
    yield f"<wsdl:service name='{service.name}'>"
    for suffix, prefix in bindings:
        yield (
            f"<wsdl:port name='{service.name}Port{suffix}' binding='w:{service.binding}{suffix}'>"
            f"<{prefix}:address location={quoteattr(location)}/></wsdl:port>"
        )
    yield "</wsdl:service></wsdl:definitions>"


def _bound(service: Service, operation: Operation, prefix: str) -> Iterator[str]:
    action = service.action.format(operation=operation.name)
    body = f"<{prefix}:body use='literal'/>"
    yield (
        f"<wsdl:operation name='{operation.name}'><{prefix}:operation soapAction={quoteattr(action)}/>"
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
    )


def _element(name: str, fields: Iterable[Field], *, asked: bool) -> Iterator[str]:
    yield f"<xsd:element name='{name}'>"
    yield from _struct(fields, asked=asked)
    yield "</xsd:element>"


def _struct(fields: Iterable[Field], *, asked: bool) -> Iterator[str]:
    listed = list(fields)
    yield "<xsd:complexType><xsd:sequence>"
    for field in listed:
        if not field.attribute:
            yield from _field(field, asked=asked)
    yield "</xsd:sequence>"
    for field in listed:
        if field.attribute:
            yield _attribute(field)
    yield "</xsd:complexType>"


def _attribute(field: Field) -> str:
    return f"<xsd:attribute name='{field.name}' type='{_SIMPLE[field.kind]}'/>"


def _field(field: Field, *, asked: bool) -> Iterator[str]:
    least = 1 if asked and field.required else 0
    most = " maxOccurs='unbounded'" if field.many else ""
    nil = " nillable='true'" if field.nillable or not asked else ""
    head = f"<xsd:element name='{field.name}' minOccurs='{least}'{most}{nil}"
    if field.kind is Kind.TEXTS and field.many:
        yield f"{head} type='xsd:string'/>"
        return
    if field.kind in _SIMPLE:
        yield f"{head} type='{_SIMPLE[field.kind]}'/>"
        return
    yield f"{head}>"
    if field.kind is Kind.REFERENCE:
        yield f"<xsd:complexType>{_REFERENCE}</xsd:complexType>"
    elif field.kind is Kind.CONTENT:
        listed = "".join(_attribute(each) for each in field.fields)
        yield f"<xsd:complexType>{_CONTENT.format(listed)}</xsd:complexType>"
    elif field.kind is Kind.TEXTS:
        yield from _struct((Field("item", many=True),), asked=asked)
    else:
        yield from _struct(field.fields, asked=asked and field.kind is not Kind.TAGS)
    yield "</xsd:element>"
