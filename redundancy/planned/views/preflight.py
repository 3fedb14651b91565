"""The preflight of a presence redundancy group: what to mend before High Availability is enabled."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET
from django_htmx.http import trigger_client_event

from redundancy.models import RedundancyGroup
from redundancy.planned.reads.preflight import Check, Preflight, Result, Where, preflight
from redundancy.selectors import groups, nodes
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.polls import poll

TITLE = say("Preflight")
_TONES = {Result.PASSED: "ok", Result.FAILED: "bad", Result.UNKNOWN: "warn"}


def context(group: RedundancyGroup) -> dict[str, Any]:
    """Return what the panel shows; ``preflight`` is None for a group of one server."""
    found = preflight(group)
    rows = (
        [(check, _TONES[check.result], _mend(group, check)) for check in found.checks]
        if found
        else []
    )
    return {"group": group, "preflight": found, "preflight_rows": rows}


@require_GET
def preflight_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the panel on a page of its own; to a poll only the panel, or 204 while version ``v`` holds."""
    if "v" not in request.GET:
        return _page(request, pk)
    return poll(
        request,
        lambda _: _fragment(request, pk),
        lambda now: holds_until(now, nodes.of_group(pk)),
    )


def _page(request: HttpRequest, pk: int) -> HttpResponse:
    group = get_object_or_404(groups.find_groups(), pk=pk)
    back = Link(say("Configuration of {group}", group=group.name), reverse("group_edit", args=[pk]))
    page = {**context(group), "title": TITLE, "related_links": [back]}
    return render(request, "groups/preflight.html", page)


def _fragment(request: HttpRequest, pk: int) -> HttpResponse:
    shown = context(get_object_or_404(groups.find_groups(), pk=pk))
    found: Preflight | None = shown["preflight"]
    if found is None:
        return _page(request, pk)
    if request.GET["v"] == found.version:
        return HttpResponse(status=204)
    response = render(request, "groups/_preflight.html", shown)
    return trigger_client_event(response, "announce", {"value": str(found.summary)})


def _mend(group: RedundancyGroup, check: Check) -> Link | None:
    """Return where a check is mended; None when there is nothing to mend."""
    match check.where:
        case Where.NETWORK_SERVICES | Where.FEATURE_SERVICES:
            url = reverse("control_center", args=[check.where.value])
            return Link(
                say("Control Center"),
                f"{url}?server={check.server_id}",
            )
        case Where.SERVER:
            return Link(say("Server Configuration"), reverse("server_edit", args=[check.server_id]))
        case Where.MUST_MATCH:
            return Link(say("Must-Match Parameters"), reverse("must_match", args=[group.pk]))
        case Where.LOGIN_PROFILE:
            return Link(say("Login Profile"), reverse("login_profile", args=[group.pk]))
        case Where.BEAT_MONITOR:
            return Link(say("Beat Monitor"), reverse("beat_monitor"))
        case Where.FAULT_LAB:
            return Link(say("Fault Lab"), f"{reverse('fault_lab')}?group={group.pk}")
        case None:
            return None
