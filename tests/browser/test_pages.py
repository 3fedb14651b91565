"""Habits of people at the screen: typing, double clicks, two at once, looking only, keyboard, no script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser import pages
from tests.browser.launch import PASSWORD
from tests.browser.pages import NORMAL, GroupPage, Site
from tests.stacks import Stack

pytestmark = [pytest.mark.browser, pytest.mark.live]

NODES = ("imp-pub", "imp-sub")
READER = "viewer"
# What a page asks for every two seconds: its region, and all it asks for.
FRAGMENT = re.compile(r"[?&]fragment=1")
POLL = re.compile(r"[?&]v=")
PAGES = (
    "/",
    "/about/",
    "/ccmadmin/servers/",
    "/ccmadmin/servers/add/",
    "/ccmadmin/servers/add/?type=imp",
    "/ccmadmin/servers/add/?type=cucm",
    "/ccmadmin/servers/1/",
    "/ccmadmin/presence-redundancy-groups/",
    "/ccmadmin/presence-redundancy-groups/add/",
    "/ccmadmin/presence-redundancy-groups/1/",
    "/ccmadmin/presence-redundancy-groups/1/1/failover/",
    "/ccmadmin/presence-redundancy-groups/1/preflight/",
    "/ccmadmin/presence-redundancy-groups/1/must-match/",
    "/ccmadmin/presence-redundancy-groups/1/login-profile/?size_1=500&size_2=1000&mode=Active/Active",
    "/ccmadmin/service-parameters/",
    "/ccmadmin/service-parameters/?server=1",
    "/ccmadmin/service-parameters/help/",
    "/cupadmin/service-parameters/all-servers/",
    "/cupadmin/service-parameters/modified/",
    "/cupadmin/presence-topology/",
    "/cupadmin/ha-event-history/",
    "/cupadmin/ha-event-history/1/",
    "/cupadmin/ha-event-history/timeline/1/",
    "/cupadmin/incidents/",
    "/cupadmin/audit-trail/",
    "/cupadmin/presence-topology/?view=grid&state=not-normal",
    "/cupadmin/presence-topology/1/",
    "/ccmservice/control-center/network/",
    "/ccmservice/control-center/network/?server=1",
    "/ccmservice/control-center/feature/?server=1",
    "/admin/",
    "/admin/redundancy/haevent/",
    "/admin/redundancy/presenceuser/",
)


@pytest.fixture(scope="module")
def pair(stack: Stack, browser: Browser) -> None:
    """The sample cluster with High Availability, loaded and enabled on the pages."""
    with browser.new_context() as context:
        site = Site(context.new_page(), stack.url)
        site.sign_in("admin", PASSWORD)
        site.follow(site.page.get_by_role("button", name="Load sample cluster"))
        site.expect_status("1,000 users")
        site.group(*NODES).enable_ha()


@pytest.fixture
def group(pair: None, visit: Callable[..., Site]) -> GroupPage:
    """The group's page, its nodes Normal."""
    found = visit().group(*NODES)
    if found.node("imp-pub").action == "Fallback":
        found.do("Fallback", "imp-pub")
    found.expect_pair(NORMAL, NORMAL)
    return found


def requests(group: GroupPage) -> int:
    """Return how many requests of a failover the last events tell of."""
    return sum("Failover of imp-pub was requested" in event.text for event in group.events())


def test_typing_survives_the_refresh(group: GroupPage) -> None:
    recorder = group.record()
    group.do("Failover", "imp-pub")
    description = group.page.get_by_label("Description")
    description.press_sequentially("not lost ")
    group.expect_pair(("Idle", "On Admin Request"), ("Running in Backup Mode", "On Admin Request"))
    expect(description).to_be_focused()
    group.page.keyboard.type("by a refresh")
    expect(description).to_have_value("not lost by a refresh")
    recorder.stop()
    group.expect_active(pub=0, sub=1000)


def test_a_double_click_asks_once(group: GroupPage) -> None:
    before = requests(group)
    question = group.ask("Failover", "imp-pub")
    expect(question.get_by_role("link", name="Cancel")).to_be_focused()
    question.get_by_role("button", name="Failover", exact=True).dblclick()
    group.expect_pair(("Idle", "On Admin Request"), ("Running in Backup Mode", "On Admin Request"))
    assert requests(group) == before + 1


def test_of_two_people_one_is_refused(
    group: GroupPage, visit: Callable[..., Site], problems: list[str]
) -> None:
    before = requests(group)
    other = visit().group(*NODES)
    mine, theirs = group.ask("Failover", "imp-pub"), other.ask("Failover", "imp-pub")
    mine.get_by_role("button", name="Failover", exact=True).click()
    theirs.get_by_role("button", name="Failover", exact=True).click()
    # Which of the two depends on how soon SRM took the first one up.
    expect(theirs.get_by_role("alert")).to_contain_text(
        re.compile("is already being carried out|has changed its state since this was confirmed")
    )
    theirs.get_by_role("link", name="Close").click()
    group.expect_pair(("Idle", "On Admin Request"), ("Running in Backup Mode", "On Admin Request"))
    assert requests(group) == before + 1
    # Chromium reports each refusal's status.
    (refusal,) = problems
    assert "409" in refusal
    problems.clear()


def test_a_reader_sees_everything_and_controls_nothing(
    group: GroupPage, stack: Stack, visit: Callable[..., Site]
) -> None:
    add_reader(Site(group.page, stack.url))
    site = visit(READER)
    seen = site.group(*NODES)
    seen.expect_pair(NORMAL, NORMAL)
    assert seen.node("imp-pub").action == ""
    expect(site.page.get_by_label("Enable High Availability")).to_be_disabled()
    assert usable(site.page) == []
    site.topology()
    assert usable(site.page) == []
    center = site.control_center("imp-pub")
    center.expect_service("Cisco XCP Router", "Started")
    assert usable(site.page) == []
    site.open("/ccmadmin/servers/")
    expect(site.page.get_by_role("link", name="imp-pub")).to_be_visible()
    expect(site.page.get_by_text("Add New")).to_have_count(0)


def add_reader(site: Site) -> None:
    """Add a user of the read-only role in the Django administration."""
    page = site.page
    site.navigate(pages.ADMIN)
    site.follow(page.locator("#content .model-user .addlink"))
    page.locator("[name=username]").fill(READER)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    site.follow(page.get_by_role("button", name="Save", exact=True))
    page.locator("#id_groups_from").select_option(label="Standard CCM Read Only")
    page.locator("#id_groups_add_link, #id_groups_add").first.click()
    site.follow(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator(".messagelist .success")).to_contain_text("changed successfully")


def usable(page: Page) -> list[str]:
    """Return the buttons and inputs of the page's main part that could be used to write."""
    return [
        control.evaluate("el => el.outerHTML")
        for control in page.locator(
            "main form[method=post] :is(input, select, textarea, button):enabled:not([type=hidden])"
        ).all()
    ]


def test_without_script(group: GroupPage, visit: Callable[..., Site]) -> None:
    site = visit(javascript=False)
    plain = site.group(*NODES)
    plain.page.get_by_label("Description").fill("typed without script")
    site.tool("Save")
    site.expect_status("Update successful")
    expect(plain.page.get_by_label("Description")).to_have_value("typed without script")

    plain.row("imp-pub").get_by_role("link", name="Failover").click()
    expect(plain.page.get_by_role("heading", level=1)).to_have_text("Failover imp-pub")
    site.follow(plain.page.get_by_role("button", name="Failover", exact=True))
    expect(plain.row("imp-pub")).to_be_visible()
    group.expect_pair(("Idle", "On Admin Request"), ("Running in Backup Mode", "On Admin Request"))


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def test_by_keyboard_only(group: GroupPage) -> None:
    page = group.page
    page.reload()
    press = page.keyboard.press
    for _ in range(12):
        press("Tab")
        if focused(page).inner_text().strip() == "System":
            break
    menu = page.locator(".menu-bar details").first
    press("Enter")
    expect(menu).to_have_attribute("open", "")
    press("ArrowDown")
    expect(focused(page)).to_have_text("Server")
    press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(focused(page)).to_have_text("System")
    press("ArrowDown")
    press("ArrowDown")
    expect(focused(page)).to_have_text("Presence Redundancy Groups")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Find and List")

    page.go_back()
    group.row("imp-pub").get_by_role("link", name="Failover").focus()
    press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    press("Escape")
    expect(dialog).to_be_hidden()
    expect(focused(page)).to_contain_text("Failover")


def test_after_a_confirmed_action_the_focus_is_where_the_button_was(group: GroupPage) -> None:
    page = group.page
    group.row("imp-pub").get_by_role("link", name="Failover").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Failover").press("Enter")
    expect(dialog).to_be_hidden()
    expect(group.row("imp-pub").get_by_role("link", name="Fallback")).to_be_visible()
    # On its cell, or on the button that is there now.
    here = group.row("imp-pub").locator("td.action:focus, td.action :focus")
    expect(here).to_have_count(1)


@pytest.mark.parametrize(
    ("view", "places"),
    # The tile of a group that is not Normal names its nodes, too: whichever was there when the button went.
    [("map", ["map-node-1"]), ("grid", ["tile-1", "tile-node-1"])],
    ids=["map", "grid"],
)
def test_after_a_confirmed_action_on_the_topology_the_focus_is_beside_the_button(
    group: GroupPage, view: str, places: list[str]
) -> None:
    page = group.page
    page.goto(f"{page.url.partition('/ccmadmin')[0]}/cupadmin/presence-topology/?view={view}")
    page.locator("#offer-1-1").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Failover").press("Enter")
    expect(dialog).to_be_hidden()
    # Its button goes, and another one comes; a page that was slow to poll has seen only the new one.
    expect(page.locator("#offer-1-1")).to_contain_text("Fallback")
    here = ", ".join(f"#{place}:focus" for place in [*places, "offer-1-1"])
    expect(page.locator(here)).to_have_count(1)


def test_a_question_can_be_answered_the_moment_it_is_shown(group: GroupPage) -> None:
    page = group.page
    page.evaluate(
        """() => {
            window.sameLoad = true;
            document.body.addEventListener("htmx:afterSwap", ({ detail }) => {
                if (detail.target.id !== "dialog") return;
                setTimeout(() => detail.target.querySelector("form button[type=submit]").click());
            });
        }"""
    )
    group.row("imp-pub").get_by_role("link", name="Failover").click()
    expect(group.row("imp-pub").get_by_role("link", name="Fallback")).to_be_visible()
    assert page.evaluate("window.sameLoad")


def test_where_a_button_goes_the_focus_stays_at_its_place(
    group: GroupPage, visit: Callable[..., Site]
) -> None:
    gone = group.row("imp-sub").get_by_role("link", name="Failover")
    gone.focus()
    visit().group(*NODES).do("Failover", "imp-pub")
    expect(gone).to_have_count(0)
    expect(group.row("imp-sub").locator("td.action")).to_be_focused()


def test_after_an_action_that_loads_the_page_the_focus_is_at_its_buttons(
    group: GroupPage, visit: Callable[..., Site]
) -> None:
    center = visit().control_center("imp-sub")
    button = center.page.get_by_role("button", name="Restart SRM")
    button.focus()
    center.page.keyboard.press("Enter")
    go_on = center.caution().get_by_role("button", name="Continue")
    go_on.focus()
    with center.page.expect_navigation():
        center.page.keyboard.press("Enter")
    expect(button).to_be_focused()


def test_an_old_page_says_so_at_its_table_and_recovers(
    group: GroupPage, problems: list[str]
) -> None:
    page = group.page
    note, region = page.locator("#live-note"), page.locator("#live")
    page.get_by_label("Description").fill("typed")
    page.context.set_offline(True)
    expect(note).to_contain_text("Not refreshed: the server does not answer.")
    expect(region).to_have_class(re.compile(r"\bold\b"))
    page.context.set_offline(False)
    expect(note).to_be_hidden()
    expect(region).not_to_have_class(re.compile(r"\bold\b"))
    expect(page.get_by_label("Description")).to_have_value("typed")
    # Chromium and htmx both write to the console that they got no answer.
    expected = re.compile("ERR_INTERNET_DISCONNECTED|htmx:sendError|htmx:afterRequest")
    assert [problem for problem in problems if not expected.search(problem)] == []
    problems.clear()


def test_an_open_page_follows_the_lab_clock(group: GroupPage) -> None:
    page, banner = group.page, group.page.locator("#lab-clock")
    expect(banner).to_contain_text("60 times as fast")

    def answered_at(rate: str) -> None:
        page.unroute_all()
        headers = {"X-Lab-Rate": rate, "X-Lab-Now": "1800000000", "X-Lab-Time": "then"}
        page.route(POLL, lambda route: route.fulfill(status=204, headers=headers))

    answered_at("5")
    expect(banner).to_contain_text("5 times as fast")
    answered_at("1")
    expect(banner).to_be_hidden()
    expect(page.locator("[data-as-of]")).to_have_text("then")


def test_a_page_whose_group_was_deleted_stops_to_ask(group: GroupPage, problems: list[str]) -> None:
    page = group.page
    asked: list[str] = []

    def gone(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404)

    page.route(FRAGMENT, gone)
    expect(page.locator("#live-note")).to_have_text(
        "Presence redundancy group DefaultCUPSubCluster was deleted. "
        "This page does not refresh any more."
    )
    page.wait_for_timeout(3000)
    assert len(asked) == 1
    assert all("404" in problem for problem in problems)
    problems.clear()


def test_what_pages_may_not_do_is_seen(
    pair: None, visit: Callable[..., Site], problems: list[str]
) -> None:
    page = visit().page
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')")
    page.evaluate("console.error('broken')")
    page.evaluate("() => { setTimeout(() => alert('stop')); }")
    page.wait_for_timeout(200)
    seen = " ".join(problems)
    problems.clear()
    assert "CSP: style-src" in seen
    assert "broken" in seen
    assert "alert: stop" in seen


def test_every_page_fits_its_window_with_the_longest_names(group: GroupPage, stack: Stack) -> None:
    page = group.page
    page.get_by_label("Name").fill("N" * 128)
    page.get_by_label("Description").fill("d" * 128)
    site = Site(page, stack.url)
    site.tool("Save")
    site.expect_status("Update successful")
    wide = []
    for path in PAGES:
        answer = page.goto(stack.url + path)
        assert answer is not None
        assert answer.status == 200, path
        # 512 is 1024 at a zoom of 200 %; the Django administration is not ours to lay out.
        for width in (1024, 1920) if path.startswith("/admin") else (512, 1024, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append((path, width))
    assert wide == []
