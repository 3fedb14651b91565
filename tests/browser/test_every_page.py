"""Every page in a real browser: for people with disabilities, by keyboard, enlarged, printed."""

import mimetypes
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser, Page, Route
from pytest_django.fixtures import Settings

from tests.everypage import Rendered, rendered

# Minutes where much else runs.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SITE = "http://pages.test"
SERIOUS = {"serious", "critical"}


@pytest.fixture(autouse=True)
def beside_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test talk to the database: Django takes Playwright's loop in its thread for its own."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def pages(
    beside_playwright: None, db: None, settings: Settings, request: pytest.FixtureRequest
) -> list[Rendered]:
    """Every page, made before the browser asks; in English, or in the language a test is run in."""
    settings.FAULT_LAB = True
    return rendered(language=getattr(request, "param", "en"))


@pytest.fixture
def tab(pages: list[Rendered], browser: Browser) -> Iterator[Page]:
    """A tab in which ``SITE/3`` is the fourth page, with its styles and scripts."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SITE).partition("?")[0]
        if path.startswith("/static/"):
            file = finders.find(path.removeprefix("/static/"))
            assert isinstance(file, str), path
            route.fulfill(path=file, content_type=mimetypes.guess_type(file)[0])
        elif path[1:].isdigit():
            html = pages[int(path[1:])].html
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        else:
            # What a page refreshes by itself: nothing new.
            route.fulfill(status=204)

    with browser.new_context(viewport={"width": 1024, "height": 900}) as context:
        context.route(f"{SITE}/**", answer)
        yield context.new_page()


def findings(page: Page) -> list[str]:
    """What axe finds: how bad, which rule, and where."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{violation['impact']}: {violation['id']}: {node['target']}: {node['html'][:120]}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def wrong(pages: list[Rendered], tab: Page, judge: Callable[[Page], list[str]]) -> list[str]:
    """All that ``judge`` finds on any page, each with the page."""
    found = []
    for number, page in enumerate(pages):
        tab.goto(f"{SITE}/{number}")
        found += [f"{page}: {each}" for each in judge(tab)]
    return found


def test_every_page_is_for_everybody(pages: list[Rendered], tab: Page) -> None:
    assert wrong(pages, tab, findings) == []


# 512 is 1024 at a zoom of 200 %.
WIDTHS = (512, 1024, 1920)


@pytest.mark.parametrize("pages", ["en", "pt-br"], indirect=True)
def test_no_page_is_wider_than_the_window(pages: list[Rendered], tab: Page) -> None:
    def too_wide(page: Page) -> list[str]:
        found = []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{wide} px wide in a window of {width}"] if wide > width else []
        return found

    assert wrong(pages, tab, too_wide) == []


# What Tab should reach, in the order of the document: radio buttons of one name are one stop.
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
  window.lines = (el) => [...el.querySelectorAll("svg a *, rect, path, circle")].map((shape) => {
    const style = getComputedStyle(shape);
    return style.stroke + style.strokeWidth + style.outlineStyle;
  }).join();
  document.activeElement.blur();
  stops.forEach((el, number) => {
    el.dataset.stop = number;
    el.dataset.lines = lines(el);
  });
  stops[0].focus();
  return stops.length;
}"""
FOCUSED = """() => {
  const el = document.activeElement;
  const style = getComputedStyle(el);
  const box = el.getBoundingClientRect();
  return {
    stop: el.dataset ? el.dataset.stop : undefined,
    what: el.outerHTML.slice(0, 100),
    marked: style.outlineStyle !== "none" || style.boxShadow !== "none"
      || lines(el) !== el.dataset.lines,
    inSight: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
  };
}"""


def by_keyboard(page: Page) -> list[str]:
    """What cannot be reached with Tab, in the order it stands, or cannot be seen to have the focus."""
    found = []
    focused: dict[str, Any] = {}
    for number in range(page.evaluate(STOPS)):
        before = focused.get("stop")
        # A date has a stop for each of its figures.
        for _ in range(8 if number else 0):
            page.keyboard.press("Tab")
            if page.evaluate(FOCUSED)["stop"] != before:
                break
        focused = page.evaluate(FOCUSED)
        if focused["stop"] != str(number):
            found.append(f"stop {number} is not reached: the focus is at {focused['what']}")
            break
        if not focused["marked"] or not focused["inSight"]:
            found.append(f"the focus cannot be seen: {focused['what']}")
    return found


def test_every_page_can_be_used_by_keyboard(pages: list[Rendered], tab: Page) -> None:
    assert wrong(pages, tab, by_keyboard) == []


def test_the_focus_on_a_mark_of_the_timeline_is_drawn(pages: list[Rendered], tab: Page) -> None:
    # A shape can keep its own lines whatever the style of the mark around it says: look at the pixels.
    number = next(number for number, page in enumerate(pages) if 'class="tl-mark"' in page.html)
    tab.goto(f"{SITE}/{number}")
    tab.keyboard.press("Tab")
    mark = tab.locator("a.tl-mark").first
    before = mark.screenshot()
    mark.focus()
    assert mark.screenshot() != before


PRINTED = """() => [...document.querySelectorAll("nav, .menu-bar, form, button, input, select")]
  .filter((el) => el.checkVisibility()).map((el) => el.outerHTML.slice(0, 100))"""


def test_incident_and_topology_are_printed_without_what_is_pressed(
    pages: list[Rendered], tab: Page
) -> None:
    tab.emulate_media(media="print")
    plain = {
        page.address.name: number for number, page in enumerate(pages) if not page.address.query
    }
    for number in (plain["incident"], plain["topology"]):
        tab.goto(f"{SITE}/{number}")
        assert tab.evaluate(PRINTED) == []
        assert tab.locator("main table").first.is_visible()


def test_what_keeps_people_out_is_found(tab: Page) -> None:
    tab.goto(f"{SITE}/0")
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<main><img src=x><input></main>')")
    found = " ".join(findings(tab))
    assert "critical: image-alt" in found
    assert "critical: label" in found
