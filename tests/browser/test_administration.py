"""The pages of the Django administration in a real browser: as wide as the window, without complaints."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from redundancy.models import EventKind
from redundancy.operations import events
from redundancy.srm.states import Reason, State
from tests.admin.conftest import fill, small_pair
from tests.browser import pages

pytestmark = [pytest.mark.browser, pytest.mark.process]

WIDTHS = (1024, 1280)
# How many pixels of the page, or of the frame of its list, are to be scrolled to.
HIDDEN = """Math.max(...[...document.querySelectorAll("html, .results")].map(
  (each) => each.scrollWidth - each.clientWidth))"""


@pytest.fixture
def tab(live_server: LiveServer, browser: Browser, problems: list[str]) -> Iterator[Page]:
    """A browser that is signed in, every table with a row or more."""
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    pair = small_pair()
    fill(pair)
    events.record(
        kind=EventKind.STATE,
        sentence="Cisco XCP Router was down for 1 min 30 s; imp-sub could serve.",
        node=pair.servers.all()[0],
        old_state=State.INITIALIZING,
        old_reason=Reason.INITIALIZATION,
        new_state=State.FAILED_OVER,
        new_reason=Reason.PEER_DOWN_DURING_INITIALIZATION,
        epoch=1,
    )
    name = settings.SESSION_COOKIE_NAME
    with browser.new_context() as context:
        context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        pages.watch(context, problems)
        yield context.new_page()
    assert problems == []


def test_no_page_and_no_list_scrolls_sideways(live_server: LiveServer, tab: Page) -> None:
    paths = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths.append(reverse(f"{name}_changelist"))
        paths += [
            reverse(f"{name}_change", args=[row.pk]) for row in model._default_manager.all()[:1]
        ]
    wide = []
    for path in paths:
        tab.goto(live_server.url + path)
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": 800})
            hidden = tab.evaluate(HIDDEN)
            wide += [f"{path}: {hidden} px too wide in a window of {width}"] if hidden > 0 else []
    assert wide == []
