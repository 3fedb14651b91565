"""Texts that are stored encrypted, with a key that is made of ``SECRET_KEY``.

Who reads the database, a dump of it or a column of it by a condition learns nothing without the key.
"""

import base64
from hashlib import blake2b
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.encoding import force_bytes

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

# What an encrypted text begins with; any other was stored before texts were encrypted.
MARK = "fernet:"


class Unreadable(ValueError):
    """A text that was encrypted with another key."""


def seal(text: str) -> str:
    """Return ``text`` encrypted."""
    return MARK + _keys().encrypt(text.encode()).decode()


def unseal(stored: str) -> str:
    """Return the text that ``stored`` is of.

    Raises:
        Unreadable: It was encrypted with another ``SECRET_KEY``.

    """
    if not stored.startswith(MARK):
        return stored
    from cryptography.fernet import InvalidToken

    try:
        return str(_keys().decrypt(stored.removeprefix(MARK).encode()).decode())
    except InvalidToken:
        raise Unreadable from None


def _keys() -> "MultiFernet":
    # Where it is used: processes without such texts save its memory.
    from cryptography.fernet import Fernet, MultiFernet

    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str | bytes) -> bytes:
    digest = blake2b(force_bytes(secret), digest_size=32, person=b"cucm-admin text").digest()
    return base64.urlsafe_b64encode(digest)
