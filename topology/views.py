"""The Presence Topology page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from redundancy.selectors import live, users
from redundancy.views.chrome import Lab, tell_time
from topology.layout import place
from topology.model import Topology, build


@require_safe
def presence_topology(request: HttpRequest) -> HttpResponse:
    """Show the map; with ``fragment`` only its live part, or 204 while version ``v`` still holds."""
    watch = live.observer()
    topology = build(live.all_live(), live.unassigned(), users.count_without_node(), watch)
    if "fragment" in request.GET:
        return tell_time(_fragment(request, topology), Lab(watch.lab_now, watch.rate))
    return render(
        request,
        "topology/topology.html",
        {**_context(topology), "title": "Presence Topology", "application": "cupadmin"},
    )


def _context(topology: Topology) -> dict[str, object]:
    return {"topology": topology, "map": place(topology)}


def _fragment(request: HttpRequest, topology: Topology) -> HttpResponse:
    seen = request.GET.get("v", "")
    if seen == topology.version:
        return HttpResponse(status=204)
    response = render(request, "topology/_live.html", _context(topology))
    # Users that come and go are shown, but not read out every two seconds.
    if seen.startswith(topology.states):
        return response
    return trigger_client_event(response, "announce", {"value": topology.summary})
