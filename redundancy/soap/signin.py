"""Who asks: the product's users by Basic authentication, compared once and then remembered for a while.

Comparing a password takes a third of a second of a processor, and programs send it with every request.
"""

import base64
import binascii
import secrets
import time
from hashlib import blake2b
from hmac import compare_digest
from threading import Lock

from django.contrib.auth import authenticate, get_backends
from django.contrib.auth.models import User
from django.http import HttpRequest

from redundancy import origin
from redundancy.operations.signins import Outcome, record_sign_in

# Wall seconds for which a password that was right is not compared again. It ends at once where the user's
# password is changed or the user may not sign in any more.
REMEMBERED_SECONDS = 300.0
# Sign-ins that one process remembers.
MOST = 1000

# A mark of name and password, under a key of this process → who it was, the hash that it was compared with,
# and when that ends.
_known: dict[bytes, tuple[int, str, float]] = {}
_key, _lock = secrets.token_bytes(32), Lock()


def sign_in(request: HttpRequest) -> User | None:
    """Return the user whose name and password a request carries; None when it is nobody's.

    Raises:
        TryLater: There were too many failed tries; its sentence says when to try again.

    """
    given = _given(request.META.get("HTTP_AUTHORIZATION", ""))
    if given is None:
        return None
    username, password = given
    mark = blake2b(f"{username}\0{password}".encode(errors="replace"), key=_key).digest()
    if (user := _remembered(mark)) is not None:
        return user
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        return None
    record_sign_in(username=username, outcome=Outcome.OK, address=origin.address())
    with _lock:
        if len(_known) >= MOST:
            _known.pop(next(iter(_known)))
        _known[mark] = (user.pk, user.password, time.monotonic() + REMEMBERED_SECONDS)
    return user


def _given(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    username, colon, password = text.partition(":")
    return (username, password) if colon else None


def _remembered(mark: bytes) -> User | None:
    pk, hashed, ends = _known.get(mark, (0, "", 0.0))
    if time.monotonic() >= ends:
        return None
    user = get_backends()[0].get_user(pk)
    if isinstance(user, User) and compare_digest(user.password, hashed):
        return user
    with _lock:
        _known.pop(mark, None)
    return None
