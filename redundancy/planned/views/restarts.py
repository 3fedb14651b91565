"""*Tools > Planned Restart*: the guided routine for a service or a node of a pair with HA."""

import math

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.errors import Refused
from redundancy.models import PlannedRestart
from redundancy.permissions import can_write, refuse_read_only, writers_only
from redundancy.planned import writes
from redundancy.planned.forms import PlannedRestartForm
from redundancy.planned.reads import restarts
from redundancy.planned.reads.confirming import before_step
from redundancy.planned.reads.restarts import RestartStage
from redundancy.selectors import nodes
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say
from redundancy.views.choices import choices, offer
from redundancy.views.chrome import Link, Tool, group_link
from redundancy.views.confirm import Confirmation, ask, go_to
from redundancy.views.numbers import whole_number
from redundancy.views.polls import Region, poll

APPLICATION = "ccmservice"
TITLE = say("Planned Restart")
STOP = "stop"
# Records listed on the page.
LISTED = 50


@require_http_methods(["GET", "HEAD", "POST"])
def planned_list(request: HttpRequest) -> HttpResponse:
    """List the planned restarts (GET); begin one (POST)."""
    if request.method == "POST":
        refuse_read_only(request)
        form = PlannedRestartForm(request.POST)
        actor = request.user.get_username()
        record = form.carry_out(lambda: writes.begin(actor=actor, **form.cleaned_data))
        if record is not None:
            messages.success(request, str(say("The users per node are noted.")))
            return redirect("planned_restart", record.pk)
    else:
        given = {name: request.GET[name] for name in ("server", "service") if name in request.GET}
        form = PlannedRestartForm(initial=given)
    writer = can_write(request.user)
    offered = choices(request, nodes.nodes(), whole_number(str(form["server"].value() or "")))
    offer(form.fields["server"], offered)
    return render(
        request,
        "planned/list.html",
        {
            "title": TITLE,
            "application": APPLICATION,
            "form": form,
            "choices": offered,
            "begin_form": "planned-begin",
            "records": restarts.records()[:LISTED],
            "tools": [Tool(say("Begin"), "start", form="planned-begin")] if writer else [],
        },
        status=422 if form.errors else 200,
    )


@require_safe
def planned_restart(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one; with ``fragment`` only its steps, or 204 while version ``v`` still holds."""
    if "fragment" in request.GET:
        return poll(request, lambda _: _region(_record(pk)))
    record = _record(pk)
    group = record.server.group if record.server else None
    links = [Link(say("Back To Planned Restarts"), reverse("planned_list"))]
    if group is not None:
        links.append(group_link(group))
    context = {
        **_region(record).context,
        "title": str(record),
        "application": APPLICATION,
        "related_links": links,
    }
    return render(request, "planned/planned.html", context)


def _region(record: PlannedRestart) -> Region:
    plan = restarts.look_at_restart(record)
    over, server = plan.until or math.inf, record.server_id
    stage = plan.stage.said if plan.stage else say("ended")
    # Sessions that are missing come back, and what to do about them changes, by time alone.
    coming = any(back.missing for back in plan.sessions)
    return Region(
        "planned/_live.html",
        content={"plan": plan},
        until=lambda now: (
            now if coming else min(over, holds_until(now, nodes.mates(server) if server else ()))
        ),
        announcement=say("{record}: {stage}", record=str(record), stage=stage),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def planned_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Ask before a step, naming its effects (GET); do it (POST). ``stop`` ends the routine."""
    record, actor = _record(pk), request.user.get_username()
    stage = RestartStage.__members__.get(step.upper())
    if step != STOP and stage not in restarts.ACTS:
        raise Http404
    error = ""
    if request.method == "POST":
        try:
            if stage is None:
                writes.end_restart(record=record, actor=actor)
            else:
                writes.advance(record=record, stage=stage, actor=actor)
        except Refused as refused:
            error = refused.rule
        else:
            messages.success(request, str(say("Update successful")))
            return go_to(request, reverse("planned_restart", args=[pk]))
    label = say("Stop here") if stage is None else stage.said
    return ask(
        request,
        Confirmation(
            title=say("{act}: {subject}", act=label, subject=record.subject),
            action=request.path,
            cancel=reverse("planned_restart", args=[pk]),
            submit="" if error else label,
            effects=[] if error else before_step(stage, restarts.look_at_restart(record)),
            error=error,
        ),
        application=APPLICATION,
    )


def _record(pk: int) -> PlannedRestart:
    return get_object_or_404(restarts.records().select_related("server__group"), pk=pk)
