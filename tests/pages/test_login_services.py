"""Where nobody can log in is told on the pages, with the services and a way to start them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import HaEvent, NodeService, RedundancyGroup, Server
from redundancy.operations.activation import set_activated
from redundancy.operations.groups import enable_ha
from redundancy.operations.services import stop_service
from redundancy.operations.users import add_users
from redundancy.selectors import effects, live, wording
from redundancy.selectors.access import missing_services
from redundancy.srm.advice import Explanation
from tests.pages.html import soup, words

AUTHENTICATION = "Cisco XCP Authentication Service"
UNSEEN = "Server Recovery Manager does not monitor that"


@pytest.fixture
def sub(pair: RedundancyGroup) -> Server:
    """The second node, whose Authentication Service is stopped while HA is on."""
    enable_ha(group=pair, actor="")
    sub = Server.objects.get(group=pair, slot=2)
    stop_service(server=sub, name=AUTHENTICATION, actor="")
    return sub


def start(sub: Server) -> str:
    return reverse("start_login_services", args=[sub.pk])


def test_the_pages_name_what_is_missing_and_offer_to_start_it(page: Client, sub: Server) -> None:
    for name, pk in (("group_edit", sub.group_id), ("node_details", sub.pk)):
        shown = soup(page.get(reverse(name, args=[pk]))).select_one("#live .nobody-logs-in")
        assert shown is not None
        told = words(shown)
        assert f"Nobody can log in at {sub.name}: {AUTHENTICATION} does not run there." in told
        assert UNSEEN in told
        assert [link["href"] for link in shown.select("a.button")] == [start(sub)]


def test_who_may_only_look_is_told_and_offered_nothing(read_only: Client, sub: Server) -> None:
    shown = soup(read_only.get(reverse("group_edit", args=[sub.group_id]))).select_one(
        ".nobody-logs-in"
    )
    assert shown is not None
    assert not shown.select("a.button")
    assert read_only.post(start(sub)).status_code == 403
    assert missing_services([sub.pk])


def test_they_are_started_after_a_question(page: Client, sub: Server) -> None:
    asked = soup(page.get(start(sub)))
    assert f"Started on {sub.name}: {AUTHENTICATION}." in words(asked.select_one(".effects"))
    assert page.post(start(sub)).status_code == 302
    assert NodeService.objects.get(server=sub, name=AUTHENTICATION).running
    event = HaEvent.objects.first()
    assert event is not None
    assert event.sentence == f"{AUTHENTICATION} on {sub.name} was started."
    group = page.get(reverse("group_edit", args=[sub.group_id]))
    assert not soup(group).select(".nobody-logs-in")
    # A second click finds nothing to do.
    assert "All services run that a login needs." in page.get(start(sub)).text


def test_one_that_is_not_activated_is_activated_and_so_started(page: Client, sub: Server) -> None:
    set_activated(server=sub, name=AUTHENTICATION, activated=False, actor="")
    stop_service(server=sub, name="Cisco XCP Router", actor="")
    asked = words(soup(page.get(start(sub))).select_one(".effects"))
    assert f"Started on {sub.name}: Cisco XCP Router and Cisco XCP Connection Manager." in asked
    assert f"Activated on {sub.name}, and started: {AUTHENTICATION}." in asked
    assert page.post(start(sub)).status_code == 302
    assert not missing_services([sub.pk])
    assert NodeService.objects.get(server=sub, name=AUTHENTICATION).activated


def test_the_failover_says_before_that_its_users_will_wait(sub: Server) -> None:
    group = sub.group
    assert group is not None
    for node in group.servers.all():
        people = [(f"{name}-{node.pk}", "", f"{name}-{node.pk}@example.com", node) for name in "ab"]
        add_users(rows=people, actor="")
    rows = live.group_live(group.pk).rows
    servers: dict[int, Any] = {server.pk: server for server in group.servers.all()}
    told = " ".join(effects.failover(rows[0], rows[1], servers))
    assert f"Nobody can log in at {sub.name}: {AUTHENTICATION} does not run there." in told
    assert "2 users are disconnected." in told
    other = " ".join(effects.failover(rows[1], rows[0], servers))
    assert "Nobody can log in" not in other
    # When they are back is told only of users who can log in there.
    assert (f"log in at {sub.name}." in told, "Logins at" in told) == (False, False)
    assert (f"log in at {rows[0].name}." in other, "Logins at" in other) == (True, True)
    # A fallback restarts the services that run, and does not start this one.
    home = " ".join(effects.fallback(rows[1], rows[0], servers))
    assert f"Nobody can log in at {sub.name}" in home
    assert "Logins at" not in home


def test_what_to_do_names_what_must_be_started(sub: Server) -> None:
    found = wording.with_logins(Explanation(1, "All is well.", "Nothing to do."), {})
    assert (found.cause, found.advice) == ("All is well.", "Nothing to do.")
    named = {sub.name: [AUTHENTICATION]}
    shut = Explanation(0, "Nobody can log in.", "Start what a login needs.", closed=True)
    found = wording.with_logins(shut, named)
    assert (found.cause, found.advice) == (
        "Nobody can log in.",
        f"Start on {sub.name}: {AUTHENTICATION}.",
    )
    found = wording.with_logins(Explanation(11, "They run again.", "Press Fallback."), named)
    assert (found.cause, found.advice) == (
        "They run again.",
        f"Start on {sub.name}: {AUTHENTICATION}. Press Fallback.",
    )
    # Without the router nothing in it can be started, and the router alone is in the advice already.
    router = "Cisco XCP Router"
    named = {sub.name: [router, AUTHENTICATION], "imp-pub": [router]}
    found = wording.with_logins(Explanation(12, "It is down.", "Start it."), named)
    assert found.advice == f"Start it. Afterwards start on {sub.name}: {AUTHENTICATION}."
    # The page of the group says it, too: HA is on, and SRM has not started yet.
    assert sub.group is not None
    advice = live.group_live(sub.group.pk).advice
    assert advice.startswith(f"Start on {sub.name}: {AUTHENTICATION}.")
