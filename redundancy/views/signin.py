"""Tell a user, once after each sign-in, when the name was used before and when somebody failed."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format

from redundancy.models import SignIn
from redundancy.operations.signins import record_sign_in
from redundancy.selectors.signins import last_sign_ins
from redundancy.srm.words import mark, say, say_row


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
    username = user.get_username()
    before = last_sign_ins(username)
    # A test client or a script signs in without the middleware of messages.
    if hasattr(request, "_messages"):
        messages.info(
            request, str(_line(mark("Last successful sign-in: {sign_in}"), before.successful))
        )
        messages.info(request, str(_line(mark("Last failed sign-in: {sign_in}"), before.failed)))
    record_sign_in(username=username, ok=True, address=request.META.get("REMOTE_ADDR"))


def sign_in_failed(
    *, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Keep a failed sign-in."""
    if request is None:
        return
    record_sign_in(
        username=str(credentials.get("username", "")),
        ok=False,
        address=request.META.get("REMOTE_ADDR"),
    )
