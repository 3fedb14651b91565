"""What belongs to *Service Parameters*: their help, and the lists of all servers."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, SRM, Parameter
from redundancy.models import ServiceParameter
from redundancy.selectors import parameters, servers
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.confirm import is_htmx
from redundancy.views.find_list import Column, Listing, find_list, list_context

# The title of a list, and the name of its address.
ALL = say("Parameters for All Servers"), "parameters_all"
MODIFIED = say("Modified Parameters for All Servers"), "parameters_modified"


@require_safe
def parameter_help(request: HttpRequest, application: str) -> HttpResponse:
    """Explain one parameter, or all."""
    key = request.GET.get("parameter", "")
    if key and key not in PARAMETER_BY_KEY:
        raise Http404
    in_dialog = is_htmx(request)
    context = {
        "title": say("Help: {service} Parameters", service=SRM),
        "application": application,
        "in_dialog": in_dialog,
        "parameters": [PARAMETER_BY_KEY[key]] if key else PARAMETERS,
        "related_links": [_back(application)],
    }
    return render(request, f"parameters/{'_help' if in_dialog else 'help'}.html", context)


@require_safe
def parameters_all(request: HttpRequest, application: str) -> HttpResponse:
    """List every server with the parameters it has for itself, below the clusterwide ones."""
    listing = find_list(
        request,
        what=say("servers"),
        find=servers.find_nodes,
        fields={"name": say("Host Name/IP Address"), "group": say("Presence Redundancy Group")},
        columns=(
            Column(say("Host Name/IP Address"), "name"),
            Column(say("Presence Redundancy Group"), "group"),
            *(Column(parameter.name) for parameter in parameters.PER_NODE),
        ),
        row_template="parameters/server_row.html",
        details=_own_parameters,
    )
    present = parameters.texts()
    clusterwide = [(p, present[p.key]) for p in PARAMETERS if not p.per_node]
    return _list(request, application, ALL, MODIFIED, listing, clusterwide=clusterwide)


def _own_parameters(server_ids: Sequence[int]) -> dict[int, list[tuple[Parameter, str]]]:
    rows = parameters.of_nodes(server_ids)
    return {pk: [(p, values[p.key]) for p in parameters.PER_NODE] for pk, values in rows.items()}


@require_safe
def parameters_modified(request: HttpRequest, application: str) -> HttpResponse:
    """List the parameters that differ from their suggested value."""
    listing: Listing[ServiceParameter] = find_list(
        request,
        what=say("modified parameters"),
        find=parameters.find_modified,
        fields={"server": say("Server"), "value": say("Parameter Value")},
        columns=(
            Column(say("Parameter Name"), "parameter"),
            Column(say("Server"), "server"),
            Column(say("Parameter Value"), "value"),
            Column(say("Suggested Value")),
        ),
        row_template="parameters/modified_row.html",
    )
    return _list(request, application, MODIFIED, ALL, listing)


def _list(
    request: HttpRequest,
    application: str,
    page: tuple[str, str],
    other: tuple[str, str],
    listing: Listing[Any],
    **more: object,
) -> HttpResponse:
    title, address = other
    context = {
        "title": page[0],
        "application": application,
        "service": SRM,
        "related_links": [_back(application), Link(title, reverse(address, args=[application]))],
        **list_context(listing),
        **more,
    }
    return render(request, "parameters/list.html", context, status=listing.status)


def _back(application: str) -> Link:
    url = reverse("service_parameters", args=[application])
    return Link(say("Back To Service Parameters"), url)
