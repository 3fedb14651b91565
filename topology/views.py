"""The Presence Topology page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from redundancy.selectors import cluster, live
from redundancy.views.chrome import Lab, tell_time
from topology.choice import STATES, VIEWS, Part, View, choose, read
from topology.layout import place
from topology.model import build

APPLICATION = "cupadmin"


@require_safe
def presence_topology(request: HttpRequest) -> HttpResponse:
    """Show the cluster, or the part of it that ``name``, ``state``, ``view`` and ``page`` ask for.

    With ``fragment`` only what changed: nothing (204) while version ``v`` and the ages ``a`` of
    heartbeats still hold, the ages alone, or all of the live part.
    """
    watch = live.observer()
    choice = read(request.GET)
    seen = cluster.look(seeing=watch.ok)
    part = choose(build(seen, blind="" if watch.ok else watch.sentence), choice)
    if "fragment" in request.GET:
        return tell_time(_fragment(request, part), Lab(watch.lab_now, watch.rate))
    context = {
        **_context(part),
        "title": "Presence Topology",
        "application": APPLICATION,
        "states": STATES,
        "views": VIEWS,
        "status_error": choice.error,
    }
    status = 400 if choice.error else 200
    return render(request, "topology/topology.html", context, status=status)


def _context(part: Part) -> dict[str, object]:
    topology = part.topology
    query = part.choice.query()
    return {
        "part": part,
        "topology": topology,
        "map": place(topology) if part.view is View.MAP else None,
        "refresh": f"{reverse('topology')}?{query}{'&' if query else ''}fragment=1"
        f"&v={topology.version}&a={part.ages}",
    }


def _fragment(request: HttpRequest, part: Part) -> HttpResponse:
    seen, topology = request.GET.get("v", ""), part.topology
    same = seen == topology.version
    if same and request.GET.get("a", "") == part.ages:
        return HttpResponse(status=204)
    if same and part.view is View.MAP:
        return render(request, "topology/_ages.html", _context(part))
    response = render(request, "topology/_changes.html", _context(part))
    # Users that come and go are shown, but not read out every two seconds.
    if seen.startswith(topology.states):
        return response
    return trigger_client_event(response, "announce", {"value": topology.summary})
