"""Ask before something is done: in the page's dialog with htmx, on a page of its own without script."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect

from redundancy.views.chrome import Link


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question with the effects of a yes.

    Args:
        title: What is about to be done.
        action: The address that does it, by POST.
        cancel: Where to go instead.
        submit: Label of the button that does it; empty when it cannot be done now.
        question: The sentence asked.
        effects: What it does to users and services, one sentence each.
        fields: Hidden fields sent along.
        error: Why it was refused.
        alternative: Another way, offered beside it.

    """

    title: str
    action: str
    cancel: str
    submit: str = ""
    question: str = ""
    effects: Sequence[str] = ()
    fields: Sequence[tuple[str, object]] = field(default=())
    error: str = ""
    alternative: Link | None = None


def ask(
    request: HttpRequest, confirm: Confirmation, *, application: str = "ccmadmin"
) -> HttpResponse:
    """Show ``confirm``: 200, or 409 when it carries an error."""
    in_dialog = is_htmx(request)
    return render(
        request,
        "includes/dialog.html" if in_dialog else "confirm.html",
        {
            "confirm": confirm,
            "in_dialog": in_dialog,
            "title": confirm.title,
            "status_error": confirm.error,
            "application": application,
        },
        status=409 if confirm.error else 200,
    )


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to ``url`` after something was done, from the dialog or from a page."""
    if is_htmx(request):
        return HttpResponseClientRedirect(url)
    return redirect(url)


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx made this request."""
    return bool(getattr(request, "htmx", False))
