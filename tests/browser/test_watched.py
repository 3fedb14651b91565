"""*Watched Cluster* in a browser: its time is the wall clock's, whatever the lab clock does under the open page."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.pages import Site
from tests.browser.test_pages import POLL


def test_an_open_page_keeps_wall_time(visit: Callable[..., Site]) -> None:
    site = visit()
    page = site.page
    site.open("/ccmadmin/bulk/clusters/watched/")
    expect(page.locator(".as-of")).to_contain_text("(wall time)")
    expect(page.get_by_text("times as fast")).to_have_count(0)
    headers = {
        "X-Lab-Rate": "5",
        "X-Lab-Now": "1800000000",
        "X-Lab-Time": "lab time",
        "X-Wall-Time": "then",
    }
    page.route(POLL, lambda route: route.fulfill(status=204, headers=headers))
    expect(page.locator("[data-as-of]")).to_have_text("then")
    # The script went on, and nothing of the lab's clock came up.
    expect(page.locator("body")).to_have_attribute("data-lab-rate", "5")
    expect(page.get_by_text("times as fast")).to_have_count(0)
