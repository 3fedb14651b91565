"""*Diagnostics > Incidents*: each failover with everything that belongs to it, and its report."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy import clock
from redundancy.history.reads import incidents
from redundancy.history.reads.incident_report import report
from redundancy.history.views.events import APPLICATION
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.find_list import Column, find_list, list_context

FIELDS = {"group": say("Presence Redundancy Group"), "server": say("Server"), "cause": say("Cause")}
COLUMNS = (
    Column(say("Opened (lab time)"), "opened"),
    Column(say("Presence Redundancy Group"), "group"),
    Column(say("Server"), "server"),
    Column(say("Reason"), "reason"),
    Column(say("Cause")),
    Column(say("Closed (lab time)")),
)


@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    """Find and list incidents, the newest first."""
    listing = find_list(
        request,
        what=say("incidents"),
        find=incidents.find_incidents,
        fields=FIELDS,
        columns=COLUMNS,
        row_template="history/incident_row.html",
        sort="-opened",
    )
    context = {
        "title": say("Find and List Incidents"),
        "application": APPLICATION,
        **list_context(listing),
    }
    return render(request, "find_list.html", context, status=listing.status)


@require_safe
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the report of an incident, ready for print."""
    shown = get_object_or_404(incidents.incidents(), pk=pk)
    now = clock.lab_now()
    links = [Link(say("Back To Find/List"), reverse("incident_list"))]
    if shown.group is not None:
        links.append(
            Link(say("Presence Redundancy Group"), reverse("group_edit", args=[shown.group.pk]))
        )
    context = {
        "title": say("Incident {number}", number=pk),
        "application": APPLICATION,
        "incident": shown,
        "opened": shown.opened_at.timestamp(),
        "ended_or_now": shown.closed_at.timestamp() if shown.closed_at else now,
        "report": report(shown, now),
        "related_links": links,
    }
    return render(request, "history/incident.html", context)
