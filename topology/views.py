"""The pages *Presence Topology* and *Node Details*."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from redundancy.selectors import cluster, live
from redundancy.selectors.node_details import details
from redundancy.views.chrome import Lab, Link, tell_time
from topology.choice import STATES, VIEWS, Part, View, choose, read
from topology.layout import place
from topology.model import build
from topology.node import NodePage, page_of

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


@require_safe
def node_details(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one node; with ``fragment`` only its live part, or 204 while version ``v`` still holds."""
    found = details(pk)
    if found is None:
        raise Http404
    watch = live.observer()
    shown = page_of(found)
    version = f"{shown.version}-{'seen' if watch.ok else 'blind'}"
    context = {"node": shown, "observer": watch, "version": version}
    if "fragment" not in request.GET:
        context |= {
            "title": "Node Details",
            "application": APPLICATION,
            "related_links": _related(shown),
        }
        return render(request, "topology/node.html", context)
    at = Lab(watch.lab_now, watch.rate)
    if request.GET.get("v") == version:
        return tell_time(HttpResponse(status=204), at)
    response = render(request, "topology/_node_live.html", context)
    return tell_time(trigger_client_event(response, "announce", {"value": shown.summary}), at)


def _related(node: NodePage) -> list[Link]:
    pk = node.details.shown.server_id
    links = [
        Link("Back To Presence Topology", reverse("topology")),
        Link("Server Configuration", reverse("server_edit", args=[pk])),
    ]
    for kind in ("Feature", "Network"):
        address = reverse("control_center", args=[kind.lower()])
        links.append(Link(f"Control Center - {kind} Services", f"{address}?server={pk}"))
    return links
