"""axe-core on every page: nothing serious or critical that keeps people with disabilities out."""

import mimetypes
from collections.abc import Iterator
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
def pages(beside_playwright: None, db: None, settings: Settings) -> list[Rendered]:
    """Every page, made before the browser asks."""
    settings.FAULT_LAB = True
    return rendered()


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


def test_every_page_is_for_everybody(pages: list[Rendered], tab: Page) -> None:
    wrong = {}
    for number, page in enumerate(pages):
        tab.goto(f"{SITE}/{number}")
        if found := findings(tab):
            wrong[str(page)] = found
    assert wrong == {}, "\n".join(
        f"{page}: {each}" for page, found in wrong.items() for each in found
    )


def test_what_keeps_people_out_is_found(tab: Page) -> None:
    tab.goto(f"{SITE}/0")
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<main><img src=x><input></main>')")
    found = " ".join(findings(tab))
    assert "critical: image-alt" in found
    assert "critical: label" in found
