"""The first page, About, and the way to other applications."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from redundancy.views.errors import error_page


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show how to begin."""
    return render(request, "home.html", {"title": "Cisco Unified CM Administration"})


@require_GET
def about(request: HttpRequest) -> HttpResponse:
    """Show what this is."""
    return render(request, "about.html", {"title": "About"})


@require_GET
def go(request: HttpRequest) -> HttpResponse:
    """Go where a drop-down says: Navigation and Related Links work without script."""
    to = request.GET.get("to", "")
    if not to.startswith("/") or not url_has_allowed_host_and_scheme(to, allowed_hosts=None):
        return error_page(request, 400, "to: must be an address of this site.")
    return redirect(to)
