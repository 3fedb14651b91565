"""Lists that are too long to be offered as a whole: searched by a part of the name."""

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy.models import PresenceUser, RedundancyGroup, Server
from redundancy.views import choices
from tests.pages.html import soup, words

# Each page with a list of servers: its address, and the name of the field.
SERVERS = [
    (reverse("control_center", args=["network"]), "server"),
    (reverse("service_activation"), "server"),
    (reverse("srm_trace"), "server"),
    (reverse("service_parameters", args=["ccmadmin"]), "server"),
    (reverse("planned_list"), "server"),
    (reverse("session_list"), "node"),
]
GROUPS = [(reverse("log_collection"), "group"), (reverse("fault_lab"), "group")]


@pytest.fixture(autouse=True)
def fault_lab(settings: Settings) -> None:
    settings.FAULT_LAB = True


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a list is offered."""
    monkeypatch.setattr(choices, "MOST", 1)


def offered(page: BeautifulSoup, name: str) -> list[str]:
    found = page.select_one(f"main select[name={name}]")
    assert found is not None
    return [words(each).split()[0] for each in found.select("option") if each.get("value")]


def searched(client: Client, address: str, text: str, **more: str) -> BeautifulSoup:
    return soup(client.get(address, {"named": text, **more}))


@pytest.mark.parametrize(("address", "name"), SERVERS)
def test_of_many_servers_those_are_offered_whose_names_contain_what_was_typed(
    page: Client, pair: RedundancyGroup, short: None, address: str, name: str
) -> None:
    first = soup(page.get(address))
    assert offered(first, name) == ["imp-pub"]
    assert "1 of 2 are offered" in words(first.select_one(".find-choice"))
    assert offered(searched(page, address, "SUB"), name) == ["imp-sub"]
    assert "No name contains 'x'" in words(searched(page, address, "x").select_one(".find-choice"))


@pytest.mark.parametrize(("address", "name"), GROUPS)
def test_of_many_groups_alike(
    page: Client, pair: RedundancyGroup, short: None, address: str, name: str
) -> None:
    RedundancyGroup.objects.create(name="Another")
    assert offered(soup(page.get(address)), name) == ["Another"]
    assert offered(searched(page, address, "cups"), name) == ["DefaultCUPSubCluster"]


@pytest.mark.parametrize(("address", "name"), [*SERVERS, *GROUPS])
def test_a_short_list_is_offered_as_a_whole_and_not_searched(
    page: Client, pair: RedundancyGroup, address: str, name: str
) -> None:
    found = searched(page, address, "nothing like it")
    assert found.select_one(".find-choice") is None
    assert len(offered(found, name)) == (1 if name == "group" else 2)


@pytest.mark.parametrize(("address", "name"), SERVERS[:5])
def test_what_is_chosen_is_offered_too(
    page: Client, pair: RedundancyGroup, sub: Server, short: None, address: str, name: str
) -> None:
    found = soup(page.get(address, {name: sub.pk}))
    assert offered(found, name) == ["imp-sub", "imp-pub"]
    selected = found.select_one(f"main select[name={name}] option[selected]")
    assert words(selected).startswith("imp-sub")


def test_a_search_carries_the_page_along_and_a_choice_the_search(
    page: Client, pair: RedundancyGroup, pub: Server, short: None
) -> None:
    address = reverse("srm_trace")
    found = searched(page, address, "imp\0-s", server=str(pub.pk), search="Failover")
    search = found.select_one(".find-choice")
    assert search is not None
    carried = {each["name"]: each["value"] for each in search.select("input[type=hidden]")}
    assert carried == {"server": str(pub.pk), "search": "Failover"}
    kept = [form.select_one("input[type=hidden][name=named]") for form in found.select("form.go")]
    assert [each["value"] for each in kept if each] == ["imp-s"]
    # The server that the page is about stays.
    assert "SRM Trace of imp-pub" in words(found.select_one("main"))


def test_the_node_that_users_are_assigned_to_is_searched_with_all_that_were_chosen(
    page: Client, pair: RedundancyGroup, short: None
) -> None:
    users = [
        PresenceUser.objects.create(userid=f"u{number}", im_address=f"u{number}@example.com")
        for number in range(60)
    ]
    chosen = {"pk": [str(each.pk) for each in users]}
    found = soup(page.get(reverse("user_assign"), {**chosen, "named": "sub"}))
    assert offered(found, "to") == ["imp-sub", "None"]
    search = found.select_one(".find-choice")
    assert search is not None
    assert {each["value"] for each in search.select("[name=pk]")} == set(chosen["pk"])


def test_a_node_that_is_not_offered_is_taken(
    page: Client, ha: RedundancyGroup, sub: Server, short: None
) -> None:
    answer = page.post(reverse("planned_list"), {"server": sub.pk, "service": ""})
    assert answer.status_code == 302
