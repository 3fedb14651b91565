"""A system to look at and a browser to look with, for tests and for pictures."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.stacks import Stack, find_port, own_environment

PASSWORD = "chosen-by-me"
RATE = 60
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def started(folder: Path, rate: int = RATE, template: str = "") -> Iterator[Stack]:
    """Run the whole product, empty, its lab clock ``rate`` times as fast, with its data in ``folder``.

    ``template``: a migrated database of PostgreSQL to begin with a copy of.
    """
    with own_environment(folder / "var", find_port(), template) as variables:
        chosen = {"LAB_CLOCK_RATE": str(rate), "ADMIN_PASSWORD": PASSWORD, "TIME_ZONE": "UTC"}
        stack = Stack(variables | chosen, folder / "log")
        try:
            stack.wait_for("Ready:")
            yield stack
        finally:
            stack.stop()


def launch(playwright: Playwright, chromium: str) -> Browser:
    """Start the Chromium at this path."""
    return playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
