"""*Tools > Service Activation*: which feature services are activated on a node."""

from collections.abc import Collection

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from redundancy.catalog import SERVICES, ServiceKind
from redundancy.errors import Refused
from redundancy.models import Server
from redundancy.operations import groups
from redundancy.operations.activation import caution, set_activations
from redundancy.operations.trial import try_out
from redundancy.permissions import can_write, refuse_read_only
from redundancy.selectors import nodes
from redundancy.selectors.services import services_of
from redundancy.srm.words import say
from redundancy.views.cautions import CONTINUE, DISABLE_HA, refuse_in_status, show_caution
from redundancy.views.choices import choices
from redundancy.views.chrome import Link, Tool, group_link
from redundancy.views.confirm import go_to, is_htmx
from redundancy.views.control_panel import MachineView, Panel
from redundancy.views.numbers import node_of

APPLICATION = "ccmservice"
TITLE = say("Service Activation")
FORM = "activation-form"
FEATURES = [service for service in SERVICES if service.kind is ServiceKind.FEATURE]
# What can be filled into the form: which services are checked, and what is said of it.
DEFAULT, ALL, CHOSEN = "default", "all", "chosen"
SAYS = {
    DEFAULT: say("The default services are checked. Press Save to apply them."),
    ALL: say("All services are checked. Press Save to apply them."),
}


@require_http_methods(["GET", "HEAD", "POST"])
def service_activation(request: HttpRequest) -> HttpResponse:
    """Show the feature services of the chosen server (GET), activate those that are checked (POST).

    ``fill`` checks the default ones, all, or those named; nothing is saved by it.
    """
    chosen = request.GET.get("server", "")
    if request.method == "POST":
        refuse_read_only(request)
        return _save(request, node_of(chosen))
    if not chosen:
        return _page(request, None)
    fill = request.GET.get("fill", "")
    checked = {
        DEFAULT: {service.name for service in FEATURES if service.by_default},
        ALL: {service.name for service in FEATURES},
        CHOSEN: set(request.GET.getlist("service")),
    }.get(fill)
    return _page(request, node_of(chosen), checked=checked, text=SAYS.get(fill, ""))


def _save(request: HttpRequest, server: Server) -> HttpResponse:
    if "seen" not in request.POST:
        raise BadRequest(say("seen: must name the services that were activated."))
    checked, seen = request.POST.getlist("service"), request.POST.getlist("seen")
    names = dict.fromkeys([*(service.name for service in FEATURES), *checked])
    wanted = {name: name in checked for name in names}
    expected = {service.name: service.name in seen for service in FEATURES}
    choice, actor = request.POST.get("choice", ""), request.user.get_username()

    def save() -> list[str]:
        return set_activations(server=server, activated=wanted, expected=expected, actor=actor)

    try:
        if choice == DISABLE_HA and server.group is not None:
            groups.disable_ha(group=server.group, actor=actor)
            off = say(
                "High Availability of {group} is off. Wait 2 minutes, then press Save.",
                group=server.group.name,
            )
            messages.success(request, str(off))
            return go_to(request, _address(server, CHOSEN, checked))
        ask = None if choice == CONTINUE else caution(server, wanted)
        if ask is not None:
            # What is refused anyway is refused now, and not after a promise of its effects.
            try_out(save)
            fields = [("service", name) for name in checked] + [("seen", name) for name in seen]
            return show_caution(
                request, ask, application=APPLICATION, fields=fields, cancel=_address(server)
            )
        changed = save()
    except Refused as refused:
        status = 422 if refused.field else 409
        if is_htmx(request):
            return refuse_in_status(request, refused.rule, status=status)
        return _page(request, server, checked=checked, error=refused.rule, status=status)
    if changed:
        messages.success(request, str(say("Update successful")))
    else:
        messages.info(request, str(say("Nothing was changed.")))
    return go_to(request, _address(server))


def _address(server: Server, fill: str = "", services: Collection[str] = ()) -> str:
    query = [("server", str(server.pk))]
    if fill:
        query += [("fill", fill), *(("service", name) for name in services)]
    return f"{reverse('service_activation')}?{urlencode(query)}"


def _page(
    request: HttpRequest,
    server: Server | None,
    *,
    checked: Collection[str] | None = None,
    text: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, object] = {
        "title": TITLE,
        "application": APPLICATION,
        "choices": choices(request, nodes.nodes(), server.pk if server else None),
        "status_text": text,
        "status_error": error,
    }
    if server is not None:
        rows = tuple(services_of(server, ServiceKind.FEATURE))
        present = [row.name for row in rows if row.activated]
        context |= {
            "server": server,
            "panel": Panel(server, MachineView.of(server.machine), server.group, rows),
            "present": present,
            "checked": present if checked is None else checked,
            "form_id": FORM,
            "check_all": _address(server, ALL),
            "tools": _tools(request, server),
            "related_links": _related(server),
        }
    return render(request, "deployment/activation.html", context, status=status)


def _tools(request: HttpRequest, server: Server) -> list[Tool]:
    refresh = Tool(say("Refresh"), "refresh", href=_address(server))
    if not can_write(request.user):
        return [refresh]
    return [
        Tool(say("Save"), "save", form=FORM),
        Tool(say("Set to Default"), "default", href=_address(server, DEFAULT)),
        refresh,
    ]


def _related(server: Server) -> list[Link]:
    center = f"{reverse('control_center', args=['feature'])}?server={server.pk}"
    links = [Link(say("Control Center - Feature Services"), center)]
    if server.group:
        links.append(group_link(server.group))
    return links
