import pytest

import redundancy.tasks  # noqa: F401 - it says which command line writes the outputs of a collection
from redundancy.traces import collecting
from tests.live.conftest import pair
from tests.pages.conftest import admin, page, read_only, reader

__all__ = ["admin", "page", "pair", "read_only", "reader"]


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """The steps that were queued, which the test does by itself."""
    waiting: list[tuple[int, int, int]] = []
    monkeypatch.setattr(collecting.collect, "delay", lambda *args: waiting.append(args))
    return waiting
