"""The logins after the last move of a presence redundancy group: the plot, and the same as a table."""

import math
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy import clock
from redundancy.models import RedundancyGroup
from redundancy.relogin import rate_in_words
from redundancy.selectors import forecast
from redundancy.selectors.logins import Logins, logins_of
from redundancy.templatetags.lab import duration
from redundancy.views.chrome import Lab, Link, tell_time
from redundancy.views.login_chart import Chart, draw

# Lab seconds for which the group page goes on showing the plot when everybody is back.
AFTERWARDS = 1800.0


def chart_of(group_id: int, now: float, *, afterwards: float = math.inf) -> Chart | None:
    """Return the plot of the group's last move at lab time ``now``; None before the first one.

    None, too, when it has been over for more than ``afterwards`` seconds.
    """
    logins = logins_of(group_id, now, afterwards=afterwards)
    return draw(logins) if logins else None


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure as forecast and as measured; empty where there is none."""

    what: str
    forecast: str
    measured: str


def compared(logins: Logins) -> tuple[Compared, ...]:
    """Return forecast against measured of the last move; nothing when nobody had asked for it."""
    told = forecast.of_move(logins.move)
    if told is None:
        return ()
    over = logins.elapsed is None
    after = logins.move.at - forecast.requested_at(told)
    milestones = zip(logins.milestones, (told.until_50, told.until_95, told.until_100), strict=True)
    return (
        Compared("From the request to the move", "", duration(after)),
        Compared("Sessions moved", f"{told.moved:,}", f"{logins.move.moved:,}"),
        Compared("Users disconnected", f"{told.disconnected:,}", ""),
        Compared(
            "Logins per second at the peak",
            rate_in_words(told.peak),
            rate_in_words(logins.peak.rate) + ("" if over else " so far"),
        ),
        *(
            Compared(
                f"{percent} % back",
                f"after {duration(expected)}",
                "not yet" if seconds is None else f"within {duration(seconds)}",
            )
            for (percent, seconds), expected in milestones
        ),
    )


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
        "compared": compared(chart.logins) if chart else (),
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
