"""*Diagnostics > Audit Trail*: sign-ins and changes, with the address they came from."""

from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from redundancy.history.reads import trail
from redundancy.history.views.events import APPLICATION
from redundancy.operations.signins import KEPT
from redundancy.srm.words import say


@require_safe
def audit_trail(request: HttpRequest) -> HttpResponse:
    """Show a page of the trail, of everybody or of ``who``."""
    who = request.GET.get("who", "").strip()
    if "\0" in who:
        raise BadRequest(say("who: must not contain null characters."))
    found = trail.trail_page(who=who, before=request.GET.get("before", ""))
    if found is None:
        raise BadRequest(
            say("{name}: must be a place that a link of this page carried.", name="before")
        )
    entries, older = found
    query = {"who": who} if who else {}
    context = {
        "title": say("Audit Trail"),
        "application": APPLICATION,
        "entries": entries,
        "who": who,
        "kept": KEPT,
        "newest": "?" + urlencode(query) if "before" in request.GET else "",
        "older": "?" + urlencode({**query, "before": older}) if older else "",
    }
    return render(request, "history/trail.html", context)
