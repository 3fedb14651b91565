"""No page shows a text that the catalogues were never asked for."""

from pytest_django.fixtures import Settings

from tests.everypage import rendered
from tests.language.marking import marking, untranslated
from tests.language.names import proper_names


def test_no_page_says_something_untranslated(db: None, settings: Settings) -> None:
    settings.FAULT_LAB = True
    with marking():
        pages = rendered(language="pt-br")
    names = proper_names()
    # Of a text that stands on many pages, the first is enough.
    wrong = {text: str(page) for page in reversed(pages) for text in untranslated(page.html, names)}
    assert wrong == {}
