from collections.abc import Iterator

import pytest

from redundancy import bus
from tests.pages.conftest import admin, group, ha, page, pair, pub, sub
from tests.swept import just_swept

__all__ = ["admin", "group", "ha", "page", "pair", "pub", "running", "sub"]


@pytest.fixture
def running(db: None, valkey: str) -> Iterator[None]:
    """Everything as it is a moment after a sweep, with workers that work."""
    bus.client().flushdb()
    just_swept()
    yield
    bus.client().flushdb()
