"""Control Center: the services of a node, and its power."""

from collections.abc import Sequence
from functools import partial

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from redundancy.catalog import SRM, ServiceKind
from redundancy.errors import Refused
from redundancy.models import Server, ServiceStatus
from redundancy.operations import groups
from redundancy.operations.acts import (
    NODE_ACTS,
    SERVICE_ACTS,
    Act,
    already,
    caution,
    node_buttons,
)
from redundancy.operations.trial import try_out
from redundancy.permissions import writers_only
from redundancy.selectors import live, nodes
from redundancy.selectors.replication import held_back, held_sentence
from redundancy.selectors.services import ServiceRow, services_of
from redundancy.srm.words import say, say_row
from redundancy.views.cautions import CONTINUE, DISABLE_HA, refuse_in_status, show_caution
from redundancy.views.choices import choices
from redundancy.views.chrome import Link, group_link
from redundancy.views.confirm import go_to, is_htmx
from redundancy.views.control_panel import MachineView, Panel
from redundancy.views.numbers import node_of
from redundancy.views.polls import Region, poll

APPLICATION = "ccmservice"
TITLES = {
    ServiceKind.FEATURE: say("Control Center - Feature Services"),
    ServiceKind.NETWORK: say("Control Center - Network Services"),
}
STARTING = ServiceStatus.STARTING


@require_safe
def control_center(request: HttpRequest, kind: str) -> HttpResponse:
    """Show the services of the chosen server; with ``fragment`` only what changed since ``v``, or 204."""
    listed = _kind(kind)
    chosen = request.GET.get("server", "")
    if not chosen:
        return _page(request, listed, None)
    if "fragment" in request.GET:
        return poll(request, lambda _: _region(node_of(chosen), listed))
    return _page(request, listed, node_of(chosen), selected=request.GET.get("service", ""))


@require_POST
@writers_only
def service_act(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Start, stop or restart the service that was selected."""
    listed, server = _kind(kind), node_of(str(pk))
    act = _act(request, SERVICE_ACTS)
    name = request.POST.get("service", "")
    if not name:
        return _refused(request, listed, server, say("Choose a service first."), status=422)
    row = next((row for row in services_of(server, listed) if row.name == name), None)
    if row is None:
        raise Http404
    return _do(request, listed, server, act, row)


@require_POST
@writers_only
def node_act(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Power a node on or off, shut it down, restart it or its SRM."""
    listed, server = _kind(kind), node_of(str(pk))
    return _do(request, listed, server, _act(request, NODE_ACTS), None)


def _do(
    request: HttpRequest, kind: ServiceKind, server: Server, act: Act, row: ServiceRow | None
) -> HttpResponse:
    """Do ``act``, or ask first while High Availability is on, or switch that off and come back."""
    actor = request.user.get_username()
    choice = request.POST.get("choice", "")
    name = row.name if row else ""
    try:
        if choice == DISABLE_HA and server.group is not None:
            groups.disable_ha(group=server.group, actor=actor)
            messages.success(
                request,
                str(
                    say(
                        "High Availability of {group} is off. "
                        "Wait 2 minutes, then: {act} {subject}.",
                        group=server.group.name,
                        act=act.label,
                        subject=name or server.name,
                    )
                ),
            )
            return go_to(request, _address(kind, server, name))
        if needless := already(act, server, row):
            messages.info(request, str(needless))
            return go_to(request, _address(kind, server, name))
        named = {"name": name} if name else {}
        run = partial(act.run, server=server, **named, actor=actor)
        ask = None if choice == CONTINUE else caution(act, server, row)
        if ask is not None:
            # What is refused anyway is refused now, and not after a promise of its effects.
            try_out(run)
            return show_caution(
                request,
                ask,
                application=APPLICATION,
                fields=[("action", act.key), ("service", name)],
                cancel=_address(kind, server, name),
                routine="" if ask.unseen else _routine(act, server, name),
            )
        run()
    except Refused as refused:
        return _refused(request, kind, server, refused.rule, selected=name)
    held = next((r for r in services_of(server) if r.name == name and r.status == STARTING), None)
    if held is not None:
        messages.warning(request, str(held_sentence(server.name, [name])))
    else:
        done = say_row(act.done, {"node": server.name, "service": name})
        messages.success(request, str(done))
    return go_to(request, _address(kind, server, name))


def _kind(kind: str) -> ServiceKind:
    try:
        return ServiceKind(kind)
    except ValueError:
        raise Http404 from None


def _act(request: HttpRequest, acts: dict[str, Act]) -> Act:
    act = acts.get(request.POST.get("action", ""))
    if act is None:
        raise BadRequest(say("action: must be one of {acts}", acts=", ".join(acts)))
    return act


def _region(server: Server, kind: ServiceKind) -> Region:
    rows = services_of(server)
    held = held_back(server, server.machine, rows)
    listed = tuple(row for row in rows if row.kind == kind)
    missing = live.node_live(server).missing
    panel = Panel(server, MachineView.of(server.machine), server.group, listed, held, missing)
    # It holds forever: only who does something changes a service or a machine, never time alone.
    return Region(
        "control_center/_changes.html",
        content={"panel": panel},
        aside={"kind": kind, "server": server, "buttons": node_buttons(server)},
        announcement=panel.summary,
    )


def _address(kind: ServiceKind, server: Server | None, service: str = "") -> str:
    query = {"server": str(server.pk)} if server else {}
    if service:
        query["service"] = service
    return f"{reverse('control_center', args=[kind])}{f'?{urlencode(query)}' if query else ''}"


def _page(
    request: HttpRequest,
    kind: ServiceKind,
    server: Server | None,
    *,
    selected: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    return render(
        request,
        "control_center/control_center.html",
        {
            "title": TITLES[kind],
            "application": APPLICATION,
            "kind": kind,
            "choices": choices(request, nodes.nodes(), server.pk if server else None),
            "selected": selected,
            "service_acts": SERVICE_ACTS.values(),
            **(_region(server, kind).context if server else {}),
            "status_error": error,
            "refresh": _address(kind, server),
            "related_links": _related(kind, server),
        },
        status=status,
    )


def _related(kind: ServiceKind, server: Server | None) -> Sequence[Link]:
    other = next(each for each in ServiceKind if each is not kind)
    links = [Link(TITLES[other], _address(other, server))]
    if server and server.group:
        links.append(group_link(server.group))
    return links


def _routine(act: Act, server: Server, service: str) -> str:
    """Return the address of the guided routine that does the same; empty when there is none."""
    if act.key not in {"restart", "reboot"} or service == SRM:
        return ""
    return f"{reverse('planned_list')}?{urlencode({'server': str(server.pk), 'service': service})}"


def _refused(
    request: HttpRequest,
    kind: ServiceKind,
    server: Server,
    rule: str,
    *,
    selected: str = "",
    status: int = 409,
) -> HttpResponse:
    """Show ``rule`` in the Status of the page; with htmx only Status is replaced."""
    if not is_htmx(request):
        return _page(request, kind, server, selected=selected, error=rule, status=status)
    return refuse_in_status(request, rule, status=status)
