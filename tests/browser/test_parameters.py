"""*Service Parameters*, must-match parameters and the login profile, at the screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.launch import PASSWORD
from tests.browser.pages import NORMAL, ROUTER, ControlCenter, Site, toolbar
from tests.stacks import Stack

pytestmark = [pytest.mark.browser, pytest.mark.live]

TIMEOUT, UPPER = "Keep Alive (Heartbeat) Timeout", "Client Re-Login Upper Limit"


@pytest.fixture(scope="module", autouse=True)
def sample(stack: Stack, browser: Browser) -> None:
    """The sample cluster."""
    with browser.new_context() as context:
        site = Site(context.new_page(), stack.url)
        site.sign_in("admin", PASSWORD)
        site.follow(site.page.get_by_role("button", name="Load sample cluster"))


def parameters(site: Site, server: str = "imp-pub") -> Page:
    """Choose a server's parameters by the menu and the drop-downs."""
    site.open()
    site.menu("System", "Service Parameters")
    page = site.page
    label = page.locator("#server option", has_text=server).inner_text().strip()
    page.get_by_label("Server", exact=True).select_option(label=label)
    site.follow(page.locator("form.choice").get_by_role("button", name="Go"))
    return page


def related(site: Site, label: str) -> None:
    """Go where Related Links lead."""
    site.page.get_by_label("Related Links:").select_option(label=label)
    site.follow(site.page.locator("form.related").get_by_role("button", name="Go"))


def test_preflight_follows_what_is_mended_and_warns_before_enabling(
    visit: Callable[..., Site],
) -> None:
    site = visit()
    group = site.group("imp-pub", "imp-sub")
    page = group.page
    panel = page.locator("#preflight")
    expect(panel).to_contain_text("Preflight: no check failed, 2 of 22 not known.")
    other = visit()
    center = other.control_center("imp-sub")
    center.press("Stop", ROUTER)
    center.expect_service(ROUTER, "Stopped")
    # Without a reload, and what is typed stays.
    page.get_by_label("Description").fill("typed")
    expect(panel).to_contain_text("Preflight: 2 of 21 checks failed.")
    expect(panel).to_contain_text(f"Not running: {ROUTER}.")
    expect(page.get_by_label("Description")).to_have_value("typed")
    page.get_by_label("Enable High Availability").check()
    site.tool("Save")
    expect(page.locator(".effects")).to_contain_text("imp-sub fails over to imp-pub")
    site.follow(page.get_by_role("link", name="Cancel"))
    expect(page.get_by_label("Enable High Availability")).not_to_be_checked()
    cure = panel.locator("tr", has_text="Monitored services of imp-sub").get_by_role("link")
    cure.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#node-link")).to_have_text("imp-sub")
    center = ControlCenter(page)
    center.press("Start", ROUTER)
    center.expect_service(ROUTER, "Started")
    group = site.group("imp-pub", "imp-sub")
    # The router runs alone: SRM misses nothing, but nobody can log in.
    expect(panel).to_contain_text("Preflight: 1 of 21 checks failed.")
    group.start_login_services("imp-sub")
    expect(panel).to_contain_text("Preflight: no check failed")
    group.enable_ha()
    group.expect_pair(NORMAL, NORMAL)
    related(site, "Preflight")
    expect(page.locator("#preflight")).to_contain_text("imp-pub heard imp-sub")


def test_by_keyboard_only(visit: Callable[..., Site], problems: list[str]) -> None:
    page = parameters(visit())
    press = page.keyboard.press
    # The name leads to its help and back again.
    link = page.get_by_role("link", name=TIMEOUT, exact=True)
    link.focus()
    press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Allowed: 15 to 3600 seconds. Suggested: 60.")
    expect(dialog.get_by_role("link", name="Close")).to_be_focused()
    press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    # The next stop is its value; Enter saves, and is no Set to Default.
    press("Tab")
    field = page.get_by_label(TIMEOUT, exact=True)
    expect(field).to_be_focused()
    press("ControlOrMeta+a")
    page.keyboard.type("20")
    with page.expect_navigation():
        press("Enter")
    expect(page.locator("#status")).to_contain_text("must be at least twice")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(_rule())
    # From the Status line to the field: Chromium goes on from where the link led.
    page.locator("#status a").first.focus()
    press("Enter")
    press("Tab")
    press("Shift+Tab")
    expect(field).to_be_focused()
    press("ControlOrMeta+a")
    page.keyboard.type("90")
    with page.expect_navigation():
        press("Enter")
    expect(page.locator("#status")).to_contain_text("Update successful")
    row = page.locator("tr", has=field)
    expect(row).to_contain_text("Changed")
    button = row.get_by_role("button", name=f"Set {TIMEOUT} to Default")
    button.focus()
    with page.expect_navigation():
        press("Space")
    expect(field).to_have_value("60")
    expect(page.locator("#status")).to_contain_text("Press Save to apply it")
    with page.expect_navigation():
        field.press("Enter")
    expect(row).not_to_contain_text("Changed")
    (refusal,) = problems
    assert "422" in refusal
    problems.clear()


def _rule() -> str:
    return (
        "Keep Alive (Heartbeat) Timeout (20) must be at least twice "
        "the Keep Alive (HeartBeat) Interval (15)."
    )


def test_of_two_administrators_the_later_one_is_told(
    visit: Callable[..., Site], problems: list[str]
) -> None:
    mine, theirs = visit(), visit()
    here, there = parameters(mine), parameters(theirs)
    here.get_by_label(TIMEOUT, exact=True).fill("70")
    there.get_by_label(TIMEOUT, exact=True).fill("80")
    theirs.tool("Save")
    theirs.expect_status("Update successful")
    mine.tool("Save")
    mine.expect_status("was changed meanwhile: it was 60, and is 80 now.")
    expect(here.get_by_label(TIMEOUT, exact=True)).to_have_value("70")
    mine.tool("Save")
    mine.expect_status("Update successful")
    (refusal,) = problems
    assert "409" in refusal
    problems.clear()
    mine.set_parameter(TIMEOUT, "60")


def test_align_in_the_page(visit: Callable[..., Site]) -> None:
    site = visit()
    page = parameters(site)
    page.get_by_label(UPPER, exact=True).fill("900")
    site.tool("Save")
    related(site, "Must-Match Parameters")
    expect(page.locator("#status")).to_contain_text("1 parameter differs.")
    page.get_by_role("link", name=f"Align {UPPER} with imp-pub").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{UPPER} on imp-sub: 900 instead of 537.")
    site.follow(dialog.get_by_role("button", name="Align"))
    expect(page.locator("#status")).to_contain_text("Update successful: aligned with imp-pub.")
    expect(page.get_by_text("Different")).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False])
def test_login_profile(visit: Callable[..., Site], javascript: bool) -> None:
    site = visit(javascript=javascript)
    page = parameters(site)
    related(site, "Login Profile")
    size = "2,000 users (1 vCPU 1500 MHz, 4 GB)" if javascript else "1,000 users"
    for node in ("imp-pub", "imp-sub"):
        drop_down = page.get_by_label(f"Node Size of {node}")
        label = drop_down.locator("option", has_text=size).first.inner_text()
        drop_down.select_option(label=label)
    page.get_by_label("Mode").select_option(label="Active/Active")
    site.follow(page.get_by_role("button", name="Show Recommendation"))
    expect(page.locator(".facts")).to_contain_text("up to 500 users")
    expect(page.locator(".facts")).to_contain_text("3.0 per second")
    site.follow(page.get_by_role("button", name="Apply to Both Nodes"))
    site.expect_status("both nodes have the recommended limits")
    related(site, "Parameters for All Servers")
    expect(page.locator("table.list").last).to_contain_text("287 Changed")


def test_without_script(visit: Callable[..., Site]) -> None:
    site = visit(javascript=False)
    page = parameters(site, "imp-sub")
    page.get_by_label(UPPER, exact=True).fill("800")
    site.tool("Save")
    site.expect_status("Update successful")
    site.follow(page.get_by_role("link", name="Changed only"))
    site.follow(page.get_by_role("button", name=f"Set {UPPER} to Default"))
    expect(page.get_by_label(UPPER, exact=True)).to_have_value("537")
    toolbar(page).get_by_text("Save", exact=True).click()
    site.expect_status("Update successful")
    site.follow(page.get_by_role("link", name="Help of all parameters"))
    expect(page.locator(".parameter-help dt")).to_have_count(9)
