"""Import users from a file at the screen, watch it, leave, come back; and without script."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.pages import CCMADMIN, Site
from tests.stacks import Stack

pytestmark = [pytest.mark.browser, pytest.mark.live]

LINES = 12_000


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def upload(site: Site, path: Path) -> None:
    site.navigate(CCMADMIN)
    site.menu("Bulk Administration", "Import Users")
    site.page.get_by_label("File").set_input_files(path)
    site.tool("Submit")


def test_import_with_progress(stack: Stack, visit: Callable[..., Site], tmp_path: Path) -> None:
    site = visit()
    site.follow(site.page.get_by_role("button", name="Load sample cluster"))
    rows = "".join(f"person{n:05},Person {n},person{n:05}@example.com\n" for n in range(LINES))
    upload(site, write(tmp_path, "people.csv", rows))
    live = site.page.locator("#live")
    # The page is left while the job runs, and found again.
    bar = live.get_by_role("progressbar", name="Progress")
    expect(bar).to_be_visible()
    assert int(bar.get_attribute("value") or "100") < 100
    site.menu("Bulk Administration", "Jobs")
    expect(site.page.locator("table.list")).to_contain_text("people.csv")
    site.follow(site.page.get_by_role("link", name="people.csv"))
    expect(live).to_contain_text("No error was found. Nothing is imported yet.", timeout=60_000)
    site.page.get_by_role("link", name="Import 12,000 users").click()
    dialog = site.page.locator("#dialog")
    expect(dialog).to_contain_text("12,000 users of people.csv are added, all or none")
    site.follow(dialog.get_by_role("button", name="Import"))
    expect(live).to_contain_text("12,000 users were imported.", timeout=60_000)

    site.menu("User Management", "Assign Presence Users")
    expect(site.page.locator(".totals")).to_contain_text("13,000")
    site.page.get_by_label("Text 1").fill("person119")
    site.follow(site.page.get_by_role("button", name="Find"))
    site.expect_status("100 records found")
    site.page.get_by_role("link", name="Assign All Found Users").first.click()
    dialog.get_by_label("Assigned Node").select_option(label="imp-sub (DefaultCUPSubCluster)")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog).to_contain_text("Assign 100 users to imp-sub?")
    site.follow(dialog.get_by_role("button", name="Assign"))
    site.expect_status("Update successful")
    # Back on the page of the list one came from.
    expect(site.page.get_by_label("Text 1")).to_have_value("person119")
    assert set(site.page.locator("table.list tbody td:nth-child(5)").all_inner_texts()) == {
        "imp-sub"
    }


def test_errors_and_assignment_without_script(
    stack: Stack, visit: Callable[..., Site], tmp_path: Path
) -> None:
    site = visit(javascript=False)
    upload(site, write(tmp_path, "bad.csv", "user0001;Twice;x@example.com\nnobody\n"))
    live = site.page.locator("#live")
    for _ in range(60):
        if "Refused" in live.inner_text():
            break
        site.page.wait_for_timeout(500)
        site.page.reload()
    expect(live).to_contain_text("2 errors found. Nothing was imported.")
    expect(live.locator("tbody tr").nth(0)).to_contain_text("User ID user0001 is taken already.")
    expect(live.locator("tbody tr").nth(1)).to_contain_text("this one has 1 field")

    site.menu("User Management", "Assign Presence Users")
    site.page.get_by_label("Text 1").fill("user000")
    site.follow(site.page.get_by_role("button", name="Find"))
    site.page.get_by_label("Select user0001").check()
    site.page.get_by_label("Select user0002").check()
    site.tool("Assign Selected Users")
    site.page.get_by_label("Assigned Node").select_option(label="None (unassign)")
    site.follow(site.page.get_by_role("button", name="Next"))
    expect(site.page.locator("form.confirm")).to_contain_text("2 users are logged out.")
    site.follow(site.page.get_by_role("button", name="Unassign"))
    site.expect_status("2 users unassigned")
    expect(site.page.locator(".totals")).to_contain_text("Unassigned")
