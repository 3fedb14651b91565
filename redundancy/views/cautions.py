"""Show a caution before something is done while High Availability is on, and what was refused."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import retarget, trigger_client_event

from redundancy.operations.acts import Caution
from redundancy.views.confirm import is_htmx

# What its buttons send as ``choice``.
CONTINUE, DISABLE_HA = "continue", "disable-ha"


def show_caution(
    request: HttpRequest,
    caution: Caution,
    *,
    application: str,
    fields: Sequence[tuple[str, str]],
    cancel: str,
    routine: str = "",
) -> HttpResponse:
    """Ask: in the page's dialog with htmx, on a page of its own without script.

    Args:
        request: What was asked for, at the address that does it.
        caution: What to know.
        application: In whose chrome.
        fields: What was sent, to be sent again with the answer.
        cancel: The address to go back to.
        routine: That of the guided routine which does the same; empty when there is none.

    """
    in_dialog = is_htmx(request)
    return render(
        request,
        f"control_center/{'_caution' if in_dialog else 'caution'}.html",
        {
            "title": caution.what,
            "application": application,
            "in_dialog": in_dialog,
            "caution": caution,
            "action": request.get_full_path(),
            "fields": fields,
            "cancel": cancel,
            "routine": routine,
        },
    )


def refuse_in_status(request: HttpRequest, rule: str, *, status: int) -> HttpResponse:
    """Show ``rule`` in the Status of the page, which stays as it is: an answer to htmx."""
    response = render(request, "includes/status.html", {"status_error": rule}, status=status)
    # Closes the dialog, should it be open.
    trigger_client_event(response, "refused")
    trigger_client_event(response, "announce", {"value": str(rule)})
    # The button may have been the one at the foot of a long page.
    response["HX-Reswap"] = "outerHTML show:window:top"
    return retarget(response, "fieldset.status")
