"""The pages as somebody at the screen uses them: by their labels, buttons and menus."""

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Locator, Page, expect

DEFAULT_GROUP = "DefaultCUPSubCluster"
PUB, SUB = "imp-pub.example.com", "imp-sub.example.com"
NORMAL = ("Normal", "Normal")
ROUTER = "Cisco XCP Router"
NOT_RESPONDING = "Cisco Server Recovery Manager Not Responding"
# How long to wait for what should come at once, on a machine that does much else.
PATIENCE_MS = 15_000

expect.set_options(timeout=PATIENCE_MS)

CCMADMIN = "Cisco Unified CM Administration"
CUPADMIN = "Cisco Unified CM IM and Presence Administration"
CCMSERVICE = "Cisco Unified IM and Presence Serviceability"
ADMIN = "Django Administration"

# Chromium writes blocked content to the console, but not every violation.
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI} in ${event.sourceFile}`);
});
"""

# Keeps what the eye and the ear get, with its lab time: texts of the event list, and announcements.
# The lab clock is set by the page's own time and the moment its answer arrived.
_RECORD = """
() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const start = Number(document.body.dataset.labNow);
  const rate = Number(document.body.dataset.labRate);
  const now = () => start + ((performance.now() - navigation.responseStart) / 1000) * rate;
  const text = (el) => el.textContent.replace(/\\s+/g, " ").trim();
  const rows = () => [...document.querySelectorAll("table.events tbody tr")].map(text);
  const known = new Set(rows());
  window.kept = { shown: [], said: [], rate };
  new MutationObserver(() => {
    for (const row of rows()) {
      if (known.has(row)) continue;
      known.add(row);
      window.kept.shown.push([now(), row]);
    }
  }).observe(document.getElementById("main"), { childList: true, subtree: true });
  new MutationObserver(() => {
    window.kept.said.push(document.getElementById("announcer").textContent);
  }).observe(document.getElementById("announcer"), { childList: true });
}
"""


class Node(NamedTuple):
    """A row of the group page's table."""

    state: str
    reason: str
    assigned: int
    active: int
    action: str


class Event(NamedTuple):
    """A row of the event list, ``at`` in lab seconds."""

    at: float
    node: str
    text: str


def watch(context: BrowserContext, problems: list[str]) -> None:
    """Collect in ``problems`` what no page may cause: console errors, violations of the CSP, alerts."""

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            problems.append(f"{message.page.url if message.page else ''}: {message.text}")

    def no_alert(dialog: Dialog) -> None:
        problems.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    context.add_init_script(_REPORT_VIOLATIONS)
    context.on("console", hear)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("dialog", no_alert)


class Site:
    """A browser's tab and the way around in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        page.set_default_timeout(PATIENCE_MS)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def follow(self, link: Locator) -> None:
        """Press what leads to another page, and wait for that page."""
        with self.page.expect_navigation():
            link.click()

    def sign_in(self, name: str, password: str) -> None:
        self.open()
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.follow(self.page.get_by_role("button", name="Login"))
        expect(self.page.get_by_role("button", name="Logout")).to_be_visible()

    def navigate(self, application: str) -> None:
        """Change the application with the Navigation drop-down."""
        self.page.get_by_label("Navigation").select_option(label=application)
        form = self.page.locator("form.go", has=self.page.locator("#navigation"))
        self.follow(form.get_by_role("button", name="Go"))

    def menu(self, menu: str, item: str) -> None:
        bar = self.page.get_by_role("navigation", name="Menu bar")
        bar.locator("summary", has_text=menu).click()
        self.follow(bar.get_by_role("link", name=item, exact=True))

    def tool(self, label: str) -> None:
        """Press a tool of the toolbar that leads to another page."""
        self.follow(toolbar(self.page).get_by_text(label, exact=True))

    def expect_status(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator("#status")).to_contain_text(text)

    def add_server(self, name: str) -> None:
        """Add an IM and Presence server with *System > Server*."""
        self.navigate(CCMADMIN)
        self.menu("System", "Server")
        self.tool("Add New")
        self.page.get_by_label("Server Type").select_option(label="CUCM IM and Presence")
        self.tool("Next")
        self.page.get_by_label("Host Name/IP Address").fill(name)
        self.tool("Save")
        self.expect_status("Add successful")

    def topology(self) -> Locator:
        """Open the Presence Topology and return its table."""
        self.navigate(CUPADMIN)
        self.menu("System", "Presence Topology")
        return self.page.locator("table.topology-table")

    def group(self, *nodes: str) -> "GroupPage":
        """Open DefaultCUPSubCluster, which has these nodes, from the list of groups."""
        self.navigate(CCMADMIN)
        self.menu("System", "Presence Redundancy Groups")
        self.follow(self.page.get_by_role("link", name=DEFAULT_GROUP, exact=True))
        first, second = nodes or (PUB, SUB)
        return GroupPage(self.page, (first, second))

    def control_center(self, server: str) -> "ControlCenter":
        self.navigate(CCMSERVICE)
        self.menu("Tools", "Control Center - Network Services")
        picker = self.page.get_by_label("Server", exact=True)
        label = picker.locator("option", has_text=server).inner_text().strip()
        picker.select_option(label=label)
        self.follow(self.page.locator("form.go", has=picker).get_by_role("button", name="Go"))
        return ControlCenter(self.page)

    def set_parameter(self, name: str, value: str) -> None:
        """Set a clusterwide parameter with *System > Service Parameters*."""
        self.navigate(CCMADMIN)
        self.menu("System", "Service Parameters")
        choice = self.page.locator("form.choice")
        self.follow(choice.get_by_role("button", name="Go"))
        field = self.page.get_by_label(name, exact=True)
        if field.evaluate("el => el.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
        self.tool("Save")
        self.expect_status("Update successful")

    def add_in_admin(self, model: str, **values: str) -> None:
        """Add a row in the Django administration, and come back."""
        self.navigate(ADMIN)
        self.follow(self.page.locator(f"#content .model-{model} .addlink"))
        for name, value in values.items():
            field = self.page.locator(f"[name={name}]")
            if "admin-autocomplete" in (field.get_attribute("class") or ""):
                self.page.locator(f".field-{name} .select2-selection").click()
                self.page.locator(".select2-search__field").fill(value)
                self.page.locator(".select2-results__option", has_text=value).click()
            elif field.evaluate("el => el.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)
        self.follow(self.page.get_by_role("button", name="Save", exact=True))
        expect(self.page.locator(".messagelist .success")).to_contain_text("added successfully")
        self.follow(self.page.get_by_role("link", name="View site"))


class GroupPage:
    """*Presence Redundancy Group Configuration*."""

    def __init__(self, page: Page, nodes: tuple[str, str] = (PUB, SUB)) -> None:
        self.page = page
        self.nodes = nodes

    def row(self, node: str) -> Locator:
        return self.page.locator(
            "table.nodes tbody tr", has=self.page.get_by_text(node, exact=True)
        )

    def node(self, node: str) -> Node:
        expect(self.row(node)).to_be_visible()
        cells = [cell.strip() for cell in self.row(node).locator("td").all_inner_texts()]
        _, assigned, active, state, reason, action = cells
        return Node(
            state,
            reason.partition("\n")[0].strip(),
            int(assigned.replace(",", "")),
            int(active.split()[0].replace(",", "")),
            action.partition("\n")[0].strip(),
        )

    def expect_pair(
        self, pub: tuple[str, str], sub: tuple[str, str], timeout: float = PATIENCE_MS
    ) -> None:
        """Wait until the table shows these states and reasons."""
        for name, (state, reason) in zip(self.nodes, (pub, sub), strict=True):
            cells = self.row(name).locator("td")
            expect(cells.nth(3)).to_have_text(
                re.compile(rf"^\s*{re.escape(state)}\s*$"), timeout=timeout
            )
            expect(cells.nth(4)).to_have_text(
                re.compile(rf"^\s*{re.escape(reason)}\b"), timeout=timeout
            )

    def expect_active(self, pub: int, sub: int) -> None:
        """Wait until so many users are logged in at each node, and nobody waits to log in."""
        for name, active in zip(self.nodes, (pub, sub), strict=True):
            expect(self.row(name).locator("td").nth(2)).to_have_text(f"{active:,}")

    def enable_ha(self) -> None:
        self.page.get_by_label("Enable High Availability").check()
        Site(self.page, "").tool("Save")
        Site(self.page, "").expect_status("Update successful")

    def start_login_services(self, node: str) -> None:
        """Start what the page names for want of which nobody can log in."""
        told = self.page.locator(".nobody-logs-in")
        told.get_by_role("link", name=f"Start them {node}").click()
        dialog = self.page.get_by_role("dialog")
        Site(self.page, "").follow(dialog.get_by_role("button", name="Start", exact=True))

    def ask(self, action: str, node: str) -> Locator:
        """Press an action and return the question in the page."""
        self.row(node).get_by_role("link", name=f"{action} {node}").click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        return dialog

    def do(self, action: str, node: str) -> None:
        """Press an action and answer yes."""
        question = self.ask(action, node)
        question.get_by_role("button", name=action, exact=True).click()
        expect(question).to_be_hidden()

    def events(self) -> list[Event]:
        """Return the last events, newest first."""
        found = []
        for row in self.page.locator("table.events tbody tr").all():
            at, node, text, _ = row.locator("td").all_inner_texts()
            found.append(Event(lab_seconds(at), node, text))
        return found

    def record(self) -> "Recorder":
        self.page.evaluate(_RECORD)
        return Recorder(self.page)


class Recorder:
    """What a page has shown and said by itself since the recorder was started on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._navigations: list[str] = []
        page.on("framenavigated", self._navigated)

    def _navigated(self, frame: Any) -> None:
        self._navigations.append(frame.url)

    def stop(self) -> "Recorder":
        """Make sure that the page has stayed the same document all the time."""
        self.page.remove_listener("framenavigated", self._navigated)
        assert self._navigations == []
        self._kept: dict[str, Any] = self.page.evaluate("() => window.kept")
        assert self._kept
        return self

    @property
    def said(self) -> str:
        """All announcements."""
        return "\n".join(self._kept["said"])

    def delays(self) -> dict[str, float]:
        """Return how many seconds after it happened each event was on the screen."""
        return {
            text: (shown_at - lab_seconds(text[:19])) / self._kept["rate"]
            for shown_at, text in self._kept["shown"]
        }


class ControlCenter:
    """*Control Center - Network Services* of a server."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, act: str, service: str) -> None:
        """Select a service and press Start, Stop or Restart."""
        self.page.get_by_label(service, exact=True).check()
        toolbar(self.page).get_by_text(act, exact=True).click()

    def press_node(self, act: str) -> None:
        self.page.locator("form.node-acts").get_by_role("button", name=act).click()

    def caution(self) -> Locator:
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text("Caution: High Availability")
        return dialog

    def go_on(self) -> None:
        """Read the caution and press Continue."""
        Site(self.page, "").follow(self.caution().get_by_role("button", name="Continue"))

    def expect_service(self, service: str, status: str) -> None:
        row = self.page.locator("table.services tr", has=self.page.get_by_text(service, exact=True))
        expect(row).to_contain_text(status)


def toolbar(page: Page) -> Locator:
    return page.get_by_role("group", name="Tools", exact=True)


def lab_seconds(text: str) -> float:
    """Return lab seconds of a time as pages show it."""
    return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
