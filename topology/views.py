"""The pages *Presence Topology* and *Node Details*."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy.permissions import can_write
from redundancy.selectors import answers, cluster, live, nodes, observing
from redundancy.selectors.node_details import details
from redundancy.selectors.observing import ObserverView
from redundancy.selectors.stamp import holds_until
from redundancy.selectors.watching import last_event
from redundancy.selectors.wording import ACTIONS
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.numbers import whole_number
from redundancy.views.polls import Region, at_once, poll
from topology.choice import STATES, VIEWS, MapQuery, View, choose, part_of, read, sections
from topology.layout import draw_map
from topology.model import Group, Offer, build_map
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
    heartbeats alone, or all of the live part. What SRM answered to a request is told, if it did so
    after the event ``e``.
    """
    choice, writer = read(request.GET), can_write(request.user)
    if "fragment" in request.GET:
        last = whole_number(request.GET.get("e", ""))
        return poll(request, partial(_topology, choice, writer, last))
    context = {
        **_topology(choice, writer, None, observing.observer()).context,
        "title": say("Presence Topology"),
        "application": APPLICATION,
        "states": STATES,
        "views": VIEWS,
        "status_error": choice.error,
    }
    status = 400 if choice.error else 200
    return render(request, "topology/topology.html", context, status=status)


def _topology(choice: MapQuery, writer: bool, last: int | None, watch: ObserverView) -> Region:
    # Before the look: what happens during it is news to the next one.
    newest = last_event() if writer else 0
    seen = cluster.survey(seeing=watch.ok)
    chosen = choose(seen.outlines, choice)
    topology = build_map(seen.outlines, seen.users, seen.show(chosen.outlines))
    part, groups = part_of(chosen, topology), topology.groups
    offers = _offers(groups) if writer else {}
    answer = None
    if writer and last is not None:
        answer = answers.outcome_in([group.group_id for group in groups], last)
    drawn = draw_map(topology, offers=offers) if part.view is View.MAP else None
    query = choice.query()
    return Region(
        "topology/_changes.html",
        content={
            "states": (topology.states, offers),
            "part": part,
            "observer": watch,
            "ages": part.ages,
            "answer": answer,
        },
        aside={
            "topology": topology,
            "map": drawn,
            "sections": () if drawn else tuple(sections(part, offers)),
            "refresh": f"{reverse('topology')}?{query}{'&' if query else ''}fragment=1&e={newest}",
        },
        # A map tells the age of every heartbeat, which is no news to the stamp.
        until=at_once if part.ages_run else holds_until,
        announcement=topology.summary,
        events={} if answer is None else {"answered": answer},
        # Users that come and go are shown, but not read out every two seconds.
        announced_with="states",
        alone={"answer": "topology/_live.html"}
        | ({"ages": "topology/_ages.html"} if drawn else {}),
    )


def _offers(groups: Sequence[Group]) -> dict[int, list[Offer]]:
    """Return what the state of each group allows, by its key: what its own page offers."""
    fitting = live.offered_actions(group.group_id for group in groups)
    return {group.group_id: list(_offers_of(group, fitting)) for group in groups}


def _offers_of(group: Group, fitting: Mapping[int, str]) -> Iterator[Offer]:
    pk = group.group_id
    if not group.ha_enabled and len(group.nodes) == 2:
        url = reverse("group_enable", args=[pk])
        yield Offer(pk, None, group.name, "start", say("Enable High Availability"), url)
    for node in group.nodes:
        action = fitting.get(node.server_id)
        if action is None:
            continue
        url = reverse("group_action", args=[pk, node.server_id, action])
        label = ACTIONS[action]
        if action == "recover":
            # Of both nodes at once: it is offered once.
            yield Offer(pk, None, group.name, action, label, url)
            return
        yield Offer(pk, node.server_id, node.name, action, label, url)


@require_safe
def node_details(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one node; with ``fragment`` only its live part, or 204 while version ``v`` still holds."""
    if "fragment" in request.GET:
        return poll(request, partial(_node, pk))
    region = _node(pk, observing.observer())
    context = {
        **region.context,
        "title": say("Node Details"),
        "application": APPLICATION,
        "related_links": _related(pk),
    }
    return render(request, "topology/node.html", context)


def _node(pk: int, watch: ObserverView) -> Region:
    found = details(pk, seeing=watch.ok)
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
