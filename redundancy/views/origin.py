"""Let the history know which address a change came from."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from redundancy import origin


class ClientAddress:
    """Middleware: what a request does carries the address of its client."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the client's address at hand."""
        with origin.coming_from(request.META.get("REMOTE_ADDR")):
            return self.get_response(request)
