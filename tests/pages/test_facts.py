"""What an administrator should know is told where he meets it."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.faultlab import writes as faults
from redundancy.models import HaEvent, RedundancyGroup, Server
from redundancy.operations.groups import add_group, edit_group, enable_ha
from redundancy.operations.servers import add_server, edit_server
from redundancy.operations.users import add_users
from redundancy.planned.reads.preflight import preflight
from redundancy.selectors import effects, live
from redundancy.srm.states import Reason, State
from tests.memory import remember_pair
from tests.pages.html import soup, status, words

INTERRUPTED = "this interrupts DefaultCUPSubCluster, whose services are restarted"
ROUTER = "After a node was removed, restart the Cisco XCP Router on all nodes of the cluster."


@pytest.fixture(autouse=True)
def swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps run."""
    monkeypatch.setattr(bus, "sweep_age", lambda: 0.4)


def form(group: RedundancyGroup, **changes: object) -> dict[str, object]:
    first, second = group.servers.order_by("slot")
    named = {"name": group.name, "description": "", "first": first.pk, "second": second.pk}
    return named | changes


def told(page: Client, response_of: str) -> list[str]:
    return [words(li) for li in soup(page.get(response_of)).select(".effects li")]


def test_before_a_node_leaves_its_group(page: Client, pair: RedundancyGroup, sub: Server) -> None:
    url = reverse("group_edit", args=[pair.pk])
    before = HaEvent.objects.count()
    asked = soup(page.post(url, form(pair, second="", description="kept")))
    effects = [words(li) for li in asked.select(".effects li")]
    assert INTERRUPTED in effects[0]
    assert effects[1:] == [ROUTER]
    assert (pair.servers.count(), HaEvent.objects.count()) == (2, before)
    sent = {tag["name"]: tag["value"] for tag in asked.select(".confirm input[name]")}
    assert "Update successful" in status(page.post(url, sent, follow=True))
    pair.refresh_from_db()
    assert (pair.servers.count(), pair.description) == (1, "kept")


def test_what_is_refused_anyway_is_not_asked(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    url = reverse("group_edit", args=[pair.pk])
    add_users(rows=[("ann", "", "ann@example.com", sub)], actor="")
    refused = page.post(url, form(pair, second=""))
    assert (refused.status_code, "has users assigned" in status(refused)) == (422, True)


def test_two_questions_are_one(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    third = add_server(name="imp-3", server_type="imp", actor="")
    edit_server(server=third, version="15.0.1", actor="")
    url = reverse("group_edit", args=[pair.pk])
    enable_ha(group=pair, actor="")
    remember_pair(
        pub,
        (State.FAILED_OVER, Reason.CRITICAL_SERVICE_DOWN),
        sub,
        (State.BACKUP, Reason.CRITICAL_SERVICE_DOWN),
    )
    asked = words(soup(page.post(url, form(pair, second=third.pk))).select_one(".effects"))
    assert INTERRUPTED in asked
    assert "Nobody takes over from a node that fails" in asked


def test_before_a_group_or_a_server_is_deleted(page: Client, pair: RedundancyGroup) -> None:
    effects = told(page, reverse("group_delete", args=[pair.pk]))
    assert INTERRUPTED in effects[1]
    assert effects[2:] == [ROUTER]
    loose = add_server(name="imp-3", server_type="imp", actor="")
    assert told(page, reverse("server_delete", args=[loose.pk])) == [ROUTER]
    phones = add_server(name="cucm-1", server_type="cucm", actor="")
    assert told(page, reverse("server_delete", args=[phones.pk])) == []


def test_what_runs_on_one_node_only(
    page: Client, ha: RedundancyGroup, pub: Server, sub: Server
) -> None:
    def asked(server: Server, act: str) -> str:
        url = reverse("control_center_node", args=["network", server.pk])
        return soup(page.post(url, {"action": act})).text

    for act in ("shut_down", "reboot", "power_off"):
        assert "the administration page run on one node only" in asked(pub, act)
        assert "one node only" not in asked(sub, act)
    assert "one node only" not in asked(pub, "restart_srm")


def test_groups_with_and_without_high_availability(page: Client, pair: RedundancyGroup) -> None:
    def note() -> str:
        found = preflight(pair)
        assert found is not None
        return str(found.note)

    topology = reverse("topology")
    nodes = [add_server(name=name, server_type="imp", actor="") for name in ("imp-3", "imp-4")]
    other = add_group(name="other", first=nodes[0], actor="")
    assert note() == ""
    edit_group(group=other, name="other", description="", first=nodes[0], second=nodes[1], actor="")
    assert "may be mixed in a cluster; it is not recommended." in note()
    shown = page.get(reverse("group_edit", args=[pair.pk]))
    assert "it is not recommended." in words(soup(shown).select_one("#preflight .notice"))
    assert "not recommended" not in page.get(topology).text
    enable_ha(group=other, actor="")
    assert note() == ""
    assert "allowed in a cluster, and not recommended" in words(
        soup(page.get(topology)).select_one("#live")
    )
    enable_ha(group=pair, actor="")
    assert "not recommended" not in page.get(topology).text


def test_an_upgrade(page: Client, pair: RedundancyGroup, sub: Server) -> None:
    shown = soup(page.get(reverse("server_edit", args=[sub.pk])))
    assert "wait at least 2 minutes" in words(shown.select_one("#id_version_helptext"))
    phones = add_server(name="cucm-1", server_type="cucm", actor="")
    assert "2 minutes" not in page.get(reverse("server_edit", args=[phones.pk])).text
    edit_server(server=sub, version="15.0.1", actor="")
    found = preflight(pair)
    assert found is not None
    [differ] = [check for check in found.failed if check.label == "Software version"]
    assert "stays off until all nodes run the same version" in differ.effect


@pytest.mark.parametrize(("seconds", "beyond"), [(0.04, False), (0.041, True)])
def test_a_delay_between_sites(
    page: Client, pair: RedundancyGroup, settings: Settings, seconds: float, beyond: bool
) -> None:
    settings.FAULT_LAB = True
    shown = page.get(reverse("fault_lab"), {"group": pair.pk})
    assert "at most 80 ms there and back, and asks for 10 Mbps" in shown.text
    faults.delay_link(group=pair, seconds=seconds, actor="")
    banner = words(soup(page.get(reverse("home"))).select_one("#faults"))
    assert ("at most 80 ms there and back" in banner) is beyond


def test_temporary_presence_after_a_move(pair: RedundancyGroup, pub: Server, sub: Server) -> None:
    def said() -> list[str]:
        rows = live.group_live(pair.pk).rows
        return effects.failover(rows[0], rows[1], {pub.pk: pub, sub.pk: sub})

    pub.refresh_from_db()
    sub.refresh_from_db()
    assert effects.TEMPORARY not in said()
    add_users(rows=[("ann", "", "ann@example.com", pub)], actor="")
    assert said()[-1] == effects.TEMPORARY
