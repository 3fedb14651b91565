"""What is counted once, and again only when something has changed."""

import pytest

from redundancy.models import EventKind
from redundancy.operations.events import record
from redundancy.selectors.kept import kept
from redundancy.selectors.stamp import stamp


@pytest.mark.django_db
def test_it_is_counted_again_when_something_has_changed() -> None:
    counts = iter(range(10))

    def look(key: str = "users") -> int:
        return kept(key, stamp(), lambda: next(counts))

    assert (look(), look(), look("others")) == (0, 0, 1)
    record(kind=EventKind.LAB, sentence="Something happened.")
    assert (look(), look(), look("others")) == (2, 2, 3)


@pytest.mark.django_db
def test_nothing_counted_is_kept_too() -> None:
    counts = iter([None, 1])
    at = stamp()
    assert kept("nothing", at, lambda: next(counts)) is None
    assert kept("nothing", at, lambda: next(counts)) is None
