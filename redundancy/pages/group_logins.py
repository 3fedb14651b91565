"""The logins after the last move of a presence redundancy group: the plot, and the same as a table."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy.history.views.compared import compare_move
from redundancy.models import RedundancyGroup
from redundancy.pages.login_chart import draw
from redundancy.selectors import nodes, observing
from redundancy.selectors.logins import Logins, last_move, logins_of
from redundancy.selectors.observing import ObserverView
from redundancy.selectors.real_clients import real_return
from redundancy.selectors.stamp import holds_until
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.polls import Region, poll


def logins_at(group_id: int, logins: Logins | None) -> set[int]:
    """Return the keys of the nodes of a group, and of those at which ``logins`` are counted."""
    moved = {logins.move.first_id, logins.move.second_id} if logins else set()
    return {*nodes.of_group(group_id), *(pk for pk in moved if pk is not None)}


@require_safe
def group_logins(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the logins; with ``fragment`` only the live region, or 204 while version ``v`` holds."""
    if "fragment" in request.GET:
        return poll(request, partial(_logins, pk))
    context = _logins(pk, observing.observer()).context
    context["title"] = say("Logins after the Last Move")
    back = reverse("group_edit", args=[pk])
    context["related_links"] = [Link(say("Back To Presence Redundancy Group"), back)]
    return render(request, "groups/logins.html", context)


def _logins(pk: int, watch: ObserverView) -> Region:
    now = watch.lab_now
    logins = logins_of(last_move(pk), now)
    return Region(
        "groups/_logins_live.html",
        content={
            "group": get_object_or_404(RedundancyGroup, pk=pk),
            "logins": logins,
            "returned": real_return(logins.move, now) if logins else None,
            "compared": compare_move(logins.move, now) if logins else (),
        },
        aside={"chart": draw(logins) if logins else None},
        until=lambda now: holds_until(now, logins_at(pk, logins)),
    )
