"""Before a view and after it: who was away too long is signed out, who has no role sees nothing.

A request renews the sign-in when somebody asked for it. Polls, which a page sends by itself, do not:
they are known by the view that answers them (`redundancy.views.chrome.tell_time`).
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from redundancy.outage import is_outage
from redundancy.permissions import NO_ROLE_SENTENCE, has_role
from redundancy.views.chrome import IS_POLL
from redundancy.views.errors import error_page

# Key of the session: wall time of the last request that somebody made.
SEEN = "seen"
# It is written no more often than once in so many seconds.
KEPT_TO = 60.0
# Seconds before the end at which a page warns.
WARNING = 300.0
SECONDS_LEFT = "X-Session-Seconds"

View = Callable[..., HttpResponseBase]


def for_everybody(view: View) -> View:
    """Let a view be used by everybody who is signed in, also without a role."""
    view.for_everybody = True  # type: ignore[attr-defined]
    return view


def idle_seconds() -> float:
    """Return after how many seconds without a request the sign-in ends; 0: never."""
    return float(settings.SESSION_IDLE_MINUTES * 60)


def seconds_left(request: HttpRequest, *, renewed: bool = False) -> float | None:
    """Return in how many seconds the sign-in ends unless somebody does something; None: not at all.

    ``renewed``: as it will be once this request has been answered.
    """
    idle = idle_seconds()
    if not idle or not request.user.is_authenticated:
        return None
    # A clock that was set back makes nobody stay for longer.
    away = max(0.0, time.time() - request.session.get(SEEN, time.time()))
    return idle - (0.0 if renewed and away >= _step(idle) else away)


def context(request: HttpRequest) -> dict[str, object]:
    """Return what the script of every page knows of the end of the sign-in, in seconds: see ``base.html``."""

    def session() -> dict[str, str]:
        user = getattr(request, "user", None)
        left = seconds_left(request, renewed=True) if user is not None else None
        if left is None:
            return {"seconds": "", "warning": ""}
        return {"seconds": f"{left:.0f}", "warning": f"{min(WARNING, idle_seconds() / 3):.0f}"}

    return {"session": SimpleLazyObject(session)}


def _step(idle: float) -> float:
    return min(KEPT_TO, idle / 10)


class Guard:
    """Middleware: see above. Nothing that a view has answered may be kept by a browser or a proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Renew the sign-in unless the page asked by itself, and say how long it lasts."""
        response = self.get_response(request)
        if "no-store" not in response.get("Cache-Control", ""):
            response["Cache-Control"] = "no-store"
        if getattr(request, "guarded", False) and request.user.is_authenticated:
            _renew(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: View, _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Answer in the place of the view who was away too long, or has no role."""
        if not getattr(view, "login_required", True) or not request.user.is_authenticated:
            return None
        left = seconds_left(request)
        if left is not None and left <= 0:
            logout(request)
            ended = f"{reverse(settings.LOGIN_URL)}?{urlencode({'ended': 'idle'})}"
            return redirect_to_login(request.get_full_path(), ended)
        request.guarded = True  # type: ignore[attr-defined]
        if not (getattr(view, "for_everybody", False) or has_role(request.user)):
            return error_page(request, 403, NO_ROLE_SENTENCE)
        return None


def _renew(request: HttpRequest, response: HttpResponse) -> None:
    idle = idle_seconds()
    if not idle:
        return
    by_somebody = not response.has_header(IS_POLL) and (
        # A poll for something that is gone.
        response.status_code < 400 or request.method not in ("GET", "HEAD")
    )
    now = time.time()
    seen = request.session.get(SEEN)
    if seen is None or seen > now or (by_somebody and now - seen >= _step(idle)):
        _keep(request, now)
    response[SECONDS_LEFT] = f"{seconds_left(request) or 0:.0f}"


def _keep(request: HttpRequest, now: float) -> None:
    """Write down when somebody was there; a page that is only read is shown where that cannot be written."""
    session = request.session
    by_view, before = session.modified, session.get(SEEN, now)
    session[SEEN] = now
    if by_view:
        # Written with what the view has changed.
        return
    try:
        session.save()
    except DatabaseError as error:
        if not is_outage(error):
            raise
        session[SEEN] = before
    except UpdateError:
        # Signed out meanwhile, in another tab.
        pass
    session.modified = False
