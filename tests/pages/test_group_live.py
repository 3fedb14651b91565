import json
from collections.abc import Callable
from urllib.parse import urlencode, urljoin

import pytest
from bs4 import BeautifulSoup
from django.http import Http404
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from redundancy.clock import lab_now, set_rate
from redundancy.models import (
    EventKind,
    NodeRuntime,
    RedundancyGroup,
    RequestKind,
    Server,
    SrmMessage,
)
from redundancy.operations import events
from redundancy.operations.groups import delete_group, disable_ha
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.pages.group_live import live_region
from redundancy.selectors import observing
from redundancy.srm.states import Reason, State
from tests.memory import remember, remember_pair
from tests.pages.html import soup, status, words

HTMX = {"HX-Request": "true"}


def edit(group: RedundancyGroup) -> str:
    return reverse("group_edit", args=[group.pk])


def polled(response_page: BeautifulSoup) -> str:
    """The query the region polls with."""
    region = response_page.select_one("#live")
    assert region is not None
    return str(region["hx-get"])


def turn(server: Server, state: State, reason: Reason) -> None:
    """Let the node be in ``state``, with its memory and its event, as the sweep would."""
    assert server.group is not None
    peer = server.group.servers.select_related("runtime").exclude(pk=server.pk).get()
    said = State(peer.runtime.state), Reason(peer.runtime.reason)
    remember_pair(server, (state, reason), peer, said)
    NodeRuntime.objects.filter(server=server).update(serial=server.runtime.serial + 1)
    events.record(
        kind=EventKind.STATE,
        sentence=f"{server.name} is {state}.",
        group=server.group,
        node=server,
        new_state=state,
        new_reason=reason,
    )
    server.refresh_from_db()


@pytest.fixture
def normal(ha: RedundancyGroup) -> RedundancyGroup:
    """A healthy pair."""
    for server in ha.servers.select_related("runtime", "group"):
        turn(server, State.NORMAL, Reason.NORMAL)
    return ha


def nodes(group: RedundancyGroup) -> tuple[Server, Server]:
    first, second = group.servers.select_related("runtime", "group").order_by("slot")
    return first, second


def action(group: RedundancyGroup, server: Server, name: str) -> str:
    return reverse("group_action", args=[group.pk, server.pk, name])


def test_a_healthy_pair_says_so_once(swept: None, page: Client, normal: RedundancyGroup) -> None:
    NodeRuntime.objects.update(sentence="Both nodes are reachable.")
    shown = soup(page.get(edit(normal)))
    assert not shown.select("table.nodes .sentence")
    assert words(shown.select_one(".explained dd")) == (
        "Both nodes are healthy and serve their own users."
    )
    # Nobody was moved yet.
    assert reverse("group_logins", args=[normal.pk]) not in str(shown)
    turn(nodes(normal)[0], State.BACKUP, Reason.ON_ADMIN_REQUEST)
    assert soup(page.get(edit(normal))).select("table.nodes .sentence")


def test_the_table_has_its_columns(page: Client, normal: RedundancyGroup) -> None:
    shown = soup(page.get(edit(normal)))
    assert [words(head) for head in shown.select("table.nodes th")] == [
        "Monitored Server",
        "Assigned Users",
        "Active Users",
        "Server State",
        "Reason",
        "Server Action",
    ]
    assert [words(cell) for cell in shown.select("table.nodes .action")] == [
        "Failover imp-pub",
        "Failover imp-sub",
    ]


def test_states_carry_an_icon_and_words(page: Client, normal: RedundancyGroup) -> None:
    for tone in soup(page.get(edit(normal))).select("table.nodes .tone"):
        assert tone.select_one("svg")
        assert words(tone)


def test_failover_to_a_node_that_cannot_serve_is_not_offered_and_says_why(
    page: Client, normal: RedundancyGroup
) -> None:
    first, second = nodes(normal)
    said = (State.NORMAL, Reason.NORMAL)
    remember(first, said, second, said, peer_healthy=False)
    why = (
        "Failover needs all critical services of imp-sub to run; "
        "imp-sub reports that not all of them do."
    )
    cells = soup(page.get(edit(normal))).select("table.nodes .action")
    assert [words(cell) for cell in cells] == [why, "Failover imp-sub"]
    asked = page.get(action(normal, first, "failover"))
    assert (asked.status_code, status(asked)) == (409, why)
    serial = first.runtime.serial
    sent = page.post(action(normal, first, "failover"), {"serial": serial})
    assert (sent.status_code, status(sent)) == (409, why)
    assert not SrmMessage.objects.exists()


def test_nothing_new_is_204(page: Client, normal: RedundancyGroup) -> None:
    query = polled(soup(page.get(edit(normal))))
    response = page.get(edit(normal) + query)
    assert response.status_code == 204
    assert not response.content


def test_every_poll_answer_carries_the_lab_clock(
    page: Client, normal: RedundancyGroup, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    set_rate(2)
    node = nodes(normal)[0].pk
    for url, mark in (
        (edit(normal), "#live"),
        (reverse("topology"), "#live"),
        (reverse("control_center", args=["network"]) + f"?server={node}", "#live"),
        (reverse("home"), "#faults"),
    ):
        region = soup(page.get(url)).select_one(mark)
        assert region is not None
        address = urljoin(url, str(region["hx-get"]))
        for query, code in (("", 204), ("&v=old", 200)):
            response = page.get(address + query)
            assert response.status_code == code, address + query
            assert response["X-Lab-Rate"] == "2"
            assert abs(float(response["X-Lab-Now"]) - lab_now()) < 60
            assert response["X-Lab-Time"]


def test_a_group_deleted_under_an_open_page_is_404(page: Client, normal: RedundancyGroup) -> None:
    shown = soup(page.get(edit(normal)))
    query = polled(shown)
    region = shown.select_one("#live")
    assert region is not None
    assert region["data-what"] == "Presence redundancy group DefaultCUPSubCluster"

    disable_ha(group=normal, actor="")
    delete_group(group=normal, actor="")
    assert page.get(edit(normal) + query).status_code == 404
    # Deleted between the look at the group and the look at its nodes.
    with pytest.raises(Http404):
        live_region(normal, observing.observer())


def test_news_replaces_the_region_and_is_announced(page: Client, normal: RedundancyGroup) -> None:
    query = polled(soup(page.get(edit(normal))))
    turn(nodes(normal)[0], State.FAILING_OVER, Reason.ON_ADMIN_REQUEST)
    response = page.get(edit(normal) + query)
    assert response.status_code == 200
    region = soup(response)
    assert b"<html" not in response.content
    assert "Failing Over" in words(region.select_one("table.nodes"))
    assert json.loads(response["HX-Trigger"]) == {
        "announce": {"value": "imp-pub: Failing Over, On Admin Request"},
        "answered": {"value": ""},
    }
    assert page.get(edit(normal) + polled(region)).status_code == 204


def test_what_became_of_a_request_is_told_once(page: Client, normal: RedundancyGroup) -> None:
    first, _ = nodes(normal)
    page.post(action(normal, first, "failover"), {"serial": first.runtime.serial})
    query = polled(soup(page.get(edit(normal))))
    refusal = "imp-pub is not Normal."
    events.record(
        kind=EventKind.ADMIN,
        sentence=refusal,
        request=RequestKind.FAILOVER,
        refused=True,
        group=normal,
        node=first,
    )
    response = page.get(edit(normal) + query)
    assert json.loads(response["HX-Trigger"]) == {"answered": {"value": refusal}}
    assert "HX-Trigger" not in page.get(edit(normal) + polled(soup(response)))


def test_no_form_stands_in_the_polled_region(page: Client, normal: RedundancyGroup) -> None:
    region = soup(page.get(edit(normal))).select_one("#live")
    assert region is not None
    assert not region.select("form, input, select, button, textarea")


@pytest.mark.parametrize("query", [{"v": "", "e": "x"}, {"v": "\0", "e": "9" * 5000}, {}])
def test_a_strange_poll_is_answered(
    page: Client, normal: RedundancyGroup, query: dict[str, str]
) -> None:
    response = page.get(f"{edit(normal)}?fragment=1&{urlencode(query)}")
    assert response.status_code == 200


def test_an_action_names_its_effects_first(page: Client, normal: RedundancyGroup) -> None:
    first, _ = nodes(normal)
    add_users(rows=[("ann", "", "ann@example.com", first)], actor="")
    asked = page.get(action(normal, first, "failover"))
    text = words(soup(asked).select_one(".confirm"))
    assert "1 user on imp-pub is disconnected and logs in at imp-sub." in text
    assert "Stopped on imp-pub, until a fallback or until High Availability is disabled:" in text
    assert not SrmMessage.objects.exists()
    in_dialog = page.get(action(normal, first, "failover"), headers=HTMX)
    assert b"<html" not in in_dialog.content
    assert "imp-pub" in words(soup(in_dialog).select_one("#dialog-title"))


def test_a_confirmed_action_is_requested(page: Client, normal: RedundancyGroup) -> None:
    first, _ = nodes(normal)
    response = page.post(
        action(normal, first, "failover"), {"serial": first.runtime.serial}, follow=True
    )
    assert status(response) == "Failover of imp-pub was requested; waiting for SRM."
    assert soup(response).select("#status [data-waiting]")
    assert response.redirect_chain[0][0] == edit(normal)


def test_in_the_dialog_the_page_stays(page: Client, normal: RedundancyGroup) -> None:
    first, _ = nodes(normal)
    response = page.post(
        action(normal, first, "failover"), {"serial": first.runtime.serial}, headers=HTMX
    )
    assert response.status_code == 204
    assert json.loads(response["HX-Trigger"]) == {
        "requested": {"value": "Failover of imp-pub was requested; waiting for SRM."}
    }


def test_an_action_confirmed_for_an_older_state_is_refused(
    page: Client, normal: RedundancyGroup
) -> None:
    first, _ = nodes(normal)
    serial = first.runtime.serial
    turn(first, State.FAILING_OVER, Reason.ON_ADMIN_REQUEST)
    response = page.post(action(normal, first, "failover"), {"serial": serial})
    assert response.status_code == 409
    assert not SrmMessage.objects.exists()
    assert not soup(response).select(".confirm [type=submit]")


def test_an_action_that_does_not_fit_is_not_offered(page: Client, normal: RedundancyGroup) -> None:
    first, _ = nodes(normal)
    response = page.get(action(normal, first, "fallback"))
    assert response.status_code == 409
    assert "not offered now; the state of imp-pub is Normal" in soup(response).get_text()


@pytest.mark.parametrize("serial", [None, "x", "-1", "9" * 5000])
def test_an_action_needs_its_serial(
    page: Client, normal: RedundancyGroup, serial: str | None
) -> None:
    first, _ = nodes(normal)
    data = {} if serial is None else {"serial": serial}
    response = page.post(action(normal, first, "failover"), data)
    assert response.status_code == 400
    assert "serial" in status(response)
    assert not SrmMessage.objects.exists()


def test_unknown_actions_and_nodes(page: Client, normal: RedundancyGroup) -> None:
    first, _ = nodes(normal)
    assert page.get(action(normal, first, "explode")).status_code == 404
    other = reverse("group_action", args=[normal.pk, 424242, "failover"])
    assert page.post(other, {"serial": 0}).status_code == 404


def test_a_group_without_servers_left(page: Client, pair: RedundancyGroup) -> None:
    Server.objects.filter(group=pair).update(group=None, slot=None)
    assert "No server is assigned" in soup(page.get(edit(pair))).get_text()


def test_a_group_page_asks_the_same_number_of_queries_however_long_its_history(
    page: Client, normal: RedundancyGroup, django_assert_max_num_queries: Callable
) -> None:
    with django_assert_max_num_queries(27) as few:
        page.get(edit(normal))
    for number in range(100):
        events.record(kind=EventKind.ADMIN, sentence=f"Event {number}.", group=normal)
        add_server(name=f"node-{number}", server_type="imp", actor="")
    with django_assert_max_num_queries(len(few.captured_queries)):
        page.get(edit(normal))


def test_the_page_answers_without_the_bus(
    page: Client, normal: RedundancyGroup, settings: Settings
) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    response = page.get(edit(normal))
    assert response.status_code == 200
    assert "We cannot see the nodes" in words(soup(response).select_one("#live .notice"))
