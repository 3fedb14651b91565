"""Keep who signed in, and who tried to."""

from enum import Enum
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from redundancy import origin
from redundancy.models import SignIn

# Rows kept of each user and outcome, so that guessed passwords cannot fill the table.
KEPT = 20


class Outcome(Enum):
    """What became of a sign-in: the columns of ``SignIn`` that say so.

    ``REFUSED``: the password was not looked at, for there were too many failed tries.
    """

    OK = {"ok": True, "refused": False}
    FAILED = {"ok": False, "refused": False}
    REFUSED = {"ok": False, "refused": True}


def record_sign_in(*, username: str, outcome: Outcome, address: str | None) -> None:
    """Keep a sign-in of ``username``.

    A name that nobody has is kept as an empty one: anybody can invent names, and some type a
    password there.
    """
    users = get_user_model()
    with transaction.atomic():
        known = users.objects.filter(**{users.USERNAME_FIELD: username}).exists()
        name = username if known else ""
        SignIn.objects.create(username=name, address=address or None, **outcome.value)
        mine = SignIn.objects.filter(username=name, **outcome.value)
        old = list(mine.values_list("pk", flat=True)[KEPT:])
        if old:
            SignIn.objects.filter(pk__in=old).delete()


def sign_in_failed(*, credentials: dict[str, Any], **_: Any) -> None:
    """Keep a failed sign-in, through whichever door."""
    record_sign_in(
        username=str(credentials.get("username", "")),
        outcome=Outcome.FAILED,
        address=origin.address(),
    )
