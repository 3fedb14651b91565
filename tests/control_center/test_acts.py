from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from redundancy.models import (
    HaEvent,
    Machine,
    NodeService,
    PresenceSession,
    RedundancyGroup,
    Server,
)
from redundancy.operations import power
from redundancy.srm.states import Reason, State
from tests.memory import remember_pair

ROUTER, PROXY, ENGINE = "Cisco XCP Router", "Cisco SIP Proxy", "Cisco Presence Engine"
MANAGER, AUTHENTICATION = "Cisco XCP Connection Manager", "Cisco XCP Authentication Service"
SRM = "Cisco Server Recovery Manager"
HTMX = {"HX-Request": "true"}


def send(
    client: Client,
    server: Server,
    action: str,
    service: str = "",
    *,
    kind: str = "network",
    choice: str = "",
    htmx: bool = False,
) -> Any:
    name = "control_center_service" if service else "control_center_node"
    data = {"action": action, "service": service, "choice": choice}
    headers = HTMX if htmx else {}
    return client.post(reverse(name, args=[kind, server.pk]), data, headers=headers)


def status(response: Any) -> str:
    found = BeautifulSoup(response.content, "html.parser").find(id="status")
    assert found is not None
    return " ".join(found.get_text().split())


def running(server: Server, name: str) -> bool:
    return NodeService.objects.get(server=server, name=name).running


def snapshot(server: Server) -> tuple[object, ...]:
    return (
        list(NodeService.objects.filter(server=server).values_list("name", "running", "since")),
        Machine.objects.filter(server=server).values_list().get(),
        HaEvent.objects.count(),
        list(RedundancyGroup.objects.values_list("ha_enabled", "epoch")),
    )


def test_stop_and_start_a_service(client: Client, pub: Server) -> None:
    response = send(client, pub, "stop", PROXY, kind="feature")
    assert response.status_code == 302
    assert not running(pub, PROXY)
    shown = client.get(response["Location"])
    assert f"{PROXY} on imp-pub was stopped." in status(shown)
    # The service stays selected, so that Start is one click away.
    assert BeautifulSoup(shown.content, "html.parser").select_one(
        f'input[type=radio][checked][value="{PROXY}"]'
    )
    send(client, pub, "start", PROXY, kind="feature")
    assert running(pub, PROXY)


def test_restart_a_service(client: Client, pub: Server) -> None:
    before = NodeService.objects.get(server=pub, name=ENGINE).since
    send(client, pub, "restart", ENGINE, kind="feature")
    assert NodeService.objects.get(server=pub, name=ENGINE).since > before


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("power_off", "powered", False),
        ("shut_down", "powered", False),
        ("reboot", "powered", False),
        ("restart_srm", "incarnation", 2),
    ],
)
def test_node_acts(client: Client, pub: Server, action: str, field: str, value: object) -> None:
    response = send(client, pub, action)
    assert response.status_code == 302
    assert getattr(Machine.objects.get(server=pub), field) == value
    assert "imp-pub" in status(client.get(response["Location"]))


def test_power_on(client: Client, pub: Server) -> None:
    power.power_off(server=pub, actor="test")
    send(client, pub, "power_on")
    assert Machine.objects.get(server=pub).powered


@pytest.mark.parametrize("kind", ["feature", "network"])
def test_it_comes_back_to_the_page_it_was_sent_from(client: Client, pub: Server, kind: str) -> None:
    response = send(client, pub, "restart_srm", kind=kind)
    assert response["Location"].startswith(reverse("control_center", args=[kind]))


@pytest.mark.parametrize(
    ("first", "service", "sentence"),
    [
        ("power_off", "", "imp-pub is off already"),
        ("stop", ROUTER, f"{ROUTER} on imp-pub is stopped already"),
    ],
)
def test_repeating_is_harmless_and_says_so(
    client: Client, pub: Server, first: str, service: str, sentence: str
) -> None:
    send(client, pub, first, service)
    after = snapshot(pub)
    again = send(client, pub, first, service)
    assert snapshot(pub) == after
    assert sentence in status(client.get(again["Location"]))


@pytest.mark.parametrize(
    ("action", "service"), [("power_on", ""), ("start", ROUTER)], ids=["power", "service"]
)
def test_what_runs_already_is_left_alone(
    client: Client, pub: Server, action: str, service: str
) -> None:
    before = snapshot(pub)
    send(client, pub, action, service)
    assert snapshot(pub) == before


@pytest.mark.parametrize(
    ("action", "service"),
    [
        ("stop", ROUTER),
        ("restart", ROUTER),
        ("stop", "A Cisco DB"),
        ("stop", SRM),
        ("restart", SRM),
        ("power_off", ""),
        ("shut_down", ""),
        ("reboot", ""),
        ("restart_srm", ""),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_caution_comes_first_while_ha_is_on(
    client: Client, pub: Server, protected: RedundancyGroup, action: str, service: str, htmx: bool
) -> None:
    before = snapshot(pub)
    response = send(client, pub, action, service, htmx=htmx)
    assert response.status_code == 200
    assert snapshot(pub) == before
    soup = BeautifulSoup(response.content, "html.parser")
    form = soup.select_one("form.confirm")
    assert form is not None
    assert [button["value"] for button in form.select("button[name=choice]")] == [
        "disable-ha",
        "continue",
    ]
    assert form.find("a", string="Cancel") is not None
    assert " 5 users" in form.get_text()
    assert (soup.find("html") is None) == htmx


@pytest.mark.parametrize(
    ("action", "service", "kind", "told"),
    [
        ("stop", MANAGER, "feature", "Everybody who is logged in at imp-pub is disconnected."),
        ("restart", MANAGER, "feature", "logs in again after a random time"),
        ("stop", AUTHENTICATION, "feature", "Nobody can log in at imp-pub without"),
        ("stop", "Cisco Client Profile Agent", "network", "no failover follows, and users wait"),
    ],
)
def test_what_only_clients_notice_is_asked_about_and_disabling_ha_not_offered(
    client: Client,
    pub: Server,
    protected: RedundancyGroup,
    action: str,
    service: str,
    kind: str,
    told: str,
) -> None:
    before = snapshot(pub)
    asked = send(client, pub, action, service, kind=kind)
    assert (asked.status_code, snapshot(pub)) == (200, before)
    form = BeautifulSoup(asked.content, "html.parser").select_one("form.confirm")
    assert form is not None
    text = form.get_text()
    assert told in text
    assert f"SRM does not monitor {service}." in text
    assert "Logged in on imp-pub now: 5 users." in text
    assert [button["value"] for button in form.select("button[name=choice]")] == ["continue"]
    assert "For planned work" not in text
    assert send(client, pub, action, service, kind=kind, choice="continue").status_code == 302
    assert snapshot(pub) != before


def test_a_login_service_that_nobody_misses_is_not_asked_about(
    client: Client, pub: Server, protected: RedundancyGroup
) -> None:
    # It is back before anybody logs in; and one that is stopped takes nothing away.
    assert send(client, pub, "restart", AUTHENTICATION, kind="feature").status_code == 302
    send(client, pub, "stop", MANAGER, kind="feature", choice="continue")
    assert send(client, pub, "restart", MANAGER, kind="feature").status_code == 302


@pytest.mark.parametrize(
    ("action", "service", "kind"),
    [
        ("stop", PROXY, "feature"),
        ("start", ROUTER, "network"),
        ("power_on", "", "network"),
    ],
)
def test_no_caution_for_what_takes_nothing_away(
    client: Client, pub: Server, protected: RedundancyGroup, action: str, service: str, kind: str
) -> None:
    if action != "stop":
        send(client, pub, {"start": "stop"}.get(action, "power_off"), service, choice="continue")
    assert send(client, pub, action, service, kind=kind).status_code == 302


def test_caution_tells_the_price_of_disabling_ha(
    client: Client, pub: Server, protected: RedundancyGroup
) -> None:
    sub = protected.servers.get(slot=2)
    assert b"If HA is disabled now" not in send(client, pub, "stop", ROUTER).content
    send(client, sub, "power_off", choice="continue")
    caution = send(client, pub, "stop", ROUTER).content.decode()
    assert "If HA is disabled now" in caution
    assert "imp-sub has no power, and must be powered on." in caution


@pytest.mark.parametrize("users", [1000])
def test_caution_counts_who_is_logged_in(
    client: Client, pub: Server, protected: RedundancyGroup
) -> None:
    sub = protected.servers.get(slot=2)
    PresenceSession.objects.update(node=sub)
    assert b"Logged in on imp-sub now: 1,000 users." in send(client, sub, "power_off").content
    assert b"Logged in on" not in send(client, pub, "power_off").content


def test_a_node_whose_services_run_is_not_said_to_serve_nobody(
    client: Client, pub: Server, protected: RedundancyGroup
) -> None:
    sub = protected.servers.get(slot=2)
    down = Reason.CRITICAL_SERVICE_DOWN
    remember_pair(pub, (State.FAILED_OVER, down), sub, (State.BACKUP, down))
    assert "serve nobody" not in send(client, sub, "stop", ROUTER).content.decode()
    NodeService.objects.filter(server=pub, name=ENGINE).update(running=False)
    assert "imp-pub will serve nobody" in send(client, sub, "stop", ROUTER).content.decode()


@pytest.mark.parametrize(
    ("action", "service"),
    [("shut_down", ""), ("reboot", ""), ("restart_srm", ""), ("stop", ROUTER), ("restart", SRM)],
)
def test_what_cannot_be_done_is_refused_before_its_effects_are_promised(
    client: Client, pub: Server, protected: RedundancyGroup, action: str, service: str
) -> None:
    power.power_off(server=pub, actor="test")
    before = snapshot(pub)
    response = send(client, pub, action, service)
    assert response.status_code == 409
    assert "imp-pub is powered off" in status(response)
    assert not BeautifulSoup(response.content, "html.parser").select("form.confirm")
    assert snapshot(pub) == before


def test_continue_does_it_and_leaves_ha_on(
    client: Client, pub: Server, protected: RedundancyGroup
) -> None:
    assert send(client, pub, "stop", ROUTER, choice="continue").status_code == 302
    assert not running(pub, ROUTER)
    assert RedundancyGroup.objects.get().ha_enabled


def test_disable_ha_first_does_only_that_and_comes_back(
    client: Client, pub: Server, protected: RedundancyGroup
) -> None:
    response = send(client, pub, "stop", ROUTER, choice="disable-ha")
    assert not RedundancyGroup.objects.get().ha_enabled
    assert running(pub, ROUTER)
    shown = client.get(response["Location"])
    assert "High Availability of DefaultCUPSubCluster is off" in status(shown)
    assert send(client, pub, "stop", ROUTER).status_code == 302
    assert not running(pub, ROUTER)


def test_htmx_is_sent_to_the_page_afterwards(client: Client, pub: Server) -> None:
    response = send(client, pub, "stop", PROXY, kind="feature", htmx=True)
    assert response.status_code == 200
    assert "server=" in response["HX-Redirect"]


def test_refused_is_shown_in_status(client: Client, pub: Server) -> None:
    power.power_off(server=pub, actor="test")
    before = snapshot(pub)
    for htmx in (False, True):
        response = send(client, pub, "restart", ROUTER, htmx=htmx)
        assert response.status_code == 409
        assert "imp-pub" in status(response)
        assert ("HX-Retarget" in response) == htmx
    assert snapshot(pub) == before


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("service", {"action": "stop"}, 422),
        ("service", {"action": "stop", "service": "Cisco Nothing"}, 404),
        ("service", {"action": "stop", "service": "x" * 10_000}, 404),
        ("service", {"action": "stop", "service": ENGINE}, 404),  # a service of the other page
        ("service", {"action": "explode", "service": ROUTER}, 400),
        ("service", {"service": ROUTER}, 400),
        ("node", {"action": "stop"}, 400),
        ("node", {}, 400),
    ],
)
def test_bad_input_changes_nothing(
    client: Client, pub: Server, name: str, data: dict[str, str], code: int
) -> None:
    before = snapshot(pub)
    response = client.post(reverse(f"control_center_{name}", args=["network", pub.pk]), data)
    assert response.status_code == code
    if code == 422:
        assert status(response) == "Choose a service first."
    assert snapshot(pub) == before


@pytest.mark.parametrize("name", ["service", "node"])
def test_guards(client: Client, reader: Client, pub: Server, name: str) -> None:
    url = reverse(f"control_center_{name}", args=["network", pub.pk])
    data = {"action": "stop" if name == "service" else "power_off", "service": ROUTER}
    before = snapshot(pub)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert client.get(url, data).status_code == 405
    assert reader.post(url, data).status_code == 403
    assert strict.post(url, data).status_code == 403
    assert Client().post(url, data).status_code == 302
    missing = reverse(f"control_center_{name}", args=["network", 999_999])
    assert client.post(missing, data).status_code == 404
    assert snapshot(pub) == before
