"""Addresses of servers (``SOAP_NODES``): who dials one asks that server, and finds the SOAP interfaces and nothing else."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.urls import Resolver404, resolve

from redundancy.models import Machine, Server, ServerType
from redundancy.origin import DIALLED
from redundancy.outage import is_outage
from redundancy.selectors.loopback import loopback_of, node_at
from redundancy.selectors.servers import cucm_publisher

_SERVER = "redundancy.soap.server"


def dialled(request: HttpRequest) -> Server | None:
    """Return the server whose own address the request came to; None where it came to no server's."""
    server: Server | None = request.META.get(_SERVER)
    return server


class NodeAddresses:
    """Middleware: let who comes to the address of a server ask that server, if it is there and has power."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer for a server that does not, or go on."""
        at = request.META.get(DIALLED) if settings.SOAP_NODES else ""
        key = node_at(at) if at else None
        return self.get_response(request) if key is None else self._at_server(request, key)

    def _at_server(self, request: HttpRequest, key: int) -> HttpResponse:
        try:
            server = _server(key)
        except DatabaseError as error:
            if not is_outage(error):
                raise
            return _plain(503, "The database cannot be used. Try again later.")
        if server is None:
            return _plain(404, "There is no such server.")
        if not _has_power(server):
            return _plain(503, f"{server.name} has no power; it does not answer.")
        try:
            resolve(request.path_info, "redundancy.soap.urls")
        except Resolver404:
            return _plain(404, "Only the SOAP interfaces are here.")
        _allow_host(request, {f"{loopback_of(key)}", server.name.lower()})
        request.META[_SERVER] = server
        return self.get_response(request)


def _server(key: int) -> Server | None:
    """Return the server that answers at the address with this key."""
    server = Server.objects.select_related("machine", "group").filter(pk=key).first()
    if server is not None and server.server_type != ServerType.IMP and server != cucm_publisher():
        return None
    return server


def _has_power(server: Server) -> bool:
    machine: Machine | None = getattr(server, "machine", None)
    return server.server_type != ServerType.IMP or (machine is not None and machine.powered)


def _allow_host(request: HttpRequest, names: set[str]) -> None:
    """Let a request call its server by one of ``names``, which ALLOWED_HOSTS cannot list: servers come and go.

    No other site's name can be among them, so that no page of another site gets here by its own.
    """
    host = request.META.get("HTTP_HOST", "")
    domain, _ = split_domain_port(host)
    if domain in names:
        request.get_host = lambda: host  # type: ignore[method-assign]


def _plain(status: int, text: str) -> HttpResponse:
    kind = "text/plain; charset=utf-8"
    return HttpResponse(f"HTTP Status {status} - {text}\n", status=status, content_type=kind)
