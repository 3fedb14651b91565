"""The logins after the last move of a presence redundancy group: the plot, and the same as a table."""

import math
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy import clock
from redundancy.history.views.compared import of_move
from redundancy.models import RedundancyGroup
from redundancy.pages.login_chart import Chart, draw
from redundancy.selectors import nodes
from redundancy.selectors.live import ObserverView
from redundancy.selectors.logins import logins_of
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.polls import poll

# Lab seconds for which the group page goes on showing the plot when everybody is back.
AFTERWARDS = 1800.0


def chart_of(group_id: int, now: float, *, afterwards: float = math.inf) -> Chart | None:
    """Return the plot of the group's last move at lab time ``now``; None before the first one.

    None, too, when it has been over for more than ``afterwards`` seconds.
    """
    logins = logins_of(group_id, now, afterwards=afterwards)
    return draw(logins) if logins else None


def logins_at(group_id: int, chart: Chart | None) -> set[int]:
    """Return the keys of the nodes of a group, and of those whose logins ``chart`` shows."""
    moved = {chart.logins.move.first_id, chart.logins.move.second_id} if chart else set()
    return {*nodes.of_group(group_id), *(pk for pk in moved if pk is not None)}


@require_safe
def group_logins(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the logins; with ``fragment`` only the live region, or 204 while version ``v`` holds."""
    if "fragment" in request.GET:
        return _fragment(request, pk)
    now = clock.lab_now()
    context = _context(pk, now, chart_of(pk, now))
    context["title"] = say("Logins after the Last Move")
    back = reverse("group_edit", args=[pk])
    context["related_links"] = [Link(say("Back To Presence Redundancy Group"), back)]
    return render(request, "groups/logins.html", context)


def _fragment(request: HttpRequest, pk: int) -> HttpResponse:
    chart: Chart | None = None

    def answer(watch: ObserverView) -> HttpResponse:
        nonlocal chart
        chart = chart_of(pk, watch.lab_now)
        context = _context(pk, watch.lab_now, chart)
        if request.GET.get("v") == context["version"]:
            return HttpResponse(status=204)
        return render(request, "groups/_logins_live.html", context)

    return poll(request, answer, lambda now: holds_until(now, logins_at(pk, chart)))


def _context(pk: int, now: float, chart: Chart | None) -> dict[str, Any]:
    return {
        "group": get_object_or_404(RedundancyGroup, pk=pk),
        "chart": chart,
        "version": chart.logins.version if chart else "none",
        "compared": of_move(chart.logins.move, now) if chart else (),
    }
