"""*System > Enterprise Parameters*, and what the mode does on the list of users."""

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import HaEvent, NodeRuntime, PresenceUser, RedundancyGroup, Server
from redundancy.operations.users import add_users
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from redundancy.selectors.enterprise import assignment_mode
from redundancy.srm.states import State
from tests.pages.html import error_at, field, soup, status, words

PAGE = reverse("enterprise_parameters")
NAME = "assignment_mode"


def choose(mode: str) -> None:
    set_enterprise_parameters(values={NAME: mode}, actor="ann")


def test_a_change_is_saved_and_marked(page: Client) -> None:
    assert not soup(page.get(PAGE)).select("tr.changed")
    shown = page.post(PAGE, {NAME: "Active-Standby"}, follow=True)
    assert "Update successful" in status(shown)
    assert words(soup(shown).select_one("tr.changed option[selected]")) == "Active-Standby"
    assert HaEvent.objects.get().actor == "ccmadmin"


def test_set_to_default_fills_the_form_in(page: Client) -> None:
    choose("None")
    shown = page.post(PAGE, {"default": "all", NAME: "None"})
    assert "Press Save to apply" in status(shown)
    assert words(field(shown, NAME).select_one("option[selected]")) == "Balanced"
    assert assignment_mode() == "None"


def test_what_is_no_choice_is_refused_at_its_field(page: Client) -> None:
    shown = page.post(PAGE, {NAME: "Random"})
    assert shown.status_code == 422
    assert "must be Balanced, Active-Standby, None" in error_at(shown, NAME)
    assert assignment_mode() == "Balanced"


def test_a_reader_sees_and_changes_nothing(read_only: Client) -> None:
    shown = read_only.get(PAGE)
    assert field(shown, NAME).has_attr("disabled")
    assert not soup(shown).select("main button")
    assert read_only.post(PAGE, {NAME: "None"}).status_code == 403
    assert read_only.get(reverse("user_spread", args=["rebalance"])).status_code == 403
    assert read_only.post(reverse("user_spread", args=["assign-all"])).status_code == 403


@pytest.fixture
def people(pair: RedundancyGroup, pub: Server, sub: Server) -> None:
    """Four users on imp-pub, two without a node."""
    choose("None")
    homes = [pub] * 4 + [None] * 2
    add_users(rows=[(f"u{n}", "", f"u{n}@x", home) for n, home in enumerate(homes)], actor="x")
    choose("Balanced")


@pytest.mark.parametrize(
    ("how", "said", "done"),
    [
        (
            "assign-all",
            "User Assignment Mode for Presence Server: Balanced. "
            "2 users without a node get one and log in there. They go to imp-sub (2).",
            "2 users assigned",
        ),
        (
            "rebalance",
            "User Assignment Mode for Presence Server: Balanced. 2 users get another node; those "
            "who are logged in are disconnected and log in there. They leave imp-pub (2). "
            "They go to imp-sub (2).",
            "2 users assigned",
        ),
    ],
)
def test_the_mode_is_carried_out_after_asking(
    page: Client, people: None, how: str, said: str, done: str
) -> None:
    url = reverse("user_spread", args=[how])
    assert words(soup(page.get(url)).select_one(".effects")) == said
    assert PresenceUser.objects.filter(home__name="imp-sub").count() == 0
    assert done in status(page.post(url, follow=True))
    assert PresenceUser.objects.filter(home__name="imp-sub").count() == 2
    again = page.get(url)
    assert again.status_code == 409
    assert "no user needs another node" in status(again)


@pytest.mark.parametrize("how", ["assign-all", "rebalance"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_refusals(page: Client, people: None, pub: Server, how: str, method: str) -> None:
    url = reverse("user_spread", args=[how])
    choose("None")
    refused = getattr(page, method)(url)
    assert refused.status_code == 409
    assert "users are not assigned automatically" in status(refused)
    choose("Balanced")
    NodeRuntime.objects.filter(server=pub).update(state=State.IDLE)
    refused = getattr(page, method)(url)
    assert refused.status_code == 409
    assert "imp-pub (Idle)" in status(refused)
    assert page.get(reverse("user_spread", args=["shuffle"])).status_code == 404
