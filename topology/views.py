"""The pages *Presence Topology* and *Node Details*."""

from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy.selectors import cluster, live, nodes
from redundancy.selectors.live import ObserverView
from redundancy.selectors.node_details import details
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.polls import Region, at_once, poll
from topology.choice import STATES, VIEWS, MapQuery, View, choose, read
from topology.layout import draw_map
from topology.model import build_map
from topology.node import page_of

APPLICATION = "cupadmin"
CENTERS = {
    "feature": say("Control Center - Feature Services"),
    "network": say("Control Center - Network Services"),
}


@require_safe
def presence_topology(request: HttpRequest) -> HttpResponse:
    """Show the cluster, or the part of it that ``name``, ``state``, ``view`` and ``page`` ask for.

    With ``fragment`` only what changed: nothing (204) while version ``v`` still holds, the ages of
    heartbeats alone, or all of the live part.
    """
    choice = read(request.GET)
    if "fragment" in request.GET:
        return poll(request, partial(_topology, choice))
    context = {
        **_topology(choice, live.observer()).context,
        "title": say("Presence Topology"),
        "application": APPLICATION,
        "states": STATES,
        "views": VIEWS,
        "status_error": choice.error,
    }
    status = 400 if choice.error else 200
    return render(request, "topology/topology.html", context, status=status)


def _topology(choice: MapQuery, watch: ObserverView) -> Region:
    topology = build_map(cluster.look_at_cluster(seeing=watch.ok))
    part = choose(topology, choice)
    drawn = draw_map(part.topology) if part.view is View.MAP else None
    query = choice.query()
    return Region(
        "topology/_changes.html",
        content={
            "states": topology.states,
            "part": part,
            "observer": watch,
            "ages": part.ages,
        },
        aside={
            "topology": part.topology,
            "map": drawn,
            "refresh": f"{reverse('topology')}?{query}{'&' if query else ''}fragment=1",
        },
        # A map tells the age of every heartbeat, which is no news to the stamp.
        until=at_once if part.ages_run else holds_until,
        announcement=topology.summary,
        # Users that come and go are shown, but not read out every two seconds.
        announced_with="states",
        alone={"ages": "topology/_ages.html"} if drawn else {},
    )


@require_safe
def node_details(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one node; with ``fragment`` only its live part, or 204 while version ``v`` still holds."""
    if "fragment" in request.GET:
        return poll(request, partial(_node, pk))
    region = _node(pk, live.observer())
    context = {
        **region.context,
        "title": say("Node Details"),
        "application": APPLICATION,
        "related_links": _related(pk),
    }
    return render(request, "topology/node.html", context)


def _node(pk: int, watch: ObserverView) -> Region:
    found = details(pk)
    if found is None:
        raise Http404
    page = page_of(found)
    return Region(
        "topology/_node_live.html",
        content={"node": page, "observer": watch},
        until=lambda now: holds_until(now, nodes.mates(pk)),
        announcement=page.summary,
    )


def _related(pk: int) -> list[Link]:
    return [
        Link(say("Back To Presence Topology"), reverse("topology")),
        Link(say("Server Configuration"), reverse("server_edit", args=[pk])),
        *(
            Link(label, f"{reverse('control_center', args=[kind])}?server={pk}")
            for kind, label in CENTERS.items()
        ),
    ]
