"""No page shows a text that the catalogues were never asked for."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from redundancy import bus
from tests.everypage import rendered
from tests.language.marking import marking, untranslated
from tests.language.names import proper_names
from tests.swept import just_swept


@pytest.fixture(params=["swept", "begun", "away"])
def system(request: pytest.FixtureRequest, valkey: str, settings: Settings) -> Iterator[None]:
    """The running system when a sweep has just ended, before its first one, and without its bus."""
    if request.param == "away":
        settings.REDIS_URL = "unix:///nowhere/valkey.sock"
        yield
        return
    bus.client().flushdb()
    if request.param == "swept":
        just_swept()
    yield
    bus.client().flushdb()


def test_no_page_says_something_untranslated(db: None, settings: Settings, system: None) -> None:
    settings.FAULT_LAB = True
    with marking():
        pages = rendered(language="pt-br")
    names = proper_names()
    # Of a text that stands on many pages, the first is enough.
    wrong = {text: str(page) for page in reversed(pages) for text in untranslated(page.html, names)}
    assert wrong == {}
