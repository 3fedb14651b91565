"""Keep operations from running into each other, alike on SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, connection, transaction

from redundancy.errors import Refused

# Any number will do, as long as no other software of the same database uses it.
_ADMINISTRATION = 0x5CB_C1A5


def one_administrator() -> None:
    """Let other administrators' changes wait until this transaction ends.

    Rules that span rows (one publisher, a timeout of two intervals) hold only when nobody changes
    another row meanwhile. SQLite has one writer anyway; on PostgreSQL a lock of the transaction
    does the same. SRM's own writes do not take it: they meet operations at the row of the group.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMINISTRATION])


@contextmanager
def unique(constraint: str, refused: Refused) -> Iterator[None]:
    """Turn a violation of the unique ``constraint`` into ``refused``, undoing the block."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if constraint in str(error):
            raise refused from None
        raise
