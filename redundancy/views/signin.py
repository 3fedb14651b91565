"""The sign-in page, one's own password, and what a user is told once after each sign-in."""

import time
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from redundancy.forms.signin import OwnPasswordForm, SignInForm
from redundancy.models import SignIn
from redundancy.operations.accounts import change_own_password
from redundancy.operations.signins import Outcome, record_sign_in
from redundancy.operations.throttle import TryLater
from redundancy.selectors.signins import last_sign_ins
from redundancy.srm.words import mark, say, say_count, say_row
from redundancy.views import guard
from redundancy.views.chrome import lab, tell_time

R = TypeVar("R", bound=HttpResponseBase)


def _line(sentence: str, row: SignIn | None) -> str:
    if row is None:
        return say_row(sentence, {"sign_in": say("none")})
    at = date_format(timezone.localtime(row.at), "Y-m-d H:i:s")
    shown = (
        say("{at} (wall time) from {address}", at=at, address=row.address)
        if row.address
        else say("{at} (wall time)", at=at)
    )
    return say_row(sentence, {"sign_in": shown})


def signed_in(*, request: HttpRequest | None, user: AbstractBaseUser, **_: Any) -> None:
    """Keep a successful sign-in, and show the ones before it on the next page."""
    if request is None:
        return
    request.session[guard.SEEN] = time.time()
    # A fixed end: written again the session would last longer each time.
    request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    username = user.get_username()
    before = last_sign_ins(username)
    # A test client or a script signs in without the middleware of messages.
    if hasattr(request, "_messages"):
        messages.info(
            request, str(_line(mark("Last successful sign-in: {sign_in}"), before.successful))
        )
        messages.info(request, str(_line(mark("Last failed sign-in: {sign_in}"), before.failed)))
    record_sign_in(username=username, outcome=Outcome.OK, address=request.META.get("REMOTE_ADDR"))


_sign_in = LoginView.as_view(authentication_form=SignInForm, redirect_authenticated_user=True)


@login_not_required
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Show the sign-in page, and sign in; 429 with when to try again after too many failed tries."""
    ended = request.method == "GET" and request.GET.get("ended") == "idle"
    if ended and not request.user.is_authenticated:
        sentence = say_count(
            "You were signed out after {count} minute without activity.",
            "You were signed out after {count} minutes without activity.",
            round(guard.idle_seconds() / 60),
        )
        messages.info(request, str(sentence))
    answer = _sign_in(request)
    form = (getattr(answer, "context_data", None) or {}).get("form")
    return _told_when(answer, form.try_later) if isinstance(form, SignInForm) else answer


def _told_when(answer: R, refused: TryLater | None) -> R:
    """Let the answer to a refused try say when the next one is looked at."""
    if refused is not None:
        answer.status_code = 429
        answer["Retry-After"] = str(refused.seconds)
    return answer


@guard.for_everybody
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request: HttpRequest) -> HttpResponse:
    """Let somebody change the own password; sign-ins elsewhere end with it."""
    form = OwnPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        change_own_password(user=form.user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, form.user)
        done = say("Update successful. You are signed out everywhere else.")
        messages.success(request, str(done))
        return redirect("password_change")
    context = {"title": say("Change Password"), "form": form}
    status = 422 if request.method == "POST" else 200
    answer = render(request, "registration/own_password.html", context, status=status)
    return _told_when(answer, form.try_later)


@guard.for_everybody
@require_POST
def stay_signed_in(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Renew the sign-in, as any request does that no page sends by itself."""
    return HttpResponse(status=204)


@guard.for_everybody
@require_safe
def session_seconds(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer the poll of a page that refreshes nothing: its headers say how long the sign-in lasts."""
    return tell_time(HttpResponse(status=204), lab())
