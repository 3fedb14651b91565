"""Events to look for, and the people of the page tests."""

from collections.abc import Callable
from typing import Any

import pytest

from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server
from redundancy.operations import events
from tests.pages.conftest import admin, group, page, pair, pub, read_only, reader, sub

__all__ = ["admin", "group", "page", "pair", "pub", "read_only", "reader", "sub"]

# Lab seconds of the first event.
BEGAN = 1_800_000_000.0
Tell = Callable[..., HaEvent]


@pytest.fixture
def tell(pair: RedundancyGroup, pub: Server) -> Tell:
    """Add an event; without more said: of imp-pub, a second after the one before. The history is empty."""
    HaEvent.objects.all().delete()
    moments = iter(range(10_000))

    def told(sentence: str, kind: EventKind = EventKind.STATE, **more: Any) -> HaEvent:
        more.setdefault("at", BEGAN + next(moments))
        if "group" not in more:
            more.setdefault("node", pub)
        return events.record(kind=kind, sentence=sentence, **more)

    return told
