"""History, timeline and incidents as somebody at the screen uses them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.launch import PASSWORD
from tests.browser.pages import NORMAL, Site
from tests.stacks import Stack

pytestmark = [pytest.mark.browser, pytest.mark.live]

NODES = ("imp-pub", "imp-sub")


@pytest.fixture(scope="module")
def incident(stack: Stack, browser: Browser) -> None:
    """A pair that failed over by hand."""
    with browser.new_context() as context:
        site = Site(context.new_page(), stack.url)
        site.sign_in("admin", PASSWORD)
        site.follow(site.page.get_by_role("button", name="Load sample cluster"))
        group = site.group(*NODES)
        group.enable_ha()
        group.expect_pair(NORMAL, NORMAL)
        group.do("Failover", "imp-pub")
        asked = "On Admin Request"
        group.expect_pair(("Idle", asked), ("Running in Backup Mode", asked))


@pytest.fixture
def page(visit: Callable[..., Site], incident: None) -> Page:
    return visit().page


def test_the_group_page_leads_to_everything(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/ccmadmin/presence-redundancy-groups/1/")
    page.get_by_role("link", name="Open incident since").click()
    expect(page.get_by_role("heading", name="Incident 1")).to_be_visible()
    expect(page.get_by_text("Failover of imp-pub was requested by admin")).to_be_visible()
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("heading", name="Timeline of DefaultCUPSubCluster")).to_be_visible()


def test_the_timeline_is_walked_by_keyboard(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/cupadmin/ha-event-history/timeline/1/")
    page.locator("#timeline-frame").focus()
    said = []
    for _ in range(2):
        page.keyboard.press("Tab")
        said.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert "Incident 1" in said[0]
    assert said[1].startswith("imp-pub, ")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="HA Event")).to_be_visible()


def test_all_of_it_works_without_script(visit: Callable[..., Site], incident: None) -> None:
    site = visit(javascript=False)
    page = site.page
    site.open("/cupadmin/ha-event-history/")
    page.get_by_label("Text").fill("Failover of imp-pub")
    site.follow(page.get_by_role("button", name="Find"))
    expect(page.locator("table.events tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert "Failover of imp-pub was requested." in download.value.path().read_text()
    site.open("/cupadmin/ha-event-history/timeline/1/")
    site.follow(page.get_by_role("link", name="Week"))
    assert page.locator(".tl-bar").count() > 4


def test_a_printed_report_is_the_report_alone(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/cupadmin/incidents/1/")
    page.emulate_media(media="print")
    expect(page.locator(".banner")).to_be_hidden()
    expect(page.locator("#status")).to_be_hidden()
    expect(page.get_by_role("heading", name="Incident 1")).to_be_visible()
    expect(page.locator(".phases").first).to_be_visible()
