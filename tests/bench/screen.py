"""How long a change of state takes to be seen: from the event's writing until the page shows it.

The real stack (web, Celery, Valkey, SQLite) at lab rate 1, and Chromium with two pages open, as an
administrator has them. One pair fails over and falls back, again and again, each time at another
moment of the pages' two seconds. A change counts as seen when the page shows the node's new state, or
one that came after it: some last shorter than a poll.
"""

import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench.figures import Figure, percentile
from tests.browser.launch import PASSWORD, launch, started
from tests.browser.pages import Site
from tests.live.lab import Remote
from tests.stacks import find_chromium, own_environment

PART = "screen"
ROUNDS = 5
AIM_SECONDS = 2.5
PATIENCE = 120.0
# Seconds after the last change of a round in which it must have been seen.
SEEN_BY = 6.0
# Keeps when (wall seconds) each node was first shown in a state that it was not shown in before.
_RECORD = """
(rows) => {
  const last = {};
  window.kept = [];
  const look = () => {
    for (const row of document.querySelectorAll(rows)) {
      const node = row.querySelector("a")?.textContent.trim();
      const state = row.querySelector(".tone")?.textContent.trim();
      if (!node || !state || last[node] === state) continue;
      last[node] = state;
      window.kept.push([Date.now() / 1000, node, state]);
    }
  };
  look();
  new MutationObserver(look).observe(document.getElementById("main"), { childList: true, subtree: true });
}
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A node's state, since when (wall seconds)."""

    at: float
    node: str
    state: str


def measure() -> Iterator[Figure]:
    """Start everything, and look for some minutes."""
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    chromium = find_chromium()
    if chromium is None:
        yield Figure(PART, "Chromium", "not measured: there is none")
        return
    with (
        tempfile.TemporaryDirectory(prefix="cucm-admin-bench-") as folder,
        started(Path(folder), rate=1) as stack,
        own_environment(Path(folder) / "var", stack.port) as variables,
        sync_playwright() as playwright,
    ):
        ask = Remote(
            variables | {"DJANGO_SETTINGS_MODULE": "cucm_admin.settings", "LAB_CLOCK_RATE": "1"}
        )
        try:
            group = make_pair(ask)
            context = launch(playwright, chromium).new_context()
            site = Site(context.new_page(), stack.url)
            site.sign_in("admin", PASSWORD)
            pages = {
                "group page": (f"/ccmadmin/presence-redundancy-groups/{group}/", "table.nodes tr"),
                "Presence Topology": ("/cupadmin/presence-topology/", ".topology-table tr"),
            }
            open_pages = {what: follow(site, *where) for what, where in pages.items()}
            happened = play(ask, list(open_pages.values()))
            for what, page in open_pages.items():
                yield told(what, happened, [Change(*kept) for kept in page.evaluate("kept")])
        finally:
            ask.close()


def make_pair(ask: Remote) -> int:
    """Load the sample cluster, wait until its pair is Normal, and return the key of its group."""
    ask("sample.load_sample_cluster(actor='')")
    ask("groups.enable_ha(group=server('imp-pub').group, actor='') and None")
    until(ask, "{row[0] for row in pair().values()} == {'Normal'}")
    group: int = ask("server('imp-pub').group_id")
    return group


def until(ask: Remote, what: str, page: Page | None = None) -> None:
    """Wait until ``what`` is true in the product."""
    deadline = time.monotonic() + PATIENCE
    while not ask(what):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {PATIENCE:g} s; {ask('pair()')}")
        rest(0.2, page)


def rest(seconds: float, page: Page | None) -> None:
    """Wait; with a page, let its browser have its say meanwhile."""
    if page is None:
        time.sleep(seconds)
    else:
        page.wait_for_timeout(seconds * 1000)


def follow(site: Site, path: str, rows: str) -> Page:
    """Open a page in a window of its own, and note what it shows from now on."""
    page = site.page.context.new_page()
    page.goto(site.url + path)
    page.evaluate(_RECORD, rows)
    return page


def play(ask: Remote, pages: Sequence[Page]) -> list[Change]:
    """Fail over and fall back; return each change of a node's state, by the history."""
    before = ask("HaEvent.objects.order_by('-pk')[0].pk")
    for _ in range(ROUNDS):
        for act in ("failover", "fallback"):
            until(
                ask,
                f"'{act}' in [r.action for r in live.all_live()[0].rows if r.name == 'imp-pub']",
                pages[0],
            )
            rest(random.uniform(0, 2), pages[0])
            ask(f"actions.request_{act}(node=server('imp-pub'), serial=None, actor='admin')")
            ended = "'Idle'" if act == "failover" else "'Normal'"
            until(ask, f"pair()['imp-pub'][0] == {ended}", pages[0])
            rest(SEEN_BY, pages[0])
    return [
        Change(at, node, state)
        for at, node, state in ask(
            "[[e.recorded_at.timestamp(), e.node_name, str(e.new_state)]"
            f" for e in HaEvent.objects.filter(pk__gt={before}, kind='state').order_by('pk')]"
        )
    ]


def told(what: str, happened: Sequence[Change], shown: Sequence[Change]) -> Figure:
    """Return how long the changes took to be seen on one page."""
    late = [seen for number in range(len(happened)) if (seen := delay(happened[number:], shown))]
    if not late:
        return Figure(PART, what, "nothing was seen", held=False)
    worst = percentile(late, 95)
    return Figure(
        PART,
        f"{what}: event written → seen",
        f"p50 {percentile(late, 50):.2f} s, p95 {worst:.2f} s, max {max(late):.2f} s;"
        f" {len(late)} of {len(happened)} changes",
        f"p95 ≤ {AIM_SECONDS:g} s",
        worst <= AIM_SECONDS and len(late) == len(happened),
    )


def delay(changes: Sequence[Change], shown: Sequence[Change]) -> float | None:
    """Return after how many seconds the first of ``changes``, or one after it, was shown; None for never."""
    first = changes[0]
    states = {change.state for change in changes if change.node == first.node}
    seen = (
        there.at - first.at
        for there in shown
        if there.node == first.node and there.state in states and there.at >= first.at
    )
    return next(seen, None)
