"""Whether a password is right: asked by every door through Django's ``authenticate``.

As the authentication backend of the settings it cannot be passed by: the throttle, the limit of
length and the number of comparisons at a time hold for the sign-in page, *Change Password*, SSH and
SOAP alike. A door says where its client comes from with ``origin.coming_from``, shows the sentence of
`TryLater`, and records a successful sign-in (`redundancy.operations.signins`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from redundancy import origin, passwords, permissions
from redundancy.operations import throttle
from redundancy.operations.signins import Outcome, record_sign_in
from redundancy.operations.throttle import TryLater
from redundancy.srm.words import say

# Passwords that one process compares at a time, and how many more may wait for it. Of the threads
# that answer requests some are left for everybody else, whoever guesses.
AT_ONCE, WAITING = 2, 2
# Wall seconds after which it is worth trying again.
BUSY_SECONDS = 2

_room, _slots = BoundedSemaphore(AT_ONCE + WAITING), BoundedSemaphore(AT_ONCE)


@contextmanager
def _slot() -> Iterator[None]:
    """Wait for the turn to compare a password.

    Raises:
        TryLater: Too many wait already.

    """
    if not _room.acquire(blocking=False):
        raise TryLater(say("Too many sign-ins at a time. Try again in a moment."), BUSY_SECONDS)
    try:
        with _slots:
            yield
    finally:
        _room.release()


class Throttled(ModelBackend):
    """Compares passwords as Django does, within the limits."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> User | None:
        """Return the user whose password it is; None when it is nobody's.

        Raises:
            TryLater: There were too many failed tries, or too many at a time.

        """
        if username is None or password is None:
            return None
        # A null character is in no name, and PostgreSQL looks for none.
        if len(password) > passwords.LONGEST or "\0" in username:
            return None
        address = origin.address()
        try:
            throttle.check(username, address)
            with _slot():
                throttle.admit(username, address)
                user = super().authenticate(request, username=username, password=password)
        except TryLater as refused:
            if refused.first:
                record_sign_in(username=username, outcome=Outcome.REFUSED, address=address)
            raise
        if user is not None:
            throttle.succeeded(username, address)
        return user if isinstance(user, User) else None

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session with the roles, in one query; None when there is none."""
        users = permissions.with_roles(get_user_model()._default_manager.all())
        user = users.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
