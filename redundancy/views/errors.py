"""Error pages in the chrome, each with a sentence that says what to do.

Django passes the arguments of its handlers by name: those not used here keep theirs.
"""

import logging
import sys
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string

from redundancy.errors import Refused
from redundancy.outage import is_outage
from redundancy.srm.words import say, together
from redundancy.views.menus import applications

logger = logging.getLogger(__name__)

TITLES = {
    400: say("Bad request"),
    403: say("Not allowed"),
    404: say("Not found"),
    405: say("Method not allowed"),
    409: say("Request refused"),
    411: say("Length required"),
    413: say("Too large"),
    500: say("Server error"),
    503: say("Busy, try again"),
}


def error_page(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """Return the error page of ``status`` in the chrome."""
    return render(
        request,
        "errors/error.html",
        {"title": together([TITLES[status], f"({status})"]), "status_error": sentence},
        status=status,
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that makes no sense."""
    # What a suspicious request is told stays vague; what a view refused names the field.
    named = str(exception) if isinstance(exception, BadRequest) else ""
    return error_page(request, 400, named or say("The server does not understand this request."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that the user may not make."""
    return error_page(request, 403, str(exception) or say("Your role does not allow this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """Answer a form that was not sent from a page of this site, or from one older than the sign-in."""
    return error_page(
        request,
        403,
        say(
            "This form could not be verified, and nothing was changed. "
            "Go back, reload the page and send the form again."
        ),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer a request for something that does not exist."""
    if not hasattr(request, "user"):
        return HttpResponseNotFound(str(say("Not found.")), content_type="text/plain")
    return error_page(
        request, 404, say("There is no such page, or what it showed has been deleted meanwhile.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of the server. Asks nobody: the database may be the fault."""
    error = sys.exc_info()[1]
    if error is not None and is_outage(error):
        return busy(request, error)
    why = say("The server failed while it made this page. The reason is in its log.")
    return HttpResponseServerError(bare_page(500, why))


def busy(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Answer that the database could not be used: it is busy, full, read-only or away."""
    logger.warning("%s %s: the database cannot be used (%s)", request.method, request.path, error)
    why = say(
        "The database is busy or cannot be used now. Nothing was changed: try again in a moment. "
        "The reason is in the log of the server."
    )
    return HttpResponse(bare_page(503, why), status=503, headers={"Retry-After": "5"})


def bare_page(status: int, sentence: str) -> str:
    """Return an error page that needs no database."""
    return render_to_string(
        "errors/error.html",
        {
            "title": together([TITLES[status], f"({status})"]),
            "status_error": sentence,
            "applications": applications(),
        },
    )


class ErrorPages:
    """Middleware: give an empty 405, a refusal nobody caught (409) and a busy database (503) their page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace the body of an empty 405."""
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            allowed = response["Allow"]
            page = error_page(
                request,
                405,
                say(
                    "This address takes no {method} request, only {allowed}. Nothing was changed.",
                    method=request.method,
                    allowed=allowed,
                ),
            )
            page["Allow"] = allowed
            return page
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Show what an operation refused when the view had no form to show it at."""
        if isinstance(exception, Refused):
            return error_page(request, 409, exception.rule)
        if is_outage(exception):
            return busy(request, exception)
        return None
