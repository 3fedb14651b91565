"""*Messaging* and *Presence* of IM and Presence Administration: functions of the whole cluster."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from redundancy.errors import Refused
from redundancy.functions import (
    COMPLIANCE,
    PERSISTENT_CHAT,
    SHARED_DATABASE,
    SIP_FEDERATION,
    XMPP_FEDERATION,
    Function,
)
from redundancy.operations.functions import set_functions
from redundancy.operations.trial import try_out
from redundancy.permissions import can_write, refuse_read_only
from redundancy.selectors import functions as selectors
from redundancy.selectors import policy
from redundancy.selectors.functions import Carriers
from redundancy.srm.words import duration, say
from redundancy.views.chrome import Link, Tool
from redundancy.views.confirm import Confirmation, ask, go_to

APPLICATION = "cupadmin"
FORM = "functions-form"
# Nodes named on which a service is not activated.
NAMED = 12
# By the last part of the address: title, and what can be configured there.
PAGES: dict[str, tuple[str, tuple[Function, ...]]] = {
    "compliance": (say("Compliance"), (COMPLIANCE,)),
    "persistent-chat": (say("Group Chat and Persistent Chat"), (PERSISTENT_CHAT, SHARED_DATABASE)),
    "federation": (say("Inter-Domain Federation"), (SIP_FEDERATION, XMPP_FEDERATION)),
}


@dataclass(frozen=True, slots=True)
class Switch:
    """A function as the page shows it. ``carriers``: of its service; None where it has none."""

    function: Function
    checked: bool
    carriers: Carriers | None


@require_http_methods(["GET", "HEAD", "POST"])
def functions(request: HttpRequest, page: str) -> HttpResponse:
    """Show the functions of a page (GET), configure those that are checked (POST)."""
    if page not in PAGES:
        raise Http404
    if request.method != "POST":
        return _page(request, page, selectors.configured())
    refuse_read_only(request)
    if "seen" not in request.POST:
        raise BadRequest(say("seen: must name the functions that were configured."))
    checked, seen = request.POST.getlist("function"), request.POST.getlist("seen")
    keys = [function.key for function in PAGES[page][1]]
    wanted = {key: key in checked for key in dict.fromkeys([*keys, *checked])}
    expected = {key: key in seen for key in keys}
    effects = [] if "confirmed" in request.POST else selectors.dangers(wanted)

    def save() -> list[str]:
        actor = request.user.get_username()
        return set_functions(configured=wanted, expected=expected, actor=actor)

    try:
        if effects:
            # What is refused anyway is refused now, and not after a promise of its effects.
            try_out(save)
            return _ask(request, effects, checked, seen)
        changed = save()
    except Refused as refused:
        status = 422 if refused.field else 409
        return _page(request, page, checked, error=refused.rule, status=status)
    said = say("Update successful") if changed else say("Nothing was changed.")
    messages.success(request, str(said))
    return go_to(request, request.path)


def _ask(
    request: HttpRequest, effects: list[str], checked: list[str], seen: list[str]
) -> HttpResponse:
    sent = [("function", key) for key in checked] + [("seen", key) for key in seen]
    return ask(
        request,
        Confirmation(
            title=say("Save"),
            action=request.path,
            cancel=request.path,
            submit=say("Save"),
            question=say("High Availability is on. A node will fail over by it:"),
            effects=effects,
            fields=[*sent, ("confirmed", "yes")],
        ),
        application=APPLICATION,
    )


def _page(
    request: HttpRequest,
    page: str,
    checked: Collection[str],
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    title, functions = PAGES[page]
    present = selectors.configured()
    delay = policy.current().critical_service_delay
    context = {
        "title": title,
        "application": APPLICATION,
        "form_id": FORM,
        "present": [function.key for function in functions if function.key in present],
        "switches": [
            Switch(
                each,
                each.key in checked,
                selectors.carriers(each.service, NAMED) if each.service else None,
            )
            for each in functions
        ],
        "delay": duration(delay),
        "status_error": error,
        "tools": [Tool(say("Save"), "save", form=FORM)] if can_write(request.user) else [],
        "related_links": [Link(say("Service Activation"), reverse("service_activation"))],
    }
    return render(request, "deployment/functions.html", context, status=status)
