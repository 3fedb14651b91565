"""AXL as an interface: its versions, who may use it, its faults, its operations."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from django.contrib.auth.models import User
from django.http import HttpResponse

from redundancy import permissions
from redundancy.errors import Refused, Taken
from redundancy.models import Server, ServerType
from redundancy.soap.axl import (
    availability,
    changes,
    groups,
    nodes,
    parameters,
    services,
    sql,
    users,
    versions,
)
from redundancy.soap.envelope import Message
from redundancy.soap.fields import Field, Kind, fit
from redundancy.soap.service import Call, Fault, Operation, Service, by_name, told

PREFIX = "http://www.cisco.com/AXL/API/"
# Those that a CUCM of release 15 answers.
VERSIONS = ("10.5", "11.0", "11.5", "12.0", "12.5", "14.0", "15.0")
_PAGE = (
    "<!DOCTYPE html><html lang='en'><head><title>AXL</title></head><body><p>The AXL Web Service is working and"
    " accepting requests. Use HTTP POST to send a request.</p></body></html>"
)


def _may(user: User, write: bool) -> bool:
    return permissions.may_use_axl(user, write=write)


def _detail(fault: Fault, message: Message) -> str:
    code = fault.code or (-1 if fault.theirs else 5000)
    text = escape(fit(fault.text))
    return (
        f"<axlError><axlcode>{code}</axlcode><axlmessage>{text}</axlmessage>"
        f"<request>{escape(message.name)}</request></axlError>"
    )


def _refuse(message: Message) -> HttpResponse | None:
    if not re.fullmatch(f"{re.escape(PREFIX)}.*", message.namespace):
        return None
    known = ", ".join(VERSIONS)
    text = f"HTTP Status 599 - Incorrect axl version. Supported axl versions are {known}\n"
    return HttpResponse(text, status=599, content_type="text/plain; charset=utf-8")


# What AXL calls the fields of the operations.
_NAMES = {
    "first": "server1",
    "second": "server2",
    "ha_enabled": "haEnabled",
    "home": "server",
    "mac_address": "mac",
    "ipv6_address": "ipv6Name",
    "domain": "cupDomain",
    "server_type": "processNodeRole",
    "level": "traceLevel",
}
_DUPLICATE = "Could not insert new row - duplicate value in a UNIQUE INDEX column (Unique Index:)."


def _refused(refusal: Refused) -> Fault:
    text = told(refusal, _NAMES)
    return Fault(f"{_DUPLICATE} {text}", -239) if isinstance(refusal, Taken) else Fault(text)


_SEQUENCE = Field("sequence", Kind.INTEGER, attribute=True)


def _numbered(operation: Operation) -> Operation:
    """Return an operation that echoes the number that a client gave its request."""
    do: Callable[[Call], Mapping[str, Any]] = operation.do

    def answer(call: Call) -> Mapping[str, Any]:
        return {**do(call), "sequence": call.values.get("sequence")}

    return replace(
        operation,
        request=(*operation.request, _SEQUENCE),
        response=(*operation.response, _SEQUENCE),
        do=answer,
    )


_OPERATIONS = by_name(
    versions.OPERATIONS,
    sql.OPERATIONS,
    nodes.OPERATIONS,
    services.OPERATIONS,
    parameters.OPERATIONS,
    groups.OPERATIONS,
    users.OPERATIONS,
    changes.OPERATIONS,
    availability.OPERATIONS,
)

# What AXL of an IM and Presence server has; of that, only the questions in SQL are CUCM's, too.
_OF_NODES = by_name(availability.OPERATIONS, sql.OPERATIONS)
_OF_CUCM = _OPERATIONS.keys() - by_name(availability.OPERATIONS).keys()


def _elsewhere(name: str, server: Server) -> str:
    if server.server_type == ServerType.IMP:
        return "" if name in _OF_NODES else f"{name} is for CUCM; {server.name} is a node."
    return "" if name in _OF_CUCM else f"{name} is for nodes; {server.name} is CUCM's publisher."


AXL = Service(
    name="AXLAPI",
    binding="AXLAPIBinding",
    namespaces=tuple(f"{PREFIX}{version}" for version in VERSIONS),
    operations={name: _numbered(each) for name, each in _OPERATIONS.items()},
    may=_may,
    fault_detail=_detail,
    refuse_namespace=_refuse,
    action=f"CUCM:DB ver={VERSIONS[-1]} {{operation}}",
    page=_PAGE,
    refused=_refused,
    # Scripts name the binding by it.
    wsdl_namespace="http://www.cisco.com/AXLAPIService/",
    elsewhere=_elsewhere,
)
