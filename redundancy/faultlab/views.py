"""*Tools > Fault Lab*: break the lab on purpose; and the line on every page that says what is broken."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from redundancy.errors import Refused
from redundancy.faultlab import writes
from redundancy.faultlab.banner import fault_lines
from redundancy.faultlab.forms import FaultForm
from redundancy.faultlab.writes import ACTS, LINK_ACTS, PAUSE, WORK_ACTS, FaultAct
from redundancy.models import RedundancyGroup, Server
from redundancy.permissions import writers_only
from redundancy.selectors import faults as selectors
from redundancy.selectors import groups
from redundancy.srm.words import say, together
from redundancy.views.choices import choices
from redundancy.views.numbers import whole_number
from redundancy.views.polls import Region, answer

APPLICATION = "ccmservice"
TITLE = say("Fault Lab")
ALL = "all"


def _where_it_is_on(
    view: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let the view not exist where the Fault Lab is off."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not settings.FAULT_LAB:
            raise Http404
        return view(request)

    return guarded


@_where_it_is_on
@require_safe
def banner(request: HttpRequest) -> HttpResponse:
    """Return the lines of the faults in force, or 204 while version ``v`` still holds."""
    faults = fault_lines()
    said = together(line.sentence for line in faults.lines) or say("No fault is in force.")
    region = Region("fault_lab/_banner.html", content={"faults": faults}, announcement=said)
    return answer(request, region)


@_where_it_is_on
@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def fault_lab(request: HttpRequest) -> HttpResponse:
    """Show what can be broken (GET); break it (POST)."""
    given = request.POST.get("group", "") or request.GET.get("group", "")
    group = _group(given) if given else None
    if request.method != "POST":
        return _page(request, group)
    act = ACTS.get(request.POST.get("action", ""))
    if act is None:
        raise BadRequest(say("action: must be one of {acts}", acts=", ".join(ACTS)))
    form = FaultForm(request.POST, act=act, nodes=_nodes(group))
    if form.is_valid():
        try:
            _put(form, group, request.user.get_username())
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, str(say("Update successful")))
            return redirect(_address(group))
    return _page(request, group, form)


@_where_it_is_on
@require_POST
@writers_only
def fault_lift(request: HttpRequest) -> HttpResponse:
    """End one fault, or all of them."""
    which, actor = request.POST.get("fault", ""), request.user.get_username()
    number = whole_number(which)
    if which == ALL:
        writes.clear(group=None, actor=actor)
    elif number is not None:
        writes.lift(fault_id=number, actor=actor)
    else:
        raise BadRequest(say("fault: must be the number of a fault, or {all}", all=ALL))
    messages.success(request, str(say("Update successful")))
    given = request.POST.get("group", "")
    return redirect(_address(_group(given) if given else None))


def _group(given: str) -> RedundancyGroup:
    number = whole_number(given)
    group = groups.find_groups().filter(pk=number).first() if number is not None else None
    if group is None:
        raise Http404
    return group


def _nodes(group: RedundancyGroup | None) -> list[Server]:
    return list(group.servers.all()) if group else []


def _address(group: RedundancyGroup | None) -> str:
    query = f"?{urlencode({'group': group.pk})}" if group else ""
    return reverse("fault_lab") + query


def _put(form: FaultForm, group: RedundancyGroup | None, actor: str) -> None:
    """Put in force what ``form`` says."""
    if group is None and form.act is not PAUSE:
        raise Refused(say("Select a presence redundancy group first."), field="group")
    given = form.values() | {"group": group}
    form.act.do(**{name: given[name] for name in form.act.takes if name in given}, actor=actor)


def _page(
    request: HttpRequest, group: RedundancyGroup | None, bound: FaultForm | None = None
) -> HttpResponse:
    nodes = _nodes(group)

    def made(*acts: FaultAct) -> list[FaultForm]:
        return [
            bound if bound and bound.act is act else FaultForm(act=act, nodes=nodes) for act in acts
        ]

    sections = [(say("Observer"), made(PAUSE))]
    if len(nodes) == 2:
        sections = [
            (
                say("Link of {first} and {second}", first=nodes[0].name, second=nodes[1].name),
                made(*LINK_ACTS),
            ),
            (say("User Moves and Service Starts"), made(*WORK_ACTS)),
            *sections,
        ]
    return render(
        request,
        "fault_lab/fault_lab.html",
        {
            "title": TITLE,
            "application": APPLICATION,
            "choices": choices(request, groups.by_name(), group.pk if group else None),
            "group": group,
            "paired": len(nodes) == 2,
            "active": selectors.active(),
            "sections": sections,
            "form": bound,
        },
        status=422 if bound and bound.errors else 200,
    )
