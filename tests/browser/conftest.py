"""A running system for each module, and browsers to use it with."""

from collections.abc import Callable, Iterator

import pytest
import redis
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.browser import pages
from tests.browser.launch import PASSWORD, launch, started
from tests.ready import Ready
from tests.stacks import Stack


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    given_redis: redis.Redis | None,
    begun: Ready,
) -> Iterator[Stack]:
    """The whole product, empty, its lab clock 60 times as fast."""
    folder = tmp_path_factory.mktemp("stack")
    begun.fill(folder / "var")
    with started(folder, template=begun.template) as running:
        yield running
        assert "Traceback" not in running.text, running.text
    if given_redis is not None:
        given_redis.flushdb()


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        yield launch(playwright, chromium)


@pytest.fixture
def problems() -> list[str]:
    """What browsers complained about; a test that expects a refusal takes it out."""
    return []


@pytest.fixture(scope="module")
def signed_in() -> dict[str, StorageState]:
    """Cookies of those who have signed in before: hashing a password takes its time, on purpose."""
    return {}


@pytest.fixture
def visit(
    stack: Stack, browser: Browser, problems: list[str], signed_in: dict[str, StorageState]
) -> Iterator[Callable[..., pages.Site]]:
    """Open a browser of somebody's own: ``visit()``; with ``javascript=False`` one without script."""
    contexts = []

    def visitor(name: str = "admin", *, javascript: bool = True) -> pages.Site:
        known = signed_in.get(name) if javascript else None
        context = browser.new_context(java_script_enabled=javascript, storage_state=known)
        contexts.append(context)
        pages.watch(context, problems)
        site = pages.Site(context.new_page(), stack.url)
        if known:
            site.open()
        else:
            site.sign_in(name, PASSWORD)
            signed_in[name] = context.storage_state()
        return site

    yield visitor
    for context in contexts:
        context.close()
    assert problems == []
