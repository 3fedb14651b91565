"""The way of the README, from an empty system to failover and fallback, as a new user goes it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.pages import (
    NORMAL,
    NOT_RESPONDING,
    PUB,
    ROUTER,
    SUB,
    GroupPage,
    Site,
)

pytestmark = [pytest.mark.browser, pytest.mark.live]

SERVICE_DOWN = "Critical Service Down"
# What SRM waits for a service, and for a fallback by itself (seconds of lab time).
CRITICAL_SERVICE_DELAY = 90
HALF_AN_HOUR = 30 * 60


def test_from_an_empty_system_to_failover_and_fallback(visit: Callable[..., Site]) -> None:
    site = visit()

    site.add_server(PUB)
    group = site.group()
    expect(group.row(PUB)).to_contain_text("Publisher")
    expect(site.page.get_by_label("Enable High Availability")).to_be_disabled()

    site.add_server(SUB)
    unassigned = site.topology().locator("tbody", has_text="Unassigned Nodes")
    expect(unassigned).to_contain_text(SUB)
    expect(unassigned).not_to_contain_text(PUB)

    group = site.group()
    site.page.get_by_label("Presence Server (second)").select_option(label=SUB)
    site.tool("Save")
    site.expect_status("Update successful")

    for number, home in enumerate((PUB, PUB, SUB), start=1):
        site.add_in_admin(
            "presenceuser",
            userid=f"user{number}",
            im_address=f"user{number}@example.com",
            home=home,
        )

    group = site.group()
    group.expect_active(pub=2, sub=1)
    group.enable_ha()
    recorder = group.record()
    begun = group.row(PUB).inner_text()
    group.expect_pair(NORMAL, NORMAL)
    recorder.stop()
    # They are Normal within a second: on a busy machine before the page is there to say so.
    assert "Normal" in recorder.said or "Normal" in begun

    stop_the_router(site)
    fall_back_by_button(site)
    lose_a_node_and_let_it_fall_back_by_itself(site)

    site.open()
    expect(site.page.locator("ol.steps li")).to_have_count(7)
    expect(site.page.locator("ol.steps li.done")).to_have_count(7)


def stop_the_router(site: Site) -> None:
    """Row 12 of the states, then row 11."""
    second = other_tab(site)
    group = site.group()
    recorder = group.record()

    center = second.control_center(PUB)
    center.press("Stop", ROUTER)
    expect(center.caution()).to_contain_text("fails over")
    center.go_on()
    center.expect_service(ROUTER, "Stopped")

    group.expect_pair(
        ("Failed Over with Critical Services not Running", SERVICE_DOWN),
        ("Running in Backup Mode", SERVICE_DOWN),
    )
    group.expect_active(pub=0, sub=3)
    assert group.node(PUB).assigned == 2
    assert group.node(PUB).action == ""

    center.press("Start", ROUTER)
    center.expect_service(ROUTER, "Started")
    # The other XCP services stay stopped; SRM does not miss them, but who logs in does.
    second.group().start_login_services(PUB)
    group.expect_pair(("Failed Over", SERVICE_DOWN), ("Running in Backup Mode", SERVICE_DOWN))
    assert group.node(PUB).action == "Fallback"
    group.expect_active(pub=0, sub=3)

    recorder.stop()
    assert f"{PUB}: Failed Over with Critical Services not Running, {SERVICE_DOWN}" in recorder.said
    assert f"{PUB}: Failed Over, {SERVICE_DOWN}" in recorder.said
    assert max(recorder.delays().values()) < 3
    second.page.close()


def fall_back_by_button(site: Site) -> None:
    """Fallback, asked for in the page."""
    group = GroupPage(site.page)
    recorder = group.record()
    question = group.ask("Fallback", PUB)
    expect(question).to_contain_text("2 users")
    question.get_by_role("button", name="Fallback", exact=True).click()
    expect(question).to_be_hidden()
    group.expect_pair(NORMAL, NORMAL)
    group.expect_active(pub=2, sub=1)
    assert max(recorder.stop().delays().values()) < 3


def lose_a_node_and_let_it_fall_back_by_itself(site: Site) -> None:
    """Row 16 of the states, then, half an hour of lab time after the node is back, row 10."""
    second = other_tab(site)
    group = site.group()
    center = second.control_center(SUB)
    center.press_node("Power Off")
    expect(center.caution()).to_contain_text("falls silent")
    center.go_on()
    group.expect_pair(("Running in Backup Mode", "Peer Down"), (NOT_RESPONDING, ""))
    group.expect_active(pub=3, sub=0)

    second.set_parameter("Enable Automatic Fallback", "True")
    center = second.control_center(SUB)
    center.press_node("Power On")
    second.expect_status("was powered on")
    expect(group.row(SUB)).to_contain_text("Failed Over")
    expect(site.page.get_by_text("Automatic fallback in")).to_be_visible()
    # The page shows the last events only.
    powered_on = next(event.at for event in group.events() if "powered on" in event.text)

    recorder = group.record()
    group.expect_pair(NORMAL, NORMAL, timeout=50_000)
    group.expect_active(pub=2, sub=1)
    assert max(recorder.stop().delays().values()) < 3
    assert f"{SUB}: Normal" in recorder.said
    at = {event.text: event.at for event in group.events()}
    back = [(text, at) for text, at in at.items() if "Automatic Fallback" in text]
    assert any(text.startswith("Taking Back, Automatic Fallback") for text, _ in back)
    assert any(text.startswith("Falling Back, Automatic Fallback") for text, _ in back)
    assert all(at - powered_on >= HALF_AN_HOUR for _, at in back)


def other_tab(site: Site) -> Site:
    """Open another tab of the same browser."""
    second = Site(site.page.context.new_page(), site.url)
    second.open()
    return second
