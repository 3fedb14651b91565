"""*System > Server*."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.catalog import DEFAULT_VERSION
from redundancy.errors import Refused
from redundancy.forms.servers import ServerForm, ServerTypeForm, values_of
from redundancy.models import Server, ServerType
from redundancy.operations.groups import disable_ha
from redundancy.operations.servers import add_server, before_renaming, delete_server, edit_server
from redundancy.operations.trial import try_out
from redundancy.permissions import can_write, refuse_read_only, writers_only
from redundancy.selectors import servers
from redundancy.selectors.effects import ROUTER_AFTERWARDS
from redundancy.srm.words import say
from redundancy.views.cautions import CONTINUE, DISABLE_HA, show_caution
from redundancy.views.chrome import Link, Tool
from redundancy.views.delete import delete, selected_pks
from redundancy.views.find_list import Column, Selection, find_list, show_list
from redundancy.views.numbers import whole_number

FORM = "server-form"
NOT_TYPED = {"csrfmiddlewaretoken", "choice"}
FIELDS = {
    "name": say("Host Name/IP Address"),
    "description": say("Description"),
    "domain": say("IM and Presence Domain"),
    "group": say("Presence Redundancy Group"),
}
COLUMNS = (
    Column(say("Host Name/IP Address"), "name"),
    Column(say("Description"), "description"),
    Column(say("Server Type"), "type"),
    Column(say("Database Replication"), "replication"),
    Column(say("Presence Redundancy Group"), "group"),
)


def _back() -> list[Link]:
    return [Link(say("Back To Find/List"), reverse("server_list"))]


def _server(pk: int | None) -> Server:
    return get_object_or_404(servers.find_servers(), pk=pk)


@require_safe
def server_list(request: HttpRequest) -> HttpResponse:
    """Find and list servers."""
    listing = find_list(
        request,
        what=say("servers"),
        find=servers.find_servers,
        fields=FIELDS,
        columns=COLUMNS,
        row_template="servers/row.html",
        selection=Selection(reverse("server_delete_selected")) if can_write(request.user) else None,
    )
    return show_list(request, listing, say("Find and List Servers"), add=reverse("server_add"))


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def server_add(request: HttpRequest) -> HttpResponse:
    """Add a server: its type first, then the rest."""
    asked = request.POST if request.method == "POST" else request.GET
    server_type = asked.get("type", "")
    if server_type not in ServerType.values:
        return _choose_type(request)
    form = ServerForm(
        request.POST if request.method == "POST" else None,
        server_type=server_type,
        initial={"version": DEFAULT_VERSION, **_copied(request)},
    )
    actor = request.user.get_username()
    server = form.carry_out(
        lambda: add_server(server_type=server_type, actor=actor, **form.values())
    )
    if server is not None:
        messages.success(request, str(say("Add successful")))
        return redirect("server_edit", server.pk)
    context = {
        "title": say("Server Configuration"),
        "form": form,
        "form_id": FORM,
        "server_type": ServerType(server_type),
        "tools": [Tool(say("Save"), "save", form=FORM)],
        "related_links": _back(),
    }
    return render(request, "servers/edit.html", context, status=422 if form.errors else 200)


def _choose_type(request: HttpRequest) -> HttpResponse:
    form = ServerTypeForm(request.GET if "type" in request.GET else None)
    context = {
        "title": say("Server Configuration"),
        "form": form,
        "form_id": FORM,
        "tools": [Tool(say("Next"), "next", form=FORM)],
        "related_links": _back(),
    }
    return render(request, "servers/type.html", context, status=422 if form.errors else 200)


def _copied(request: HttpRequest) -> dict[str, str]:
    """Return what a copy takes over from the server it is made of: all but names and addresses."""
    if "copy" not in request.GET:
        return {}
    values = values_of(_server(whole_number(request.GET["copy"])))
    return {name: values[name] for name in ("description", "domain", "version")}


@require_http_methods(["GET", "HEAD", "POST"])
def server_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a server, and change it."""
    server = _server(pk)
    if request.method == "POST":
        refuse_read_only(request)
    writable = can_write(request.user)
    form = ServerForm(
        request.POST if request.method == "POST" else None,
        server_type=server.server_type,
        initial=values_of(server),
        read_only=not writable,
    )
    actor, text = request.user.get_username(), ""

    def save() -> Server:
        return edit_server(server=server, actor=actor, **form.values())

    if request.method == "POST" and request.POST.get("choice") == DISABLE_HA and server.group:
        disable_ha(group=server.group, actor=actor)
        text = say(
            "High Availability of {group} is off. Wait 2 minutes, then press Save.",
            group=server.group.name,
        )
    elif request.method == "POST" and (asked := _before_saving(request, server, form, save)):
        return asked
    elif form.carry_out(save):
        messages.success(request, str(say("Update successful")))
        return redirect("server_edit", pk)
    context = {
        "title": say("Server Configuration"),
        "form": form,
        "form_id": FORM,
        "server": server,
        "server_type": ServerType(server.server_type),
        "status_text": text,
        "assigned": servers.users_of([server.pk])[server.pk],
        "tools": _tools(server) if writable else [],
        "related_links": _back(),
    }
    return render(request, "servers/edit.html", context, status=422 if form.errors else 200)


def _before_saving(
    request: HttpRequest, server: Server, form: ServerForm, save: Callable[[], Server]
) -> HttpResponse | None:
    """Ask before a node is renamed while High Availability is on; None when nobody has to be asked."""
    if not form.is_valid() or request.POST.get("choice") == CONTINUE:
        return None
    caution = before_renaming(server, form.values()["name"])
    if caution is None:
        return None
    try:
        try_out(save)
    except Refused:
        # The form says why.
        return None
    typed = [(k, str(v)) for k, v in request.POST.items() if k not in NOT_TYPED]
    return show_caution(request, caution, application="ccmadmin", fields=typed, cancel=request.path)


def _tools(server: Server) -> list[Tool]:
    add = reverse("server_add")
    return [
        Tool(say("Save"), "save", form=FORM),
        Tool(say("Delete"), "delete", href=reverse("server_delete", args=[server.pk]), dialog=True),
        Tool(
            say("Copy"),
            "copy",
            href=f"{add}?type={server.server_type}&copy={server.pk}",
        ),
        Tool(say("Add New"), "add", href=add),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def server_delete(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Delete a server after asking, or those selected in the list."""
    selected = servers.find_servers().filter(pk__in=selected_pks(request))
    # The publisher can only go when no subscriber is left.
    ordered = sorted(selected, key=lambda server: server.is_publisher)
    chosen = ordered if pk is None else [_server(pk)]
    actor = request.user.get_username()
    return delete(
        request,
        objects=chosen,
        remove=lambda server: delete_server(server=server, actor=actor),
        what=say("Server") if len(chosen) == 1 else say("Servers"),
        back=reverse("server_list"),
        effects=[ROUTER_AFTERWARDS] * any(s.server_type == ServerType.IMP for s in chosen),
    )
