"""A short text that changes with what is shown, and with nothing else: the version of a live region.

It is made of all the values a region shows, so that none can be forgotten. It is the same in every
process and language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from hashlib import blake2b
from typing import Any

from django.db.models import Model

# Metadata of a dataclass's field whose value changes with time alone, such as an age, which the
# script of the pages counts: of it only whether there is a value belongs to the fingerprint.
PASSING = {"passing": True}


def fingerprint(value: object) -> str:
    """Return the fingerprint of ``value``, made of dataclasses, rows of models, collections and texts.

    Of a row its columns as they were read: what it refers to has to be among the values itself.

    Raises:
        TypeError: Something in it is none of these.

    """
    return blake2b(repr(_plain(value)).encode(), digest_size=8).hexdigest()


def _plain(value: object) -> object:
    kind: Any = type(value)
    if value is None or kind in (str, int, bool, float):
        return value
    if members := _fields(kind):
        return [
            getattr(value, name) in (None, "") if passing else _plain(getattr(value, name))
            for name, passing in members
        ]
    if isinstance(value, Model):
        names = (column.attname for column in value._meta.concrete_fields)
        return [_plain(value.__dict__.get(name)) for name in names]
    if isinstance(value, str | int | float | datetime):
        return value
    if isinstance(value, Mapping):
        return sorted((repr(key), _plain(each)) for key, each in value.items())
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    raise TypeError(f"{kind.__name__} has no fingerprint")


@cache
def _fields(kind: Any) -> list[tuple[str, bool]]:
    """Return name of each field of a dataclass, and whether it is passing; none of another class."""
    if not is_dataclass(kind):
        return []
    return [(each.name, "passing" in each.metadata) for each in fields(kind)]
