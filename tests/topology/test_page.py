import re

import pytest
from bs4 import BeautifulSoup, Tag
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from redundancy.models import NodeRuntime, PresenceUser, RedundancyGroup, Server
from redundancy.operations import presence
from redundancy.operations.groups import add_group, enable_ha
from redundancy.operations.power import power_off
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.permissions import READ_ONLY
from redundancy.srm.codec import node_to_json
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Node
from tests.labtime import stand_at
from tests.pages.conftest import make_user


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(make_user("reader", READ_ONLY))
    return client


@pytest.fixture
def group(db: None) -> RedundancyGroup:
    return load_sample_cluster(actor="test")


def page(client: Client, **query: str) -> BeautifulSoup:
    response = client.get(reverse("topology"), query)
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
        label = node_links[reverse("node_details", args=[server.pk])]
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
    in_table = {link["href"] for link in soup.select('.topology-table a[id^="view-node"]')}
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
    assert "No IM and Presence server has been added yet" in soup.get_text()
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
    presence.sign(out=True, users=PresenceUser.objects.all(), actor="")
    changed = client.get(refresh(soup))
    assert changed.status_code == 200
    assert "HX-Trigger" not in changed


@pytest.fixture
def pair(group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    """The sample cluster, HA on, each node having heard the other at lab time 1000; sweeps run."""
    monkeypatch.setattr("redundancy.bus.sweep_age", lambda: 0.0)
    stand_at(1_010.0)
    enable_ha(group=group, actor="")
    hear(group, 1_000.0)
    return group


def hear(group: RedundancyGroup, at: float) -> None:
    """Let each node's SRM remember that it is Normal and heard the other then."""
    generation = RedundancyGroup.objects.get(pk=group.pk).ha_generation
    for server in group.servers.all():
        beat = Heartbeat("peer", 1, int(at), generation, State.NORMAL, Reason.NORMAL, 0, True, True)
        node = Node(
            server.name,
            "peer",
            first=server.slot == 1,
            state=State.NORMAL,
            reason=Reason.NORMAL,
            generation=generation,
            peer=beat,
            peer_at=at,
        )
        NodeRuntime.objects.filter(server=server).update(
            memory=node_to_json(node), state=State.NORMAL, reason=Reason.NORMAL
        )


def test_heartbeats_have_an_age_in_map_and_table(client: Client, pair: RedundancyGroup) -> None:
    soup = page(client)
    link = soup.select_one(".map-link")
    assert link is not None
    assert "Alive" in link.get_text()
    for server in pair.servers.all():
        for ident in (f"age-{server.pk}", f"heard-{server.pk}"):
            age = soup.find(id=ident)
            assert age is not None
            assert (age["data-since"], age.get_text()) == ("1000.000", "10 s")


def test_a_heartbeat_replaces_ages_and_nothing_else(client: Client, pair: RedundancyGroup) -> None:
    soup = page(client)
    assert client.get(refresh(soup)).status_code == 204
    hear(pair, 1_009.0)
    news = client.get(refresh(soup))
    assert "HX-Trigger" not in news
    fragment = BeautifulSoup(news.content.decode(), "html.parser")
    swapped = {str(tag["id"]) for tag in fragment.find_all(True, {"hx-swap-oob": "true"})}
    servers = [server.pk for server in pair.servers.all()]
    assert swapped == {f"{kind}-{pk}" for kind in ("age", "heard") for pk in servers}
    assert [tag.decode_contents() for tag in fragment.find_all("text")] == ["1 s", "1 s"]
    assert client.get(refresh(fragment)).status_code == 204


def test_a_late_heartbeat_is_shown_as_late(client: Client, pair: RedundancyGroup) -> None:
    soup = page(client)
    stand_at(1_031.0)
    news = BeautifulSoup(client.get(refresh(soup)).content, "html.parser")
    assert news.select_one("#shown[hx-swap-oob] .map-link.tone-warn") is not None
    assert "Heartbeat: Late" in " ".join(news.get_text().split())


def test_while_nobody_sweeps_no_link_looks_cut(
    client: Client, pair: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    NodeRuntime.objects.update(stepped_at=1_010.0)
    stand_at(9_000.0)
    monkeypatch.setattr("redundancy.bus.sweep_age", lambda: 60.0)
    soup = page(client)
    assert "We could not see the nodes since" in soup.get_text()
    assert "Not seen" in soup.select_one(".map-link.tone-unseen").get_text()  # type: ignore[union-attr]
    assert len(soup.select(".map-node.tone-unseen")) == 2
    assert soup.select(".map .tone-ok, .map-link [data-since]") == []


def test_the_filter_stands_in_the_address_and_in_the_refresh(
    client: Client, pair: RedundancyGroup
) -> None:
    add_node("oslo")
    found = page(client, name="osl", view="grid")
    assert [link.get_text(strip=True) for link in found.select(".tile a")] == ["oslo"]
    assert found.select_one("#filter-name")["value"] == "osl"  # type: ignore[index]
    assert "name=osl&view=grid&fragment=1" in refresh(found)
    assert client.get(refresh(found)).status_code == 204
    assert "No group and no node matches the filter" in page(client, name="nobody").get_text()


def test_the_grid_says_what_is_wrong_and_links_to_it(client: Client, pair: RedundancyGroup) -> None:
    pub = pair.servers.get(is_publisher=True)
    power_off(server=pub, actor="")
    tile = page(client, view="grid").select_one(".tile-bad")
    assert tile is not None
    words = " ".join(tile.get_text(" ").split())
    assert f"{pub.name} Cisco Server Recovery Manager Not Responding" in words
    assert "Heartbeat: Silent" in words
    assert {link["href"] for link in tile.select("a")} == {
        reverse("group_edit", args=[pair.pk]),
        *(reverse("node_details", args=[server.pk]) for server in pair.servers.all()),
    }


def test_a_grid_in_which_all_is_well_stands_still(client: Client, pair: RedundancyGroup) -> None:
    soup = page(client, view="grid")
    assert soup.select_one(".tile-ok .icon-ok") is not None
    hear(pair, 1_009.0)
    assert client.get(refresh(soup)).status_code == 204


def test_a_state_that_is_none_is_refused(client: Client, pair: RedundancyGroup) -> None:
    answer = client.get(reverse("topology"), {"state": "<Fine>"})
    assert answer.status_code == 400
    assert "there is no state &#x27;&lt;Fine&gt;&#x27;" in answer.content.decode()
    assert "imp-pub" in answer.content.decode()


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
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        return len(captured)

    add_node("loose")
    before = queries()
    for number in range(8):
        first, second = add_node(f"a-{number}"), add_node(f"b-{number}")
        add_group(name=f"g-{number}", first=first, second=second, actor="test")
    add_node("loose-too")
    assert queries() == before


def test_wants_a_sign_in_and_only_reads(client: Client) -> None:
    assert Client().get(reverse("topology")).status_code == 302
    assert client.post(reverse("topology")).status_code == 405
