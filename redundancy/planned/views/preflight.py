"""The preflight of a presence redundancy group: what to mend before High Availability is enabled."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from redundancy.models import RedundancyGroup
from redundancy.planned.reads.preflight import Check, Result, Where, preflight
from redundancy.selectors import groups, nodes
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say
from redundancy.views.chrome import Link, group_link
from redundancy.views.polls import Region, poll

TITLE = say("Preflight")
_TONES = {Result.PASSED: "ok", Result.FAILED: "bad", Result.UNKNOWN: "warn"}


def panel(group: RedundancyGroup) -> Region:
    """Return the panel; its ``preflight`` is None for a group of one server."""
    checked = preflight(group)
    checks = checked.checks if checked else ()
    return Region(
        # To a panel whose group has lost a server: the page that says so.
        "groups/_preflight.html" if checked else "groups/preflight.html",
        content={"preflight": checked},
        aside={
            "group": group,
            "preflight_rows": [(each, _TONES[each.result], _mend(group, each)) for each in checks],
        },
        until=lambda now: holds_until(now, nodes.of_group(group.pk)),
        announcement=checked.summary if checked else "",
    )


@require_GET
def preflight_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the panel on a page of its own; to a poll only the panel, or 204 while version ``v`` holds."""
    if "v" in request.GET:
        return poll(request, lambda _: panel(get_object_or_404(groups.find_groups(), pk=pk)))
    group = get_object_or_404(groups.find_groups(), pk=pk)
    page = {**panel(group).context, "title": TITLE, "related_links": [group_link(group)]}
    return render(request, "groups/preflight.html", page)


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
