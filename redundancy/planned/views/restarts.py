"""*Tools > Planned Restart*: the guided routine for a service or a node of a pair with HA."""

import math

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from redundancy.errors import Refused
from redundancy.models import PlannedRestart
from redundancy.permissions import can_write, refuse_read_only, writers_only
from redundancy.planned import writes
from redundancy.planned.forms import PlannedRestartForm
from redundancy.planned.reads import restarts
from redundancy.planned.reads.preflight import preflight
from redundancy.planned.reads.restarts import Plan, Stage
from redundancy.selectors import live, nodes
from redundancy.selectors.live import ObserverView
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say, say_count
from redundancy.views import effects
from redundancy.views.chrome import Link, Tool
from redundancy.views.confirm import Confirmation, ask, go
from redundancy.views.control_acts import logged_in
from redundancy.views.polls import poll

APPLICATION = "ccmservice"
TITLE = say("Planned Restart")
STOP = "stop"
# Records listed on the page.
LISTED = 50


@require_http_methods(["GET", "POST"])
def planned_list(request: HttpRequest) -> HttpResponse:
    """List the planned restarts (GET); begin one (POST)."""
    if request.method == "POST":
        refuse_read_only(request)
        form = PlannedRestartForm(request.POST)
        if form.is_valid():
            try:
                record = writes.begin(
                    server=form.cleaned_data["server"],
                    service=form.text("service"),
                    actor=request.user.get_username(),
                )
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, str(say("The users per node are noted.")))
                return redirect("planned_restart", record.pk)
    else:
        given = {name: request.GET[name] for name in ("server", "service") if name in request.GET}
        form = PlannedRestartForm(initial=given)
    writer = can_write(request.user)
    return render(
        request,
        "planned/list.html",
        {
            "title": TITLE,
            "application": APPLICATION,
            "form": form,
            "begin_form": "planned-begin",
            "records": restarts.records()[:LISTED],
            "tools": [Tool(say("Begin"), "start", form="planned-begin")] if writer else [],
        },
        status=422 if form.errors else 200,
    )


@require_safe
def planned_restart(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one; with ``fragment`` only its steps, or 204 while version ``v`` still holds."""
    if "fragment" not in request.GET:
        return _page(request, restarts.look(_record(pk)))
    plan: Plan | None = None

    def answer(_: ObserverView) -> HttpResponse:
        nonlocal plan
        plan = restarts.look(_record(pk))
        if request.GET.get("v") == plan.version:
            return HttpResponse(status=204)
        response = render(request, "planned/_live.html", {"plan": plan})
        said = say(
            "{record}: {stage}",
            record=str(plan.record),
            stage=plan.stage.said if plan.stage else say("ended"),
        )
        return trigger_client_event(response, "announce", {"value": str(said)})

    def until(now: float) -> float:
        assert plan is not None
        over = plan.until or math.inf
        server = plan.record.server_id
        return min(over, holds_until(now, nodes.mates(server) if server else ()))

    return poll(request, answer, until)


@require_http_methods(["GET", "POST"])
@writers_only
def planned_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Ask before a step, naming its effects (GET); do it (POST). ``stop`` ends the routine."""
    record, actor = _record(pk), request.user.get_username()
    stage = Stage.__members__.get(step.upper())
    if step != STOP and stage not in restarts.ACTS:
        raise Http404
    error = ""
    if request.method == "POST":
        try:
            if stage is None:
                writes.stop(record=record, actor=actor)
            else:
                writes.advance(record=record, stage=stage, actor=actor)
        except Refused as refused:
            error = refused.rule
        else:
            messages.success(request, str(say("Update successful")))
            return go(request, reverse("planned_restart", args=[pk]))
    plan = restarts.look(record)
    label = say("Stop here") if stage is None else stage.said
    return ask(
        request,
        Confirmation(
            title=say("{act}: {subject}", act=label, subject=record.subject),
            action=request.path,
            cancel=reverse("planned_restart", args=[pk]),
            submit="" if error else label,
            effects=[] if error else _effects(stage, plan),
            error=error,
        ),
        application=APPLICATION,
    )


def _record(pk: int) -> PlannedRestart:
    return get_object_or_404(restarts.records().select_related("server__group"), pk=pk)


def _page(request: HttpRequest, plan: Plan) -> HttpResponse:
    record = plan.record
    group = record.server.group if record.server else None
    links = [Link(say("Back To Planned Restarts"), reverse("planned_list"))]
    if group is not None:
        links.append(
            Link(
                say("Configuration of {group}", group=group.name),
                reverse("group_edit", args=[group.pk]),
            )
        )
    return render(
        request,
        "planned/planned.html",
        {
            "title": str(record),
            "application": APPLICATION,
            "plan": plan,
            "related_links": links,
        },
    )


def _effects(stage: Stage | None, plan: Plan) -> list[str]:
    record = plan.record
    group = record.server.group if record.server else None
    match stage:
        case None if group is not None and record.with_ha and not group.ha_enabled:
            return [
                say("Nothing is undone."),
                say(
                    "High Availability of {group} stays off; enable it when the work is done.",
                    group=group.name,
                ),
            ]
        case None:
            return [say("Nothing is undone.")]
        case Stage.DISABLE if group is not None and group.ha_enabled:
            shown = live.live_of([group.pk])[group.pk]
            calm = [say("Nobody takes over from a node that fails while High Availability is off.")]
            return effects.of_disabling(shown) or calm
        case Stage.RESTART:
            active = sum(
                count.active or 0 for count in plan.counts if count.node == record.server_name
            )
            return [logged_in(record.server_name, active)]
        case Stage.COMPARE:
            missing = [count for count in plan.counts if count.missing]
            return [
                say_count(
                    "{node}: {count} user fewer logged in than noted.",
                    "{node}: {count:,} users fewer logged in than noted.",
                    count.missing,
                    node=count.node,
                )
                for count in missing
            ] or [say("As many users are logged in on each node as noted.")]
        case Stage.ENABLE if group is not None:
            found = preflight(group)
            return found.warnings if found else []
        case _:
            return []
