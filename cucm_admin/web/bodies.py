"""Refuse requests whose body is too large, before anything reads it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from cucm_admin.web import limits
from redundancy.srm.words import say
from redundancy.views.errors import bare_page


class BodyLimits:
    """Middleware: 413 for a body over the limit of its address, 411 for one of unknown length.

    It goes by what was declared, so that it holds under any server; ours counts what is not declared.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with an error page, or go on."""
        status = request.META.get(limits.REFUSED) or _judge(request)
        if not status:
            return self.get_response(request)
        page = bare_page(status, _sentence(request, status))
        return HttpResponse(
            page, status=status, headers={"Retry-After": "30"} if status == 503 else {}
        )


def _judge(request: HttpRequest) -> int:
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdecimal():
        return 413 if int(declared) > limits.body_limit(request.path_info) else 0
    return 411 if "HTTP_TRANSFER_ENCODING" in request.META else 0


def _sentence(request: HttpRequest, status: int) -> str:
    if status == 411:
        return say("The request does not tell how long it is. Nothing was changed.")
    if status == 503:
        return say(
            "Too much is being uploaded at this time. Nothing was changed: try again in a minute."
        )
    if request.path_info.startswith(limits.UPLOADS):
        return say("The file must not be larger than {limit} MB.", limit=settings.MAX_IMPORT_MB)
    return say(
        "The request is larger than {limit} MB, which is the most that this page takes. Nothing was changed.",
        limit=limits.BODY // limits.MEGABYTE,
    )
