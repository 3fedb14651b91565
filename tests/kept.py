"""What many tests of a module look at is made once: rows that stay in the database until the last of them."""

import contextlib
from collections.abc import Iterator

from django.db import transaction
from pytest_django import DjangoDbBlocker


@contextlib.contextmanager
def kept(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep what is written within, and what fixtures write before the tests; undo all of it at the end.

    Each test has a transaction inside this one, as long as none asks for ``transactional_db``. The
    database must be there before: the fixture asks for ``django_db_setup``.
    """
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
