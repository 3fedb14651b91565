"""What every page must be: valid HTML, each id once, each reference to something that is there."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

import html5lib
import pytest
from bs4 import BeautifulSoup
from html5lib.constants import E
from pytest_django.fixtures import Settings

from tests.everypage import NOT_PAGES, Furniture, Rendered, every_page, named_addresses, rendered

REFERENCES = (
    "for",
    "form",
    "list",
    "headers",
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "aria-owns",
)


MADE = Furniture(*range(1, 1 + len(fields(Furniture))))


def test_every_address_is_listed() -> None:
    listed = {address.name for address in every_page(MADE)}
    assert listed | NOT_PAGES == named_addresses()
    assert not listed & NOT_PAGES


def errors(html: str) -> Iterator[str]:
    """What the parser of the standard finds wrong."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(html)
    for (line, _), code, values in parser.errors:
        yield f"line {line}: {E[code] % values}: {html.splitlines()[line - 1].strip()[:100]}"


def dangling(soup: BeautifulSoup) -> Iterator[str]:
    """Ids that stand twice, and references to ids that stand nowhere."""
    ids = Counter(str(tag["id"]) for tag in soup.select("[id]"))
    yield from (f"id {name} stands {count} times" for name, count in ids.items() if count > 1)
    for attribute in REFERENCES:
        # The page's dialog gets its title with its content.
        for tag in soup.select(f"[{attribute}]:not(dialog:empty)"):
            missing = set(str(tag[attribute]).split()) - set(ids)
            yield from (f"<{tag.name} {attribute}> names {name}" for name in missing)
    for tag in soup.select('a[href^="#"]'):
        if str(tag["href"])[1:] not in ids:
            yield f"<a> leads to {tag['href']}"


def outline(soup: BeautifulSoup) -> Iterator[str]:
    """What a page lacks whose title, language or heading nobody hears."""
    if not soup.title or not soup.title.get_text(strip=True):
        yield "no title"
    if not soup.html or not soup.html.get("lang"):
        yield "no language"
    if len(soup.select("h1")) != 1:
        yield "not one h1"


def findings(page: Rendered) -> list[str]:
    """All that is wrong with a page."""
    soup = BeautifulSoup(page.html, "html5lib")
    return [*errors(page.html), *dangling(soup), *outline(soup)]


def test_every_page_is_valid(db: None, settings: Settings) -> None:
    settings.FAULT_LAB = True
    wrong = {str(page): found for page in rendered() if (found := findings(page))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("html", "finding"),
    [
        ("<p><div></p>", "Unexpected end tag (p)"),
        ('<p id="a"></p><p id="a"></p>', "id a stands 2 times"),
        ('<label for="b">x</label>', "<label for> names b"),
        ('<a href="#c">x</a>', "<a> leads to #c"),
        ('<p class="a" class="b"></p>', "duplicate"),
        ("", "not one h1"),
    ],
)
def test_what_is_wrong_is_found(html: str, finding: str) -> None:
    sound = '<!DOCTYPE html><html lang="en"><head><title>T</title></head><body>'
    page = Rendered(every_page(MADE)[0], f"{sound}{html}</body></html>")
    assert any(finding.casefold() in found.casefold() for found in findings(page))
