"""Take the pictures of the documentation from a running system: ``make pictures``."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from cucm_admin.stack.run import BASE_DIR
from tests.browser.launch import PASSWORD, launch, started
from tests.browser.pages import NORMAL, ROUTER, Site
from tests.stacks import find_chromium

FOLDER = BASE_DIR / "docs" / "pictures"
NODES = ("imp-pub", "imp-sub")
SIZE = ViewportSize(width=1100, height=700)


def main() -> None:
    """Start a system of its own, lead it to what is worth showing, and keep that in ``FOLDER``."""
    path = find_chromium()
    if path is None:
        sys.exit("Chromium is not installed.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder)) as stack,
        sync_playwright() as playwright,
        launch(playwright, path) as browser,
    ):
        page = browser.new_page(viewport=SIZE)
        site = Site(page, stack.url)
        site.sign_in("admin", PASSWORD)
        site.follow(page.get_by_role("button", name="Load sample cluster"))
        site.expect_status("1,000 users")
        site.set_parameter("Enable Automatic Fallback", "True")
        take(site)


def take(site: Site) -> None:
    """Show a healthy pair, a failover, the wait for the way back, what is told of it, and the other language."""
    group = site.group(*NODES)
    group.enable_ha()
    group.expect_pair(NORMAL, NORMAL)
    # Once more, without the message about what was saved.
    site.group(*NODES)
    keep(site.page, "group-normal")

    center = site.control_center("imp-pub")
    center.press("Stop", ROUTER)
    center.go_on()
    center.expect_service(ROUTER, "Stopped")
    keep(site.page, "control-center")

    failed = ("Failed Over with Critical Services not Running", "Critical Service Down")
    backup = ("Running in Backup Mode", "Critical Service Down")
    site.group(*NODES).expect_pair(failed, backup)
    site.topology()
    keep(site.page, "topology")

    center = site.control_center("imp-pub")
    center.press("Start", ROUTER)
    center.expect_service(ROUTER, "Started")
    group = site.group(*NODES)
    group.expect_pair(("Failed Over", "Critical Service Down"), backup)
    keep(site.page, "group-failed-over")
    site.follow(site.page.get_by_role("link", name="Timeline", exact=True))
    keep(site.page, "timeline")
    group = site.group(*NODES)
    site.follow(site.page.get_by_role("link", name="Incidents", exact=True))
    site.follow(site.page.locator("main tbody a").first)
    keep(site.page, "incident")
    site.topology()
    site.follow(site.page.get_by_role("button", name="Português (Brasil)"))
    keep(site.page, "topology-portuguese")


def keep(page: Page, name: str) -> None:
    """Keep the whole page as a picture."""
    page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


if __name__ == "__main__":
    main()
