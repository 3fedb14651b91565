"""The logins after the last move of a presence redundancy group: the plot, and the same as a table."""

import math
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy import clock
from redundancy.models import RedundancyGroup
from redundancy.selectors.logins import logins_of
from redundancy.views.chrome import Lab, Link, tell_time
from redundancy.views.compared import of_move
from redundancy.views.login_chart import Chart, draw

# Lab seconds for which the group page goes on showing the plot when everybody is back.
AFTERWARDS = 1800.0


def chart_of(group_id: int, now: float, *, afterwards: float = math.inf) -> Chart | None:
    """Return the plot of the group's last move at lab time ``now``; None before the first one.

    None, too, when it has been over for more than ``afterwards`` seconds.
    """
    logins = logins_of(group_id, now, afterwards=afterwards)
    return draw(logins) if logins else None


@require_safe
def group_logins(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the logins; with ``fragment`` only the live region, or 204 while version ``v`` holds."""
    group = get_object_or_404(RedundancyGroup, pk=pk)
    now = clock.lab_now()
    chart = chart_of(pk, now)
    version = chart.logins.version if chart else "none"
    context: dict[str, Any] = {
        "group": group,
        "chart": chart,
        "version": version,
        "compared": of_move(chart.logins.move, now) if chart else (),
    }
    if "fragment" not in request.GET:
        context["title"] = "Logins after the Last Move"
        back = reverse("group_edit", args=[pk])
        context["related_links"] = [Link("Back To Presence Redundancy Group", back)]
        return render(request, "groups/logins.html", context)
    if request.GET.get("v") == version:
        response = HttpResponse(status=204)
    else:
        response = render(request, "groups/_logins_live.html", context)
    return tell_time(response, Lab(now, clock.rate()))
