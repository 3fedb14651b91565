"""The first page once every step is done: how everything is."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertNumQueries

from redundancy import bus
from redundancy.models import EventKind, RedundancyGroup, Server
from redundancy.operations.events import record
from redundancy.operations.groups import add_group, enable_ha
from redundancy.operations.power import power_off
from redundancy.operations.servers import add_server
from redundancy.srm.states import Reason, State
from tests.memory import remember_pair
from tests.pages.html import soup, words


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps run."""
    monkeypatch.setattr(bus, "sweep_age", lambda: 0.0)


@pytest.fixture
def toured(ha: RedundancyGroup) -> RedundancyGroup:
    """A healthy pair that has been failed over and back."""
    first, second = (
        Server.objects.filter(group=ha).select_related("runtime", "group").order_by("slot")
    )
    normal = (State.NORMAL, Reason.NORMAL)
    for server, peer in ((first, second), (second, first)):
        for before, after in (
            (State.NORMAL, State.BACKUP),
            (State.TAKING_BACK, State.NORMAL),
        ):
            record(
                kind=EventKind.STATE,
                sentence="",
                group=ha,
                node=server,
                old_state=before,
                new_state=after,
            )
        remember_pair(server, normal, peer, normal)
    return ha


def test_the_steps_fold_away_and_leave_room_for_how_everything_is(
    page: Client, read_only: Client, toured: RedundancyGroup
) -> None:
    for client in (page, read_only):
        shown = soup(client.get(reverse("home")))
        assert words(shown.h1) == "Overview"
        (steps,) = shown.select("details.first-steps")
        assert "open" not in steps.attrs
        assert "imp-pub: Normal imp-sub: Normal" in words(shown.select_one("table.groups"))
    # Nobody sweeps here, though somebody may have a while ago: nothing of it is green by that.
    told = [words(line) for line in shown.select(".overview li")]
    assert told[0].startswith(("We cannot see the nodes", "We could not see the nodes"))
    assert "when the nodes were last seen" in told[1]
    assert not shown.select(".overview .tone-ok")
    assert [len(shown.select(f"table.groups .tone-{tone}")) for tone in ("ok", "unseen")] == [0, 2]


def test_it_is_green_while_the_nodes_are_seen(
    swept: None, page: Client, toured: RedundancyGroup
) -> None:
    shown = soup(page.get(reverse("home")))
    assert len(shown.select(".overview .tone-ok")) == 3
    nodes = [add_server(name=name, server_type="imp", actor="") for name in ("a-1", "a-2")]
    add_group(name="without-ha", first=nodes[0], second=nodes[1], actor="")
    # Nothing is wrong with it, but it is not well either.
    assert len(soup(page.get(reverse("home"))).select(".overview .tone-ok")) == 2


def test_what_needs_somebody_stands_first(
    page: Client, toured: RedundancyGroup, pub: Server
) -> None:
    nodes = [add_server(name=name, server_type="imp", actor="") for name in ("a-1", "a-2")]
    add_group(name="a-calm-one", first=nodes[0], second=nodes[1], actor="")
    power_off(server=pub, actor="")
    shown = soup(page.get(reverse("home")))
    names = [words(row.a) for row in shown.select("table.groups tbody tr")]
    assert names == [toured.name, "a-calm-one"]
    assert "1 of 2 presence redundancy groups needs attention." in words(
        shown.select_one(".overview")
    )


def test_it_is_refreshed_only_when_something_changed(
    swept: None, page: Client, toured: RedundancyGroup, pub: Server
) -> None:
    region = soup(page.get(reverse("home"))).select_one("#live")
    assert region is not None
    assert page.get(str(region["hx-get"])).status_code == 204
    power_off(server=pub, actor="")
    assert page.get(str(region["hx-get"])).status_code == 200


def test_it_costs_the_same_for_many_groups(page: Client, toured: RedundancyGroup) -> None:
    url = f"{reverse('home')}?fragment=1"
    page.get(url)
    with CaptureQueriesContext(connection) as few:
        page.get(url)
    for number in range(25):
        first, second = (
            add_server(name=f"{letter}-{number}", server_type="imp", actor="") for letter in "ab"
        )
        made = add_group(name=f"g-{number}", first=first, second=second, actor="")
        if number % 2:
            enable_ha(group=made, actor="")
    with assertNumQueries(len(few)):
        answer = page.get(url)
    assert "6 more groups in Presence Topology" in words(soup(answer))
