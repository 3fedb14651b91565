"""The addresses of the product, and one more: a view that loads session and user and does nothing else.

What a poll takes longer than this view is the product's own time.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from cucm_admin import urls
from redundancy.views.guard import for_everybody

handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)


@for_everybody
def bare(request: HttpRequest) -> HttpResponse:
    """Answer that somebody is signed in, and nothing else."""
    signed_in = bool(request.session.session_key) and request.user.is_authenticated
    return HttpResponse(status=204 if signed_in else 403)


urlpatterns = [*urls.urlpatterns, path("bare/", bare, name="bare")]
