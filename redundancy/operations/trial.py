"""Find out whether an operation would be refused, before anybody is asked to confirm it."""

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

T = TypeVar("T")


def try_out(operation: Callable[[], T]) -> T:
    """Run ``operation`` and undo it; return what it returned. Refused as the operation would be."""
    with transaction.atomic():
        result = operation()
        transaction.set_rollback(True)
    return result
