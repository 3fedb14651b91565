"""Keep who signed in, and who tried to."""

from django.contrib.auth import get_user_model
from django.db import transaction

from redundancy.models import SignIn

# Rows kept of each user and outcome, so that guessed passwords cannot fill the table.
KEPT = 20


def record_sign_in(*, username: str, ok: bool, address: str | None) -> None:
    """Keep a sign-in of ``username``.

    A name that nobody has is not kept: there is nobody to tell, and anybody can invent names.
    """
    users = get_user_model()
    with transaction.atomic():
        if not users.objects.filter(**{users.USERNAME_FIELD: username}).exists():
            return
        SignIn.objects.create(username=username, ok=ok, address=address or None)
        mine = SignIn.objects.filter(username=username, ok=ok)
        old = list(mine.values_list("pk", flat=True)[KEPT:])
        if old:
            SignIn.objects.filter(pk__in=old).delete()
