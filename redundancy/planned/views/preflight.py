"""The preflight of a presence redundancy group: what to mend before High Availability is enabled."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy.models import RedundancyGroup
from redundancy.planned.reads.check import Check, Result, Where
from redundancy.planned.reads.preflight import preflight
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
        "groups/_preflight_told.html",
        content={"preflight": checked},
        aside={
            "group": group,
            "preflight_tone": _tone(checks),
            "preflight_rows": [(each, _TONES[each.result], _mend(group, each)) for each in checks],
        },
        # What to do about sessions that are missing changes by time alone.
        until=lambda now: (
            now
            if checked and checked.waits_for_sessions
            else holds_until(now, nodes.of_group(group.pk))
        ),
        announcement=checked.summary if checked else "",
    )


def _tone(checks: Sequence[Check]) -> str:
    """Return the tone of the worst result: what is not known is not green."""
    results = {check.result for check in checks}
    return next((_TONES[each] for each in (Result.FAILED, Result.UNKNOWN) if each in results), "ok")


@require_safe
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
        case Where.ACTIVATION:
            url = reverse("service_activation")
            return Link(say("Service Activation"), f"{url}?server={check.server_id}")
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
