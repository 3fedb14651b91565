import re

import pytest
from bs4 import BeautifulSoup, Tag
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertNumQueries

from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup, Server
from redundancy.operations.groups import add_group
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("reader"))
    return client


@pytest.fixture
def group(db: None) -> RedundancyGroup:
    return load_sample_cluster(actor="test")


def page(client: Client) -> BeautifulSoup:
    response = client.get(reverse("topology"))
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def refresh(soup: BeautifulSoup) -> str:
    live = soup.find(id="live")
    assert live is not None
    return str(live["hx-get"])


def add_node(name: str) -> Server:
    return add_server(name=name, server_type="imp", actor="test")


def links(soup: BeautifulSoup, css: str) -> list[Tag]:
    return soup.select(f"svg.map a.{css}")


def test_boxes_are_links_with_a_name(client: Client, group: RedundancyGroup) -> None:
    soup = page(client)
    node_links = {str(link["href"]): str(link["aria-label"]) for link in links(soup, "map-node")}
    for server in group.servers.all():
        label = node_links[reverse("server_edit", args=[server.pk])]
        assert label.startswith(f"{server.name}, ")
        assert "500 assigned users, 500 active users" in label
    assert [link["href"] for link in links(soup, "map-group")] == [
        reverse("group_edit", args=[group.pk])
    ]


def test_state_is_icon_and_words(client: Client, group: RedundancyGroup) -> None:
    for link in links(page(client), "map-node"):
        assert "Unknown" in link.get_text()
        assert any(str(use["href"]).endswith("#off") for use in link.select("use"))


def test_publisher_is_marked_once(client: Client, group: RedundancyGroup) -> None:
    marked = [
        link["aria-label"]
        for link in links(page(client), "map-node")
        if any(str(use["href"]).endswith("#publisher") for use in link.select("use"))
    ]
    assert len(marked) == 1
    assert str(marked[0]).startswith("imp-pub, Publisher")


def test_table_says_the_same_as_the_map(client: Client, group: RedundancyGroup) -> None:
    add_node("imp-3")
    soup = page(client)
    in_map = {link["href"] for link in links(soup, "map-node")}
    in_table = {link["href"] for link in soup.select('.topology-table a[id^="row-node"]')}
    assert len(in_map) == 3
    assert in_map == in_table


def test_a_new_node_is_unassigned(client: Client, group: RedundancyGroup) -> None:
    assert "Unassigned Nodes" not in page(client).get_text()
    add_node("imp-3.example.com")
    soup = page(client)
    assert "Unassigned Nodes" in soup.get_text()
    assert "imp-3.example.com" in soup.get_text()


def test_totals(client: Client, group: RedundancyGroup) -> None:
    PresenceUser.objects.create(userid="homeless", im_address="homeless@example.com")
    totals = {
        term.get_text(): term.find_next("dd").get_text().strip()  # type: ignore[union-attr]
        for term in page(client).select(".totals dt")
    }
    assert totals["Assigned users"] == "1,000"
    assert totals["Unassigned users"] == "1"
    assert totals["Nodes"] == "2"


def test_empty_cluster_says_how_to_begin(client: Client) -> None:
    soup = page(client)
    assert "no IM and Presence server yet" in soup.get_text()
    assert soup.select_one("svg.map") is None


def test_refresh_answers_204_until_something_changes(
    client: Client, group: RedundancyGroup
) -> None:
    soup = page(client)
    assert client.get(refresh(soup)).status_code == 204
    add_node("imp-3")
    changed = client.get(refresh(soup))
    assert changed.status_code == 200
    assert b"<html" not in changed.content
    assert "announce" in changed["HX-Trigger"]
    assert client.get(refresh(BeautifulSoup(changed.content, "html.parser"))).status_code == 204


def test_moved_users_are_shown_but_not_announced(client: Client, group: RedundancyGroup) -> None:
    soup = page(client)
    PresenceSession.objects.all().delete()
    changed = client.get(refresh(soup))
    assert changed.status_code == 200
    assert "HX-Trigger" not in changed


def test_refresh_carries_no_control(client: Client, group: RedundancyGroup) -> None:
    soup = BeautifulSoup(client.get(f"{reverse('topology')}?fragment=1").content, "html.parser")
    assert not soup.select("form, input, button, select")
    ids = [str(found["id"]) for found in soup.select("[id]")]
    assert len(ids) == len(set(ids))


def test_nothing_the_content_policy_would_block(client: Client, group: RedundancyGroup) -> None:
    soup = BeautifulSoup(client.get(f"{reverse('topology')}?fragment=1").content, "html.parser")
    assert not soup.select("[style], style, script")
    assert not re.search(r"\son\w+=", str(soup))


def test_queries_do_not_grow_with_the_cluster(client: Client, group: RedundancyGroup) -> None:
    url = f"{reverse('topology')}?fragment=1"

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        return len(captured)

    add_node("loose")
    before = queries()
    for number in range(8):
        first, second = add_node(f"a-{number}"), add_node(f"b-{number}")
        add_group(name=f"g-{number}", first=first, second=second, actor="test")
    add_node("loose-too")
    with assertNumQueries(before):
        client.get(url)


def test_wants_a_sign_in_and_only_reads(client: Client) -> None:
    assert Client().get(reverse("topology")).status_code == 302
    assert client.post(reverse("topology")).status_code == 405
