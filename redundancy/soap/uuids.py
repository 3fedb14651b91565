"""The UUIDs by which programs name items: made of the kind of item and its key, so none is stored.

The vendor's are random; ours lead back to the row by themselves, and are the same each time they are asked for.
"""

import re

from django.db.models import Model

from redundancy.models import (
    NodeService,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)

# The first block of a UUID, by the table of its item. A parameter has no row while it has its default: its
# number is made of its place in the catalogue and its node.
_KINDS: dict[type[Model], str] = {
    RedundancyGroup: "5b0c1a7e",
    Server: "5b0c1a7f",
    PresenceUser: "5b0c1a80",
    NodeService: "5b0c1a81",
    ServiceParameter: "5b0c1a82",
}
_SHAPE = re.compile(r"\{?([0-9a-f]{8})-0000-4000-8000-([0-9a-f]{12})\}?", re.IGNORECASE)


def uuid_of(row: Model) -> str:
    """Return the UUID of ``row``, in braces and upper case as AXL writes it."""
    return uuid_for(type(row), row.pk)


def uuid_for(table: type[Model], number: int) -> str:
    """Return the UUID of the item of ``table`` with the key ``number``."""
    return f"{{{_KINDS[table]}-0000-4000-8000-{number:012x}}}".upper()


def key_in(uuid: str, table: type[Model]) -> int | None:
    """Return the key of the item of ``table`` that ``uuid`` names; None when it names none of that table."""
    match = _SHAPE.fullmatch(uuid.strip())
    if match is None or match[1].lower() != _KINDS[table]:
        return None
    return int(match[2], 16)
