import pytest
from bs4 import BeautifulSoup, Tag
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertNumQueries
from pytest_django.fixtures import Settings

from redundancy.catalog import SERVICES
from redundancy.faultlab import writes as faults
from redundancy.models import NodeService, RedundancyGroup, Server
from redundancy.operations import power, services
from redundancy.operations.servers import add_server


def address(kind: str, server: Server | None = None) -> str:
    return reverse("control_center", args=[kind]) + (f"?server={server.pk}" if server else "")


def page(client: Client, kind: str, server: Server | None = None) -> BeautifulSoup:
    response = client.get(address(kind, server))
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def cell(soup: BeautifulSoup, field: str, name: str) -> str:
    slug = name.lower().replace(" ", "-")
    found = soup.find(id=f"{field}-{slug}")
    assert found is not None
    return " ".join(found.get_text().split())


def live_version(soup: BeautifulSoup) -> str:
    live = soup.find(id="live")
    assert live is not None
    return str(live["hx-get"])


@pytest.mark.parametrize("kind", ["feature", "network"])
def test_lists_the_services_of_its_kind(client: Client, pub: Server, kind: str) -> None:
    soup = page(client, kind, pub)
    shown = [str(radio["value"]) for radio in soup.select("input[type=radio][name=service]")]
    assert sorted(shown) == sorted(service.name for service in SERVICES if service.kind == kind)


def test_asks_for_a_server_first(client: Client, pub: Server) -> None:
    soup = page(client, "feature")
    assert next(option["value"] for option in soup.select("#server option")) == str(pub.pk)
    assert not soup.select("input[type=radio]")


def test_says_so_while_there_is_no_node(client: Client) -> None:
    assert "No IM and Presence server has been added yet" in page(client, "network").get_text()


def test_shows_status_activation_and_what_is_critical(client: Client, pub: Server) -> None:
    soup = page(client, "feature", pub)
    engine, directory = "Cisco Presence Engine", "Cisco XCP Directory Service"
    assert cell(soup, "status", engine) == "Started"
    assert cell(soup, "activation", engine) == "Activated"
    assert cell(soup, "critical", engine) == "Critical"
    assert cell(soup, "up", engine)
    assert cell(soup, "status", directory) == "Not Activated"
    assert cell(soup, "critical", directory) == ""
    assert cell(soup, "start", directory) == ""


def test_unknown_is_not_stopped(client: Client, pub: Server) -> None:
    services.stop_service(server=pub, name="Cisco SIP Proxy", actor="test")
    stopped = page(client, "feature", pub).find(id="status-cisco-sip-proxy")
    power.power_off(server=pub, actor="test")
    unknown = page(client, "feature", pub).find(id="status-cisco-sip-proxy")
    assert stopped is not None
    assert unknown is not None
    assert "Stopped" in stopped.get_text()
    assert "Unknown" in unknown.get_text()
    assert stopped.use is not None
    assert unknown.use is not None
    assert stopped.use["href"] != unknown.use["href"]


@pytest.mark.parametrize("server", ["0", "999999", "x", "-1", "1e3", "9" * 40, "\u0663"])
def test_unknown_server_is_not_found(client: Client, pub: Server, server: str) -> None:
    response = client.get(reverse("control_center", args=["feature"]), {"server": server})
    assert response.status_code == 404


def test_a_server_without_presence_has_no_control_center(client: Client, pub: Server) -> None:
    cucm = add_server(name="cucm-1", server_type="cucm", actor="test")
    assert client.get(address("feature", cucm)).status_code == 404


def test_unknown_kind_is_not_found(client: Client, pub: Server) -> None:
    assert client.get(reverse("control_center", args=["other"])).status_code == 404


def test_reader_sees_everything_and_no_control(reader: Client, pub: Server) -> None:
    soup = page(reader, "network", pub)
    assert cell(soup, "status", "Cisco XCP Router") == "Started"
    assert not soup.select("main form[method=post], main input[type=radio], [form=services]")


def test_refresh_answers_204_until_something_changes(client: Client, pub: Server) -> None:
    soup = page(client, "network", pub)
    assert client.get(live_version(soup)).status_code == 204
    services.stop_service(server=pub, name="Cisco Sync Agent", actor="test")
    changed = client.get(live_version(soup))
    assert changed.status_code == 200
    fresh = BeautifulSoup(changed.content, "html.parser")
    assert cell(fresh, "status", "Cisco Sync Agent") == "Stopped"
    assert "announce" in changed["HX-Trigger"]
    assert client.get(live_version(fresh)).status_code == 204


def test_refresh_carries_no_control(client: Client, pub: Server) -> None:
    response = client.get(f"{address('network', pub)}&fragment=1&v=old")
    soup = BeautifulSoup(response.content, "html.parser")
    live = soup.find(id="live")
    assert isinstance(live, Tag)
    assert not live.select("form, input, button, select")
    swapped = [span for span in soup.select("span[id]") if span.get("hx-swap-oob") == "true"]
    assert len(swapped) == 5 * sum(service.kind == "network" for service in SERVICES)


def test_refresh_notices_power_and_high_availability(
    client: Client, pub: Server, group: RedundancyGroup
) -> None:
    before = live_version(page(client, "feature", pub))
    RedundancyGroup.objects.filter(pk=group.pk).update(ha_enabled=True)
    after = client.get(before)
    assert "High Availability on" in after.content.decode()
    power.power_off(server=pub, actor="test")
    assert client.get(before).status_code == 200


@pytest.mark.parametrize(
    ("state", "greyed"),
    [
        ("on", ["power_on"]),
        ("off", ["shut_down", "reboot", "power_off", "restart_srm"]),
        ("restarting", ["shut_down", "reboot", "restart_srm"]),
    ],
)
def test_buttons_follow_the_power(
    client: Client, reader: Client, pub: Server, state: str, greyed: list[str]
) -> None:
    before = live_version(page(client, "network", pub))
    if state != "on":
        {"off": power.power_off, "restarting": power.reboot}[state](server=pub, actor="test")
    shown = [page(client, "network", pub)]
    if state != "on":
        answer = client.get(before)
        shown.append(BeautifulSoup(answer.content, "html.parser"))
        assert "act-power_on" not in reader.get(before).content.decode()
    for soup in shown:
        buttons = soup.select("#node-buttons button")
        assert len(buttons) == 5
        assert [button["value"] for button in buttons if button.has_attr("disabled")] == greyed
        note = soup.find(id="not-now")
        assert note is not None
        assert f"imp-pub is {state}; not possible now: " in note.get_text()


def test_queries_do_not_grow_with_the_services(client: Client, pub: Server) -> None:
    with CaptureQueriesContext(connection) as few:
        client.get(address("feature", pub))
    NodeService.objects.filter(name__in=["Cisco SIP Proxy", "Cisco Presence Engine"]).delete()
    with assertNumQueries(len(few)):
        client.get(address("feature", pub))


def test_names_are_escaped(client: Client, pub: Server) -> None:
    response = client.get(address("feature", pub) + "&service=<script>alert(1)</script>")
    assert b"<script>alert" not in response.content


def test_services_that_the_data_monitor_holds_back(
    client: Client, pub: Server, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    sub = Server.objects.get(name="imp-sub")
    faults.break_replication(node=sub, actor="")
    power.power_off(server=sub, actor="")
    power.power_on(server=sub, actor="")
    shown = page(client, "feature", sub)
    assert cell(shown, "status", "Cisco Presence Engine") == "Starting"
    for each in (shown, page(client, "network", sub)):
        [notice] = each.select("#live p.notice")
        assert "set replication-sync monitor disable imp-sub" in notice.get_text()
    url = reverse("control_center_service", args=["feature", sub.pk])
    post = {"service": "Cisco SIP Proxy", "action": "start"}
    assert "is starting already; nothing was done" in client.post(url, post, follow=True).text
    post = {"service": "Cisco SIP Proxy", "action": "restart"}
    answer = BeautifulSoup(client.post(url, post, follow=True).content, "html.parser")
    told = answer.select_one("fieldset.status")
    assert told is not None
    assert "its Data Monitor holds back at Starting: Cisco SIP Proxy." in told.get_text()
    assert "was restarted" not in told.get_text()
    changed = live_version(page(client, "feature", sub))
    faults.set_up_replication(node=sub, actor="")
    assert "Data Monitor" not in client.get(changed).text


def test_after_a_stop_and_start_of_the_router_it_says_that_nobody_can_log_in(
    client: Client, reader: Client, pub: Server
) -> None:
    before = page(client, "network", pub)
    assert not before.select(".nobody-logs-in")
    services.stop_service(server=pub, name="Cisco XCP Router", actor="test")
    services.start_service(server=pub, name="Cisco XCP Router", actor="test")
    told = (
        "Nobody can log in at imp-pub: Cisco XCP Connection Manager and Cisco XCP Authentication "
        "Service do not run there."
    )
    fresh = BeautifulSoup(client.get(live_version(before)).content, "html.parser")
    for soup in (fresh, page(client, "feature", pub), page(reader, "feature", pub)):
        notice = soup.select_one("#live .nobody-logs-in")
        assert notice is not None
        assert told in " ".join(notice.get_text(" ").split())
    assert len(fresh.select(f"#live a#start-{pub.pk}")) == 1
    assert not page(reader, "feature", pub).select("#live .nobody-logs-in a")
