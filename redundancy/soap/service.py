"""What an interface is: its operations, who may use it, and how it says that something went wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from redundancy.errors import Refused
from redundancy.models import Server
from redundancy.soap.envelope import Message, Version
from redundancy.soap.fields import Field, write


class Fault(Exception):
    """An operation was refused and changed nothing.

    ``code``: as programs know it. ``theirs``: the request is at fault, and not what the system is like.
    """

    def __init__(self, text: str, code: int | str = 0, *, theirs: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Call:
    """One request for an operation.

    ``values``: what it gives, by the names of fields. ``actor``: the user's name; empty where the interface
    asks for none. ``namespace``: that of the request. ``http``: the request as it came.
    """

    values: dict[str, Any]
    actor: str
    namespace: str
    http: HttpRequest


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation.

    ``request`` and ``response``: the fields within its element and within that of its answer, and their attributes. ``do``: carries it
    out and returns the values of the answer; raises Fault or Refused. ``writes``: it changes something, which
    not every role may. ``streams``: its answer may be long and is sent as it is made; what can go wrong must
    go wrong before ``do`` returns. ``answers``: the name of the answer's element; empty: its own and
    ``Response``.
    """

    name: str
    request: tuple[Field, ...]
    response: tuple[Field, ...]
    do: Callable[[Call], Mapping[str, Any]]
    writes: bool = False
    streams: bool = False
    answers: str = ""

    @property
    def answer_name(self) -> str:
        """The name of the answer's element."""
        return self.answers or f"{self.name}Response"


def told(refusal: Refused, names: Mapping[str, str]) -> str:
    """Return the rules that were broken, each behind its field; ``names``: what fields are called here."""
    return " ".join(
        f"{names.get(field, field)}: {rule}" if field else str(rule)
        for rule, field in refusal.rules
    )


def by_name(*groups: tuple[Operation, ...]) -> dict[str, Operation]:
    """Return the operations of several tables by their names."""
    return {operation.name: operation for group in groups for operation in group}


@dataclass(frozen=True, slots=True)
class Service:
    """An interface.

    ``namespaces``: those that it knows, the newest last; the WSDL describes that one. ``qualified``: whether
    fields are in the namespace, too. ``may``: whether a user may use it, and to write. ``asks_password``: whether
    it asks for one by HTTP; else anybody may use it, and its operations see to who it is. ``version``: of the answer to
    what cannot be read; any other answer has that of its request. ``fault_detail``: gives the
    XML in the detail of a fault. ``refuse_namespace``: gives the answer to a request in an unknown one.
    ``binding``: the name of the binding in the WSDL. ``action``: the SOAPAction there, with ``{operation}``; what
    clients send is not looked at. ``page``: what a browser is shown; empty: nothing. ``refused``: the fault for
    a rule that was broken. ``wsdl_namespace``: of the description itself; empty: as that of the messages.
    ``too_many``: the text of the fault when too many requests come (AXL_THROTTLE); empty: HTTP 503.
    ``write``: how fields become XML; ``types``: a schema of the types that it names. ``elsewhere``: why the operation of this
    name is not at the own address of a server (SOAP_NODES); empty: it is.
    """

    name: str
    binding: str
    namespaces: tuple[str, ...]
    operations: Mapping[str, Operation]
    may: Callable[[User, bool], bool]
    asks_password: bool = True
    version: Version = Version.V11
    qualified: bool = False
    fault_detail: Callable[[Fault, Message], str] = field(default=lambda _fault, _message: "")
    refuse_namespace: Callable[[Message], HttpResponse | None] = field(
        default=lambda _message: None
    )
    action: str = "{operation}"
    page: str = ""
    types: str = ""
    write: Callable[[Iterable[Field], Mapping[str, Any]], Iterator[str]] = field(default=write)
    refused: Callable[[Refused], Fault] = field(default=lambda refusal: Fault(told(refusal, {})))
    wsdl_namespace: str = ""
    too_many: str = ""
    elsewhere: Callable[[str, Server], str] = field(default=lambda _name, _server: "")
