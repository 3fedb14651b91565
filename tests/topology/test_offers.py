"""What the map offers: what the state of each group allows, to those who may write."""

import json

import pytest
from bs4 import Tag
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertNumQueries

from redundancy.models import (
    EventKind,
    MessageKind,
    NodeRuntime,
    RedundancyGroup,
    RequestKind,
    Server,
    SrmMessage,
)
from redundancy.operations.events import record
from redundancy.operations.groups import add_group, enable_ha
from redundancy.operations.servers import add_server
from redundancy.srm.states import Reason, State
from tests.memory import remember_pair
from tests.pages.conftest import admin, group, ha, page, pair, pub, read_only, reader, sub
from tests.pages.html import soup, words

__all__ = ["admin", "group", "ha", "page", "pair", "pub", "read_only", "reader", "sub"]

HTMX = {"HX-Request": "true"}
NORMAL = (State.NORMAL, Reason.NORMAL)
MAP = {"view": "map"}


def offers(client: Client, view: str = "map") -> list[Tag]:
    shown = soup(client.get(reverse("topology"), {"view": view}))
    return shown.select("#shown a.map-button")


def turn(
    pub: Server, first: tuple[State, Reason], sub: Server, second: tuple[State, Reason]
) -> None:
    remember_pair(pub, first, sub, second)
    remember_pair(sub, second, pub, first)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (NORMAL, NORMAL, ["Failover imp-pub", "Failover imp-sub"]),
        (
            (State.FAILED_OVER, Reason.ON_ADMIN_REQUEST),
            (State.BACKUP, Reason.ON_ADMIN_REQUEST),
            ["Fallback imp-pub"],
        ),
        (
            (State.FAILED, Reason.CRITICAL_SERVICE_DOWN),
            (State.FAILED, Reason.CRITICAL_SERVICE_DOWN),
            ["Recover DefaultCUPSubCluster"],
        ),
    ],
)
def test_a_pair_offers_what_its_page_does(
    page: Client,
    read_only: Client,
    ha: RedundancyGroup,
    pub: Server,
    sub: Server,
    first: tuple[State, Reason],
    second: tuple[State, Reason],
    expected: list[str],
) -> None:
    servers = list(
        Server.objects.filter(group=ha).select_related("runtime", "group").order_by("slot")
    )
    turn(servers[0], first, servers[1], second)
    shown = offers(page)
    assert [words(each) for each in shown] == expected
    # The grid offers the same.
    assert {words(each) for each in offers(page, "grid")} == set(expected)
    assert {each["hx-get"] for each in offers(page, "grid")} == {each["hx-get"] for each in shown}
    assert not offers(read_only, "grid")
    there = soup(page.get(reverse("group_edit", args=[ha.pk]))).select("table.nodes a.button")
    assert {each["hx-get"] for each in shown} <= {each["href"] for each in there}
    assert {each["hx-target"] for each in shown} == {"#dialog"}
    assert not offers(read_only)


def test_what_is_requested_is_not_offered_again(page: Client, ha: RedundancyGroup) -> None:
    servers = list(
        Server.objects.filter(group=ha).select_related("runtime", "group").order_by("slot")
    )
    turn(servers[0], NORMAL, servers[1], NORMAL)
    region = soup(page.get(reverse("topology"), MAP)).select_one("#live")
    assert region is not None
    url = str(offers(page)[0]["href"])
    serial = NodeRuntime.objects.get(server=servers[0]).serial
    assert page.post(url, {"serial": serial}, headers=HTMX).status_code == 204
    assert SrmMessage.objects.exists()
    assert not offers(page)
    # The page that waits goes on waiting: SRM has not answered.
    changed = page.get(str(region["hx-get"]))
    assert changed.status_code == 200
    assert "answered" not in json.loads(changed["HX-Trigger"])


@pytest.mark.parametrize("view", ["map", "grid"])
def test_the_map_tells_what_srm_answers(page: Client, ha: RedundancyGroup, view: str) -> None:
    def answered(region: Tag) -> str | None:
        response = page.get(str(region["hx-get"]))
        told = json.loads(response.headers.get("HX-Trigger", "{}")).get("answered")
        return told["value"] if told else None

    def live() -> Tag:
        region = soup(page.get(reverse("topology"), {"view": view})).select_one("#live")
        assert region is not None
        return region

    node, other = ha.servers.order_by("slot")
    SrmMessage.objects.create(node=node, kind=MessageKind.FAILOVER, actor="somebody")
    before = live()
    # Another node goes to work meanwhile: that is no answer.
    record(kind=EventKind.STATE, sentence="Its peer.", node=other)
    assert answered(before) is None
    SrmMessage.objects.all().delete()
    record(
        kind=EventKind.ADMIN,
        sentence="Refused: not now.",
        request=RequestKind.FAILOVER,
        refused=True,
        node=node,
    )
    assert answered(before) == "Refused: not now."
    after = live()
    assert answered(after) is None
    record(kind=EventKind.STATE, sentence="It begins.", node=node)
    assert answered(after) == ""


def test_without_high_availability_enabling_it_is_offered(
    page: Client, read_only: Client, pair: RedundancyGroup
) -> None:
    (offer,) = offers(page)
    assert words(offer) == "Enable High Availability DefaultCUPSubCluster"
    assert not offers(read_only)
    url = str(offer["hx-get"])
    assert read_only.get(url).status_code == 403
    asked = page.get(url, headers=HTMX)
    # No sweep runs here, as the preflight says.
    assert "The preflight found what will go wrong." in soup(asked).get_text()
    assert soup(asked).select(".effects li")
    done = page.post(url, headers=HTMX)
    assert done.status_code == 204
    assert "SRM is starting" in done["HX-Trigger"]
    pair.refresh_from_db()
    assert pair.ha_enabled
    assert page.get(url).status_code == 409


def test_a_group_of_one_server_offers_nothing(page: Client, group: RedundancyGroup) -> None:
    assert not offers(page)
    url = reverse("group_enable", args=[group.pk])
    refused = page.post(url, headers=HTMX)
    assert refused.status_code == 409
    assert "needs two different servers" in soup(refused).get_text()
    group.refresh_from_db()
    assert not group.ha_enabled


@pytest.mark.parametrize("view", ["map", "grid"])
def test_offers_cost_the_same_for_many_groups(page: Client, ha: RedundancyGroup, view: str) -> None:
    url = f"{reverse('topology')}?view={view}&fragment=1&e=0"
    page.get(url)
    cache.clear()
    with CaptureQueriesContext(connection) as few:
        page.get(url)
    for number in range(6):
        nodes = [
            add_server(name=f"{letter}-{number}", server_type="imp", actor="") for letter in "ab"
        ]
        made = add_group(name=f"g-{number}", first=nodes[0], second=nodes[1], actor="")
        if number % 2:
            enable_ha(group=made, actor="")
    cache.clear()
    with assertNumQueries(len(few)):
        page.get(url)
