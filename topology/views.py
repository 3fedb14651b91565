"""The pages *Presence Topology* and *Node Details*."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from redundancy.selectors import cluster, live, nodes
from redundancy.selectors.live import ObserverView
from redundancy.selectors.node_details import details
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.polls import poll
from topology.choice import STATES, VIEWS, Choice, Part, View, choose, read
from topology.layout import place
from topology.model import build
from topology.node import NodePage, page_of

APPLICATION = "cupadmin"
CENTERS = {
    "feature": say("Control Center - Feature Services"),
    "network": say("Control Center - Network Services"),
}


@require_safe
def presence_topology(request: HttpRequest) -> HttpResponse:
    """Show the cluster, or the part of it that ``name``, ``state``, ``view`` and ``page`` ask for.

    With ``fragment`` only what changed: nothing (204) while version ``v`` and the ages ``a`` of
    heartbeats still hold, the ages alone, or all of the live part.
    """
    choice = read(request.GET)
    if "fragment" in request.GET:
        return _poll(request, choice)
    part = _part(choice, live.observer())
    context = {
        **_context(part),
        "title": say("Presence Topology"),
        "application": APPLICATION,
        "states": STATES,
        "views": VIEWS,
        "status_error": choice.error,
    }
    status = 400 if choice.error else 200
    return render(request, "topology/topology.html", context, status=status)


def _part(choice: Choice, watch: ObserverView) -> Part:
    seen = cluster.look(seeing=watch.ok)
    return choose(build(seen, blind="" if watch.ok else watch.sentence), choice)


def _poll(request: HttpRequest, choice: Choice) -> HttpResponse:
    part: Part | None = None

    def answer(watch: ObserverView) -> HttpResponse:
        nonlocal part
        part = _part(choice, watch)
        return _fragment(request, part)

    def until(now: float) -> float:
        assert part is not None
        # A map tells the age of every heartbeat, which is no news to the stamp.
        return now if part.ages_run else holds_until(now)

    return poll(request, answer, until)


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
    return trigger_client_event(response, "announce", {"value": str(topology.summary)})


@require_safe
def node_details(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one node; with ``fragment`` only its live part, or 204 while version ``v`` still holds."""
    if "fragment" in request.GET:
        return poll(
            request,
            lambda watch: _node_fragment(request, pk, watch),
            lambda now: holds_until(now, nodes.mates(pk)),
        )
    shown, watch = _node(pk), live.observer()
    context = {
        **_node_context(shown, watch),
        "title": say("Node Details"),
        "application": APPLICATION,
        "related_links": _related(shown),
    }
    return render(request, "topology/node.html", context)


def _node(pk: int) -> NodePage:
    found = details(pk)
    if found is None:
        raise Http404
    return page_of(found)


def _node_context(shown: NodePage, watch: ObserverView) -> dict[str, object]:
    version = f"{shown.version}-{'seen' if watch.ok else 'blind'}"
    return {"node": shown, "observer": watch, "version": version}


def _node_fragment(request: HttpRequest, pk: int, watch: ObserverView) -> HttpResponse:
    shown = _node(pk)
    context = _node_context(shown, watch)
    if request.GET.get("v") == context["version"]:
        return HttpResponse(status=204)
    response = render(request, "topology/_node_live.html", context)
    return trigger_client_event(response, "announce", {"value": str(shown.summary)})


def _related(node: NodePage) -> list[Link]:
    pk = node.details.shown.server_id
    return [
        Link(say("Back To Presence Topology"), reverse("topology")),
        Link(say("Server Configuration"), reverse("server_edit", args=[pk])),
        *(
            Link(label, f"{reverse('control_center', args=[kind])}?server={pk}")
            for kind, label in CENTERS.items()
        ),
    ]
