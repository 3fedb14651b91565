"""The view of an interface: from the HTTP request to the operation, and back."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from redundancy.errors import Refused
from redundancy.language import SOURCE
from redundancy.operations.throttle import TryLater
from redundancy.outage import is_outage
from redundancy.soap import envelope, fields, throttle, wsdl
from redundancy.soap.addresses import dialled
from redundancy.soap.envelope import Malformed, Message, Version
from redundancy.soap.service import Call, Fault, Operation, Service
from redundancy.soap.signin import sign_in

logger = logging.getLogger(__name__)

REALM = "Cisco Web Services Realm"
# Pieces of an answer that are sent together.
_TOGETHER = 500


def door(service: Service) -> Callable[..., HttpResponseBase]:
    """Return the view of ``service``: POST is a message, GET with ``?wsdl`` the description, else the page."""

    @csrf_exempt
    @login_not_required
    def answer(request: HttpRequest, **_: Any) -> HttpResponseBase:
        with translation.override(SOURCE):
            return _answer(request, service)

    return answer


def _answer(request: HttpRequest, service: Service) -> HttpResponseBase:
    if request.META.get("HTTP_ORIGIN"):
        # A page of some site, in a browser that remembers the password: programs send no such header.
        return _plain(403, "HTTP Status 403 - This is for programs, not for pages.")
    if request.method in ("GET", "HEAD") and "wsdl" in {key.lower() for key in request.GET}:
        text = wsdl.describe(service, request.build_absolute_uri(request.path))
        return HttpResponse(text, content_type="text/xml; charset=utf-8")
    user = None
    if service.asks_password:
        try:
            user = sign_in(request)
        except TryLater as refused:
            return _plain(503, str(refused.rule), {"Retry-After": str(refused.seconds)})
        if user is None:
            basic = {"WWW-Authenticate": f'Basic realm="{REALM}"'}
            return _plain(401, "HTTP Status 401 - Unauthorized", basic)
        if not service.may(user, False):
            return _plain(
                403, f"HTTP Status 403 - {user.get_username()} may not use {service.name}."
            )
    if request.method in ("GET", "HEAD"):
        return HttpResponse(service.page) if service.page else _plain(404, "HTTP Status 404")
    if request.method != "POST":
        return _plain(405, "HTTP Status 405 - Use POST.", {"Allow": "GET, HEAD, POST"})
    return _carry_out(request, service, user)


def _carry_out(request: HttpRequest, service: Service, user: User | None) -> HttpResponseBase:
    try:
        message = envelope.open_envelope(request.body)
    except Malformed as error:
        version = service.version
        fault = envelope.fault(version, str(error), theirs=True)
        return _xml(fault, version, _fault_status(version, theirs=True))
    if message.namespace not in service.namespaces:
        refused = service.refuse_namespace(message)
        if refused is not None:
            return refused
        return _fault(service, message, _unknown(message))
    if seconds := throttle.wait(service.name):
        if service.too_many:
            return _fault(service, message, Fault(service.too_many))
        text = f"HTTP Status 503 - More requests than {service.name} takes a minute."
        return _plain(503, text, {"Retry-After": str(seconds)})
    operation = service.operations.get(message.name)
    if operation is None:
        return _fault(service, message, _unknown(message))
    at = dialled(request)
    if at is not None and (why := service.elsewhere(message.name, at)):
        return _fault(service, message, Fault(why, theirs=True))
    if operation.writes and user is not None and not service.may(user, True):
        return _plain(403, f"HTTP Status 403 - {user.get_username()} may change nothing here.")
    try:
        call = Call(
            fields.read(message.element, operation.request),
            user.get_username() if user is not None else "",
            message.namespace,
            request,
        )
        return _success(service, message, operation, operation.do(call))
    except fields.Invalid as invalid:
        return _fault(service, message, Fault(str(invalid), theirs=True))
    except Refused as refusal:
        return _fault(service, message, service.refused(refusal))
    except Fault as fault:
        return _fault(service, message, fault)
    except Exception as error:
        if isinstance(error, DatabaseError) and is_outage(error):
            return _fault(service, message, Fault("The database cannot be used. Try again later."))
        logger.exception("%s of %s failed", message.name, service.name)
        return _fault(service, message, Fault("The server failed; its log says how."))


def _unknown(message: Message) -> Fault:
    return Fault(f"There is no operation {message.name[:80]!r} here.", theirs=True)


def _success(
    service: Service, message: Message, operation: Operation, values: Mapping[str, Any]
) -> HttpResponseBase:
    content = envelope.wrap(
        operation.answer_name,
        message.namespace,
        service.write(operation.response, values),
        attributes=fields.attributes(operation.response, values),
        qualified=service.qualified,
    )
    pieces = envelope.close_envelope(message.version, content)
    if not operation.streams:
        return _xml("".join(pieces), message.version)
    kind = message.version.content_type
    return StreamingHttpResponse(_larger(pieces), content_type=kind)


def _larger(pieces: Iterator[str]) -> Iterator[bytes]:
    some: list[str] = []
    # Made when the view has returned: it is in English all the same.
    with translation.override(SOURCE):
        for piece in pieces:
            some.append(piece)
            if len(some) >= _TOGETHER:
                yield "".join(some).encode()
                some.clear()
        yield "".join(some).encode()


def _fault(service: Service, message: Message, fault: Fault) -> HttpResponse:
    text = envelope.fault(
        message.version,
        fault.text,
        detail=service.fault_detail(fault, message),
        theirs=fault.theirs,
    )
    return _xml(text, message.version, _fault_status(message.version, theirs=fault.theirs))


def _fault_status(version: Version, *, theirs: bool) -> int:
    """Return the HTTP status of a fault, as the binding of that version to HTTP says."""
    return 400 if theirs and version is Version.V12 else 500


def _xml(text: str, version: Version, status: int = 200) -> HttpResponse:
    return HttpResponse(text.encode(), status=status, content_type=version.content_type)


def _plain(status: int, text: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers
    )
