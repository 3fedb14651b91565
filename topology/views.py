"""The Presence Topology page."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from redundancy.selectors import live, users
from topology.layout import place
from topology.model import Topology, build


@require_safe
def presence_topology(request: HttpRequest) -> HttpResponse:
    """Show the map; with ``fragment`` only its live part, or 204 while version ``v`` still holds."""
    topology = build(
        live.all_live(), live.unassigned(), users.count_without_node(), live.observer()
    )
    if "fragment" in request.GET:
        return _fragment(request, topology)
    return render(
        request,
        "topology/topology.html",
        {**_context(topology), "title": "Presence Topology", "application": "cupadmin"},
    )


def _context(topology: Topology) -> dict[str, object]:
    return {"topology": topology, "map": place(topology)}


def _fragment(request: HttpRequest, topology: Topology) -> HttpResponse:
    if request.GET.get("v") == topology.version:
        return HttpResponse(status=204)
    response = render(request, "topology/_live.html", _context(topology))
    response["HX-Trigger"] = json.dumps({"announce": topology.summary})
    return response
