"""The end of a sign-in as somebody at the screen sees it: the warning, going on, and coming back."""

import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from redundancy.views import guard

pytestmark = [pytest.mark.browser, pytest.mark.process]

MINUTES = 60
PASSWORD = "tidy-fjord-41-lamp"
BAR = "#session-end"
ADD = reverse("server_add") + "?type=imp"


class Visitor:
    """A browser that is signed in, and the session that it has."""

    def __init__(self, page: Page, url: str, client: Client) -> None:
        self.page, self.url, self.client = page, url, client

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def was_away(self, seconds: float) -> None:
        """Let it be so long since the last request."""

        session = self.client.session
        session[guard.SEEN] = time.time() - seconds
        session.save()


@pytest.fixture(params=["en", "pt-br"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visitor(live_server: LiveServer, browser: Browser, language: str) -> Iterator[Visitor]:
    client = Client()
    client.force_login(User.objects.create_superuser("ann", password=PASSWORD))
    context = browser.new_context(viewport={"width": 1024, "height": 700})
    context.add_cookies(
        [
            {"name": name, "value": value, "url": live_server.url}
            for name, value in (
                (settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value),
                (settings.LANGUAGE_COOKIE_NAME, language),
            )
        ]
    )
    yield Visitor(context.new_page(), live_server.url, client)
    context.close()


def test_who_is_warned_goes_on_by_keyboard_with_what_was_typed(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(ADD)
    expect(page.locator(BAR)).to_be_hidden()
    page.locator("[name=name]").fill("imp-pub")
    visitor.was_away(26 * MINUTES)
    bar = page.locator(BAR)
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("4 min")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    button = bar.locator("button")
    page.locator("[name=name]").focus()
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if button.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(bar).to_be_hidden()
    assert time.time() - visitor.client.session[guard.SEEN] < MINUTES
    expect(page.locator("[name=name]")).to_have_value("imp-pub")
    assert page.evaluate("document.activeElement !== document.body")


def test_the_whole_page_goes_to_the_sign_in_and_comes_back(visitor: Visitor) -> None:
    page = visitor.page
    path = reverse("server_list") + "?text=imp"
    visitor.open(path)
    visitor.was_away(31 * MINUTES)
    page.wait_for_url(f"{visitor.url}{reverse('login')}?**")
    expect(page.locator("#status")).to_contain_text("30 min")
    expect(page.locator(".menu-bar")).to_have_count(0)
    page.locator("[name=username]").fill("ann")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator(".sign-in button[type=submit]").click()
    page.wait_for_url(visitor.url + path)


def test_what_is_typed_stays_when_it_is_over(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(ADD)
    page.locator("[name=name]").fill("imp-pub")
    visitor.was_away(31 * MINUTES)
    expect(page.locator("#connection-note, #live-note").first).to_be_visible()
    expect(page.locator("[name=name]")).to_have_value("imp-pub")
    assert page.url == visitor.url + ADD


def ask_now(page: Page) -> None:
    """Let the page ask the server now, not in some seconds."""
    page.evaluate("document.body.dispatchEvent(new Event('poll'))")


@pytest.mark.parametrize("popup", ["", "?_popup=1"])
def test_the_django_administration_warns_and_keeps_what_was_typed(
    visitor: Visitor, popup: str
) -> None:
    page = visitor.page
    visitor.open(reverse("admin:redundancy_server_add") + popup)
    bar = page.locator(BAR)
    expect(bar).to_be_hidden()
    page.locator("[name=name]").fill("imp-pub")
    visitor.was_away(26 * MINUTES)
    ask_now(page)
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("4 min")
    # In sight wherever somebody reads.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(bar).to_be_in_viewport()
    bar.locator("button").click()
    expect(bar).to_be_hidden()
    expect(page.locator("[name=name]")).to_have_value("imp-pub")
    visitor.was_away(31 * MINUTES)
    ask_now(page)
    expect(page.locator("#connection-note")).to_be_visible()
    expect(page.locator("[name=name]")).to_have_value("imp-pub")


def test_the_django_administration_goes_to_the_sign_in_and_comes_back(visitor: Visitor) -> None:
    page = visitor.page
    path = reverse("admin:redundancy_server_changelist") + "?q=imp"
    visitor.open(path)
    visitor.was_away(31 * MINUTES)
    page.wait_for_url(f"{visitor.url}{reverse('login')}?**")
    page.locator("[name=username]").fill("ann")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator(".sign-in button[type=submit]").click()
    page.wait_for_url(visitor.url + path)


def test_the_warning_can_be_answered_in_an_open_dialog(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(ADD)
    page.evaluate("document.getElementById('dialog').showModal()")
    visitor.was_away(26 * MINUTES)
    button = page.locator("#dialog").locator(BAR).locator("button")
    button.click()
    expect(page.locator(BAR)).to_be_hidden()
