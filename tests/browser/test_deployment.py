"""*Service Activation* at the screen: with script the caution is a dialog, without it a page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import CCMSERVICE, CUPADMIN, NORMAL, Site

pytestmark = [pytest.mark.browser, pytest.mark.live]

ENGINE, ARCHIVER = "Cisco Presence Engine", "Cisco XCP Message Archiver"


def activation(site: Site) -> Page:
    """Choose imp-pub on the page, by menu and drop-down."""
    site.open()
    site.navigate(CCMSERVICE)
    site.menu("Tools", "Service Activation")
    page = site.page
    page.get_by_label("Server", exact=True).select_option(label="imp-pub (publisher)")
    site.follow(page.get_by_role("button", name="Go").last)
    return page


def test_a_deployment_is_built_with_script_and_changed_without(visit: Callable[..., Site]) -> None:
    site = visit()
    page = site.page
    page.get_by_label("IM and presence, with compliance").check()
    site.follow(page.get_by_role("button", name="Load sample cluster"))
    expect(page.locator("#live")).to_contain_text(
        f"{ARCHIVER}: Monitored: configured and activated on imp-pub and imp-sub."
    )
    group = site.group("imp-pub", "imp-sub")
    group.enable_ha()
    group.expect_pair(NORMAL, NORMAL)
    # With script: the caution is a dialog, and Cancel leaves everything as it is typed.
    page = activation(site)
    box = page.get_by_label(ARCHIVER, exact=True)
    expect(box).to_be_checked()
    box.uncheck()
    page.get_by_role("button", name="Save").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"no longer monitored by SRM: {ARCHIVER}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(box).not_to_be_checked()
    page.get_by_role("button", name="Save").first.click()
    site.follow(dialog.get_by_role("button", name="Continue"))
    site.expect_status("Update successful")
    expect(page.get_by_label(ARCHIVER, exact=True)).not_to_be_checked()
    # Without: links fill the form in, and the caution is a page.
    plain = visit(javascript=False)
    page = activation(plain)
    plain.follow(page.get_by_role("link", name="Check All Services"))
    expect(page.get_by_label(ARCHIVER, exact=True)).to_be_checked()
    plain.expect_status("Press Save to apply them")
    plain.follow(page.get_by_role("link", name="Set to Default").first)
    page.get_by_label(ARCHIVER, exact=True).check()
    plain.follow(page.get_by_role("button", name="Save").first)
    expect(page.locator("main")).to_contain_text(f"Monitored by SRM from now on: {ARCHIVER}.")
    plain.follow(page.get_by_role("button", name="Continue"))
    plain.expect_status("Update successful")
    expect(page.get_by_label(ARCHIVER, exact=True)).to_be_checked()
    # The function behind it, on the other side of the administration.
    plain.navigate(CUPADMIN)
    plain.menu("Messaging", "Compliance")
    expect(page.locator("main")).to_contain_text("Activated on 2 of 2 nodes.")
    page.get_by_label("Compliance: configured for the cluster").uncheck()
    plain.follow(page.get_by_role("button", name="Save").first)
    plain.expect_status("Update successful")
