import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy.catalog import SERVICES, SRM, XCP_ROUTER
from redundancy.faultlab import writes as faults
from redundancy.models import NodeService, RedundancyGroup, Server
from redundancy.operations import power, services
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.permissions import READ_ONLY
from redundancy.selectors.node_details import details
from tests.labtime import stand_at
from tests.pages.conftest import make_user
from tests.pages.html import words

BEGIN = 1_700_000_000.0


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(make_user("reader", READ_ONLY))
    return client


@pytest.fixture
def pub(db: None, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The publisher of the sample cluster, made at BEGIN; HA off, sweeps run."""
    monkeypatch.setattr("redundancy.bus.sweep_age", lambda: 0.0)
    stand_at(BEGIN)
    load_sample_cluster(actor="test")
    stand_at(BEGIN + 90)
    return Server.objects.get(name="imp-pub")


def page(client: Client, server: Server) -> BeautifulSoup:
    response = client.get(reverse("node_details", args=[server.pk]))
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def facts(soup: BeautifulSoup) -> dict[str, str]:
    return {words(term): words(term.find_next("dd")) for term in soup.select(".node-facts dt")}


def service(soup: BeautifulSoup, name: str) -> list[str]:
    """Status, critical or not, since and for."""
    for row in soup.select(".node-services tbody tr"):
        if words(row.th) == name:
            return [words(cell) for cell in row.select("td")]
    raise AssertionError(name)


def test_a_healthy_node(client: Client, pub: Server) -> None:
    soup = page(client, pub)
    assert facts(soup) == {
        "Host Name/IP Address": "imp-pub",
        "Reachable": "Yes",
        "SRM Reporting": "Yes",
        "Installed": "Yes",
        "Version": "14.0.1",
        "Database Replication": "Publisher Set up (2).",
        "Up Since (lab time)": "2023-11-14 22:13:20, for 1 min 30 s",
        "Presence Redundancy Group": "DefaultCUPSubCluster , High Availability off",
        "Server State": "Unknown High Availability Not Enabled",
        "Assigned Users": "500",
        "Active Users": "500",
    }
    assert service(soup, XCP_ROUTER) == [
        "Started",
        "Critical",
        "2023-11-14 22:13:20",
        "1 min 30 s",
    ]
    assert service(soup, "Cisco Sync Agent")[:2] == ["Started", "Not critical"]
    assert service(soup, "Cisco XCP Message Archiver") == [
        "Not Activated",
        "Not critical (not configured, not activated)",
        "–",
        "–",
    ]
    assert len(soup.select(".node-services tbody tr")) == len(SERVICES)


def test_nobody_knows_whether_srm_reports_while_nobody_looks(
    client: Client, pub: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.bus.sweep_age", lambda: 600.0)
    soup = page(client, pub)
    assert facts(soup)["SRM Reporting"] == "Unknown It cannot be seen now."
    assert soup.select(".node-facts .tone-unseen")
    # That somebody stopped it is known.
    power.stop_srm(server=pub, actor="")
    assert facts(page(client, pub))["SRM Reporting"].startswith("No ")


def test_stopped_is_said_with_its_time(client: Client, pub: Server) -> None:
    services.stop_service(server=pub, name="Cisco Sync Agent", actor="")
    stand_at(BEGIN + 100)
    stopped = service(page(client, pub), "Cisco Sync Agent")
    assert stopped == ["Stopped", "Not critical", "2023-11-14 22:14:50", "10 s"]


def test_what_cannot_be_read_is_unknown_and_says_why(client: Client, pub: Server) -> None:
    power.power_off(server=pub, actor="")
    soup = page(client, pub)
    shown = facts(soup)
    assert shown["Reachable"] == "No imp-pub is powered off."
    assert shown["SRM Reporting"] == "Unknown It cannot be read."
    assert shown["Version"] == "14.0.1 As last known."
    assert "Up Since" not in shown
    statuses = {service(soup, each.name)[0] for each in SERVICES}
    assert statuses == {"Unknown"}
    assert service(soup, XCP_ROUTER)[1:] == ["Critical", "–", "–"]
    notice = words(soup.select_one("fieldset .notice"))
    assert notice.startswith("Unknown: the services cannot be read. imp-pub is powered off.")


def test_a_restarting_node_says_when_it_is_back(client: Client, pub: Server) -> None:
    power.reboot(server=pub, actor="")
    assert "is restarting; it is back at 22:16:50" in facts(page(client, pub))["Reachable"]


def test_a_stopped_srm_is_no_unreachable_node(client: Client, pub: Server) -> None:
    group = RedundancyGroup.objects.get()
    enable_ha(group=group, actor="")
    power.stop_srm(server=pub, actor="")
    soup = page(client, pub)
    shown = facts(soup)
    assert shown["Reachable"] == "Yes"
    assert shown["SRM Reporting"] == "No The SRM of imp-pub is stopped."
    assert "Cisco Server Recovery Manager Not Responding" in shown["Server State"]
    assert service(soup, SRM)[0] == "Stopped"
    assert service(soup, XCP_ROUTER)[0] == "Started"


def test_a_node_without_a_group(client: Client, pub: Server) -> None:
    loose = add_server(name="loose", server_type="imp", version="12.5.1", actor="")
    shown = facts(page(client, loose))
    assert (shown["Presence Redundancy Group"], shown["Version"]) == ("Not assigned", "12.5.1")
    assert shown["Database Replication"] == "Subscriber Set up (2)."


def test_services_that_wait_for_replication(
    client: Client, pub: Server, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    faults.break_replication(node=pub, actor="")
    shown = page(client, pub)
    assert facts(shown)["Database Replication"] == "Publisher Not set up (0; 2 is good)."
    assert shown.select("#live .notice") == []
    power.power_off(server=pub, actor="")
    gone = "Publisher Unknown: its database does not answer."
    assert facts(page(client, pub))["Database Replication"] == gone
    power.power_on(server=pub, actor="")
    shown = page(client, pub)
    assert service(shown, "Cisco Presence Engine")[:2] == ["Starting", "Critical (activated)"]
    # For want of some of them nobody can log in, either.
    [notice] = shown.select("#live .notice:not(.nobody-logs-in)")
    assert "its Data Monitor holds back at Starting: Cisco SIP Proxy" in words(notice)


def test_it_stands_still_until_something_changes(client: Client, pub: Server) -> None:
    live = page(client, pub).find(id="live")
    assert live is not None
    address = str(live["hx-get"])
    stand_at(BEGIN + 200)
    assert client.get(address).status_code == 204
    services.stop_service(server=pub, name=XCP_ROUTER, actor="")
    changed = client.get(address)
    assert changed.status_code == 200
    assert b"<html" not in changed.content
    assert b"<form" not in changed.content
    assert "Critical and not started: Cisco XCP Router" in changed["HX-Trigger"]


def test_queries_do_not_grow_with_services_or_nodes(client: Client, pub: Server) -> None:
    address = reverse("node_details", args=[pub.pk])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    before = queries()
    for number in range(5):
        add_server(name=f"more-{number}", server_type="imp", actor="")
    NodeService.objects.filter(server=pub, name="Cisco Sync Agent").delete()
    assert queries() == before


def test_only_imp_servers_have_details_and_only_for_who_signed_in(
    client: Client, pub: Server
) -> None:
    cucm = add_server(name="cucm", server_type="cucm", actor="")
    assert client.get(reverse("node_details", args=[cucm.pk])).status_code == 404
    assert client.get(reverse("node_details", args=[10**9])).status_code == 404
    address = reverse("node_details", args=[pub.pk])
    assert Client().get(address).status_code == 302
    assert client.post(address).status_code == 405


@pytest.mark.parametrize("seeing", [True, False])
def test_nobody_sees_the_state_of_a_node_while_no_sweep_runs(pub: Server, seeing: bool) -> None:
    enable_ha(group=RedundancyGroup.objects.get(), actor="test")
    told = details(pub.pk, seeing=seeing)
    assert told is not None
    assert (told.seen, told.row.tone == "unseen") == (seeing, not seeing)
