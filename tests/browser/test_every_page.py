"""Every page in a real browser: for people with disabilities, by keyboard, enlarged, printed."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import override_settings
from django.utils import translation
from playwright.sync_api import Browser, Page, ViewportSize
from pytest_django import DjangoDbBlocker

from tests.browser.served import served
from tests.everypage import Rendered, rendered
from tests.kept import kept

# Minutes where much else runs.
pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.timeout(600)]

AXE: str = Axe().axe_script
SERIOUS = {"serious", "critical"}
# 512 is 1024 at a zoom of 200 %.
WIDTHS = (512, 1024, 1920)
WINDOW = ViewportSize(width=1024, height=900)


class Site(NamedTuple):
    """Every page in one language, as it was made, and where a browser gets it."""

    pages: list[Rendered]
    url: str

    def open(self, tab: Page, number: int) -> None:
        tab.goto(f"{self.url}/{number}")


@contextlib.contextmanager
def made(language: str, blocker: DjangoDbBlocker) -> Iterator[Site]:
    """Make every page in a language, and serve it; the database is as it was afterwards."""
    with (
        kept(blocker),
        override_settings(FAULT_LAB=True),
        translation.override("en"),
    ):
        pages = rendered(language=language)
    with served(pages) as url:
        yield Site(pages, url)


@pytest.fixture(scope="module", autouse=True)
def beside_playwright() -> Iterator[None]:
    """Let the tests talk to the database: Django takes Playwright's loop in their thread for its own."""
    with patch.dict(os.environ, DJANGO_ALLOW_ASYNC_UNSAFE="true"):
        yield


@pytest.fixture(scope="module")
def english(
    beside_playwright: None, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    with made("en", django_db_blocker) as site:
        yield site


@pytest.fixture(scope="module")
def portuguese(
    beside_playwright: None, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    with made("pt-br", django_db_blocker) as site:
        yield site


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport=WINDOW) as context:
        yield context.new_page()


def findings(page: Page) -> list[str]:
    """What axe finds: how bad, which rule, and where."""
    page.evaluate(AXE)
    # All that was right is left where it is: to bring it here takes as long as to find it.
    violations: list[dict[str, Any]] = page.evaluate(
        "axe.run({resultTypes: ['violations']}).then((found) => found.violations)"
    )
    return [
        f"{violation['impact']}: {violation['id']}: {node['target']}: {node['html'][:120]}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def too_wide(page: Page) -> list[str]:
    """At which widths of the window the page is wider than it."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{wide} px wide in a window of {width}"] if wide > width else []
    page.set_viewport_size(WINDOW)
    return found


# What Tab should reach, in the order of the document: radio buttons of one name are one stop.
# Each press of Tab first keeps how the one that has the focus looks: `walked` is where Tab has been.
STOPS = """() => {
  const groups = new Set();
  const seen = (el) => el.checkVisibility({visibilityProperty: true}) && el.getClientRects().length > 0;
  const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const stops = [...document.querySelectorAll(all)].filter((el) => {
    if (el.disabled || el.tabIndex < 0 || !seen(el)) return false;
    if (el.type !== "radio") return true;
    const chosen = document.querySelector(`input[type=radio][name="${el.name}"]:checked`);
    return chosen ? el === chosen : !groups.has(el.name) && groups.add(el.name);
  });
  // What is drawn is not outlined: the lines of its shapes change.
  const lines = (el) => [...el.querySelectorAll("svg a *, rect, path, circle")].map((shape) => {
    const style = getComputedStyle(shape);
    return style.stroke + style.strokeWidth + style.outlineStyle;
  }).join();
  document.activeElement.blur();
  const before = stops.map(lines);
  const walked = [];
  window.keep = () => {
    const el = document.activeElement;
    const stop = stops.indexOf(el);
    // A date has a stop for each of its figures.
    if (walked.length && stop >= 0 && walked.at(-1).stop === stop) return walked;
    const style = getComputedStyle(el);
    const box = el.getBoundingClientRect();
    walked.push({
      stop,
      what: el.outerHTML.slice(0, 100),
      marked: style.outlineStyle !== "none" || style.boxShadow !== "none" || lines(el) !== before[stop],
      inSight: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
    });
    return walked;
  };
  addEventListener("keydown", keep, {capture: true});
  stops[0].focus();
  return stops.length;
}"""


def by_keyboard(page: Page) -> list[str]:
    """What cannot be reached with Tab, in the order it stands, or cannot be seen to have the focus."""
    stops = page.evaluate(STOPS)
    walked: list[dict[str, Any]] = []
    # A stop of several figures takes as many presses, which are made up for.
    for _ in range(8):
        for _ in range(stops - max(1, len(walked))):
            page.keyboard.press("Tab")
        walked = page.evaluate("keep()")
        if len(walked) >= stops:
            break
    found: list[str] = []
    for number in range(stops):
        if number == len(walked):
            return [*found, f"stop {number} is not reached"]
        focused = walked[number]
        if focused["stop"] != number:
            return [*found, f"stop {number} is not reached: the focus is at {focused['what']}"]
        if not focused["marked"] or not focused["inSight"]:
            found.append(f"the focus cannot be seen: {focused['what']}")
    return found


Judge = Callable[[Page], list[str]]


def wrong(site: Site, browser: Browser, *judges: Judge) -> dict[Judge, list[str]]:
    """All that each of ``judges`` finds on any page, each with the page; a page is opened once."""
    found: dict[Judge, list[str]] = {judge: [] for judge in judges}
    with browser.new_context(viewport=WINDOW) as context:
        tab = context.new_page()
        for number, page in enumerate(site.pages):
            site.open(tab, number)
            for judge in judges:
                found[judge] += [f"{page}: {each}" for each in judge(tab)]
    return found


@pytest.fixture(scope="module")
def judged(english: Site, browser: Browser) -> dict[Judge, list[str]]:
    """What is wrong with the English pages. The keyboard is last: it leaves marks."""
    return wrong(english, browser, findings, too_wide, by_keyboard)


def test_every_page_is_for_everybody(judged: dict[Judge, list[str]]) -> None:
    assert judged[findings] == []


def test_no_page_is_wider_than_the_window(judged: dict[Judge, list[str]]) -> None:
    assert judged[too_wide] == []


def test_no_portuguese_page_is_wider_than_the_window(portuguese: Site, browser: Browser) -> None:
    assert wrong(portuguese, browser, too_wide)[too_wide] == []


def test_every_page_can_be_used_by_keyboard(judged: dict[Judge, list[str]]) -> None:
    assert judged[by_keyboard] == []


def test_the_focus_on_a_mark_of_the_timeline_is_drawn(english: Site, tab: Page) -> None:
    # A shape can keep its own lines whatever the style of the mark around it says: look at the pixels.
    pages = enumerate(english.pages)
    english.open(tab, next(number for number, page in pages if 'class="tl-mark"' in page.html))
    tab.keyboard.press("Tab")
    mark = tab.locator("a.tl-mark").first
    before = mark.screenshot()
    mark.focus()
    assert mark.screenshot() != before


PRINTED = """() => [...document.querySelectorAll("nav, .menu-bar, form, button, input, select")]
  .filter((el) => el.checkVisibility()).map((el) => el.outerHTML.slice(0, 100))"""


def test_incident_and_topology_are_printed_without_what_is_pressed(
    english: Site, tab: Page
) -> None:
    tab.emulate_media(media="print")
    plain = {
        page.address.name: number
        for number, page in enumerate(english.pages)
        if not page.address.query
    }
    for number in (plain["incident"], plain["topology"]):
        english.open(tab, number)
        assert tab.evaluate(PRINTED) == []
        assert tab.locator("main table").first.is_visible()


def test_what_keeps_people_out_is_found(english: Site, tab: Page) -> None:
    english.open(tab, 0)
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<main><img src=x><input></main>')")
    found = " ".join(findings(tab))
    assert "critical: image-alt" in found
    assert "critical: label" in found


def test_what_is_too_wide_is_found(english: Site, tab: Page) -> None:
    english.open(tab, 0)
    tab.evaluate("""() => {
      document.body.insertAdjacentHTML('beforeend', '<p id=wide>x</p>');
      document.getElementById('wide').style.width = '1100px';
    }""")
    narrow, window = too_wide(tab)
    assert narrow.endswith("in a window of 512")
    assert window.endswith("in a window of 1024")


def test_what_a_keyboard_cannot_reach_is_found(english: Site, tab: Page) -> None:
    english.open(tab, 0)
    assert by_keyboard(tab) == []
    # Last in the document, first by Tab; and one that nobody can leave.
    for mark in ("tabindex=1", "onkeydown='event.preventDefault()'"):
        english.open(tab, 0)
        tab.evaluate(f"""document.querySelector('main, body').insertAdjacentHTML(
            'beforeend', "<button {mark}>a</button><button>b</button>")""")
        assert "is not reached" in by_keyboard(tab)[-1]


def test_a_focus_that_cannot_be_seen_is_found(english: Site, tab: Page) -> None:
    english.open(tab, 0)
    tab.add_style_tag(content="* { outline: none !important; box-shadow: none !important }")
    found = by_keyboard(tab)
    assert len(found) == tab.evaluate("keep().length")
    assert all("cannot be seen" in each for each in found)
