"""The Client Profile Agent as an interface: who is asked, its operations, its failures.

Nobody is asked for a password by HTTP: ``login`` takes it. What is not done for a client is told as a
``failure`` in its answer, as clients expect it; a fault is for messages that cannot be read.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from redundancy import clock
from redundancy.models import Server, ServerType
from redundancy.operations import clients
from redundancy.soap.addresses import dialled
from redundancy.soap.envelope import Version
from redundancy.soap.epas.waiting import await_event
from redundancy.soap.fields import Field, Kind
from redundancy.soap.service import Call, Fault, Operation, Service, by_name

_PAGE = (
    "<!DOCTYPE html><html lang='en'><head><title>EPASSoap</title></head><body><p>Cisco Client Profile Agent is"
    " working and accepting requests. Use HTTP POST to send a request.</p></body></html>"
)
_KEY = Field("session-key", required=True, longest=128)
_FAILURE = Field("failure", Kind.STRUCT, (Field("code"), Field("reason"), Field("node")))

_Do = Callable[[Call], dict[str, Any]]


def _telling(do: _Do) -> _Do:
    """Let the answer tell what was not done, and why."""

    @wraps(do)
    def answer(call: Call) -> dict[str, Any]:
        try:
            return do(call)
        except clients.Failed as failed:
            told = {"code": failed.code, "reason": str(failed.rule)}
            return {"failure": told | ({"node": failed.node} if failed.node else {})}

    return answer


def _node(call: Call) -> Server | None:
    """Return the node that the request was sent to: by its path, else by its address; None where neither names one."""
    match = call.http.resolver_match
    name = match.kwargs.get("node", "") if match is not None else ""
    if not name:
        return dialled(call.http)
    node = Server.objects.filter(name__iexact=name[:255], server_type=ServerType.IMP).first()
    if node is None:
        raise Fault(f"There is no IM and Presence server {name[:80]!r}.", theirs=True)
    return node


@_telling
def _login(call: Call) -> dict[str, Any]:
    values = call.values
    key, node = clients.log_in(
        userid=values["username"],
        password=values["password"],
        node=_node(call),
        force=values.get("force", True),
    )
    return {"success": {"session-key": key, "node": node.name}}


@_telling
def _logout(call: Call) -> dict[str, Any]:
    clients.log_out(call.values["session-key"])
    return {"success": {}}


@_telling
def _once(call: Call) -> dict[str, Any]:
    password, peer = clients.new_one_time_password(call.values["session-key"])
    return {"success": {"onetime-password": password, "node": peer.name}}


@_telling
def _config(call: Call) -> dict[str, Any]:
    told = clients.configuration(call.values["session-key"])
    return {
        "success": {
            "username": told.user.userid,
            "display-name": told.user.display_name,
            "im-address": told.user.im_address,
            "home-node": told.user.home.name if told.user.home else "",
            "node": told.node,
            "backup-node": told.backup,
            "client-relogin-lower-limit": int(told.lower),
            "client-relogin-upper-limit": int(told.upper),
            "clock-rate": f"{clock.rate():g}",
        }
    }


def _operation(
    name: str, request: tuple[Field, ...], success: tuple[Field, ...], do: _Do
) -> Operation:
    response = (Field("success", Kind.STRUCT, success), _FAILURE)
    return Operation(name, request, response, do, answers=f"{name}-resp")


OPERATIONS = (
    _operation(
        "login",
        (
            Field("username", required=True, longest=clients.LONGEST_ID),
            Field("password", required=True, longest=clients.LONGEST_PASSWORD),
            Field("force", Kind.BOOLEAN, attribute=True),
            Field("client-type", attribute=True, longest=128),
        ),
        (Field("session-key"), Field("node")),
        _login,
    ),
    _operation("logout", (_KEY,), (), _logout),
    _operation("get-onetime-password", (_KEY,), (Field("onetime-password"), Field("node")), _once),
    _operation(
        "get-all-config",
        (_KEY,),
        (
            Field("username"),
            Field("display-name"),
            Field("im-address"),
            Field("home-node"),
            Field("node"),
            Field("backup-node"),
            Field("client-relogin-lower-limit", Kind.INTEGER),
            Field("client-relogin-upper-limit", Kind.INTEGER),
            Field("clock-rate"),
        ),
        _config,
    ),
    _operation(
        "await-event",
        (
            Field("session-key", required=True, many=True, longest=128),
            Field("wait", Kind.INTEGER),
        ),
        (
            Field(
                "event",
                Kind.STRUCT,
                (Field("session-key"), Field("why"), Field("node"), Field("seconds-ago")),
                many=True,
            ),
            Field("again-after", Kind.INTEGER),
        ),
        await_event,
    ),
)


def _elsewhere(_name: str, server: Server) -> str:
    if server.server_type == ServerType.IMP:
        return ""
    return f"{server.name} is no IM and Presence server; clients log in at one."


EPAS = Service(
    name="EPASSoap",
    binding="EPASSoapBinding",
    namespaces=("urn:cisco:epas:soap",),
    operations=by_name(OPERATIONS),
    may=lambda _user, _write: True,
    asks_password=False,
    version=Version.V12,
    qualified=True,
    action="urn:cisco:epas:soap#{operation}",
    page=_PAGE,
    elsewhere=_elsewhere,
)
