"""*Tools > Service Activation*."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from redundancy.catalog import SERVICES, ServiceKind
from redundancy.models import HaEvent, NodeService, RedundancyGroup, Server
from redundancy.operations import power
from redundancy.operations.activation import set_activated
from redundancy.operations.functions import set_functions
from redundancy.operations.servers import add_server
from tests.deeds import deeds
from tests.pages.html import soup, status, words

FEATURES = [service for service in SERVICES if service.kind is ServiceKind.FEATURE]
DEFAULTS = [service.name for service in FEATURES if service.by_default]
ENGINE, PROXY = "Cisco Presence Engine", "Cisco SIP Proxy"
ARCHIVER, CHAT = "Cisco XCP Message Archiver", "Cisco XCP Text Conference Manager"
HTMX = {"HX-Request": "true"}


def address(server: Server | int, **more: str) -> str:
    pk = server if isinstance(server, int) else server.pk
    return f"{reverse('service_activation')}?{urlencode({'server': str(pk), **more})}"


def save(
    client: Client, server: Server, *services: str, seen: list[str] = DEFAULTS, **more: Any
) -> Any:
    headers = HTMX if more.pop("htmx", False) else {}
    data = {"service": services, "seen": ["", *seen], **more}
    return client.post(address(server), data, headers=headers)


def checked(response: Any) -> list[str]:
    return [str(box["value"]) for box in soup(response).select("[name=service][checked]")]


def activated(server: Server) -> list[str]:
    names = [service.name for service in FEATURES]
    rows = NodeService.objects.filter(server=server, name__in=names, activated=True)
    return [name for name in names if name in rows.values_list("name", flat=True)]


def snapshot() -> tuple[object, ...]:
    return list(NodeService.objects.order_by("pk").values_list()), HaEvent.objects.count()


def test_it_asks_for_a_server_and_lists_its_feature_services(page: Client, pub: Server) -> None:
    first = soup(page.get(reverse("service_activation")))
    assert [words(option) for option in first.select("#server option")] == ["imp-pub (publisher)"]
    assert not first.select("[name=service]")
    shown = page.get(address(pub))
    assert sorted(box["value"] for box in soup(shown).select("[name=service]")) == sorted(
        service.name for service in FEATURES
    )
    assert checked(shown) == DEFAULTS
    rows = {
        words(r.th): [words(td) for td in r.select("td")][1:]
        for r in soup(shown).select("tr")[1:]
        if r.select("td")
    }
    assert rows[ENGINE] == ["Activated", "Started", "Monitored: activated"]
    assert rows[ARCHIVER] == [
        "Not Activated",
        "Not Activated",
        "Not monitored: not configured, not activated",
    ]


def test_without_a_node_it_says_so(page: Client) -> None:
    assert (
        "No IM and Presence server has been added yet"
        in page.get(reverse("service_activation")).content.decode()
    )


@pytest.mark.parametrize("server", ["0", "999999", "x", "-1", "9" * 40])
def test_an_unknown_server_is_not_found(page: Client, pub: Server, server: str) -> None:
    url = f"{reverse('service_activation')}?server={server}"
    assert page.get(url).status_code == 404
    assert page.post(url, {"seen": ""}).status_code == 404
    cucm = add_server(name="cucm", server_type="cucm", actor="")
    assert page.get(address(cucm)).status_code == 404


@pytest.mark.parametrize("htmx", [False, True])
def test_what_is_checked_is_activated_and_the_rest_is_not(
    page: Client, pub: Server, htmx: bool
) -> None:
    wanted = [name for name in DEFAULTS if name != PROXY] + [ARCHIVER, CHAT]
    answer = save(page, pub, *wanted, htmx=htmx)
    assert (answer.status_code, "HX-Redirect" in answer) == ((200, True) if htmx else (302, False))
    assert activated(pub) == wanted
    shown = page.get(address(pub))
    assert status(shown) == "Update successful"
    assert checked(shown) == wanted
    told = deeds().filter(kind="admin", actor="ccmadmin").order_by("pk")
    assert [event.sentence for event in told] == [
        f"{ARCHIVER} and {CHAT} on imp-pub were activated.",
        f"{PROXY} on imp-pub was deactivated.",
    ]
    save(page, pub, *wanted, seen=wanted)
    assert status(page.get(address(pub))) == "Nothing was changed."
    assert told.count() == 2


def test_set_to_default_and_check_all_fill_the_form_in_and_save_nothing(
    page: Client, pub: Server
) -> None:
    set_activated(server=pub, name=ARCHIVER, activated=True, actor="")
    before = snapshot()
    first = soup(page.get(address(pub)))
    links = {words(a): str(a["href"]) for a in first.select("main a[href]")}
    default = page.get(links["Set to Default"])
    assert checked(default) == DEFAULTS
    assert "Press Save" in status(default)
    every = page.get(links["Check All Services"])
    assert checked(every) == [box["value"] for box in soup(every).select("[name=service]")]
    # What was seen is what is activated, not what the form was filled with.
    seen = [box["value"] for box in soup(every).select("[name=seen]")]
    assert seen == ["", *DEFAULTS, ARCHIVER]
    assert checked(page.get(links["Refresh"])) == [*DEFAULTS, ARCHIVER]
    assert checked(page.get(address(pub, fill="nonsense"))) == [*DEFAULTS, ARCHIVER]
    assert snapshot() == before


def test_another_administrators_change_is_not_overwritten(page: Client, pub: Server) -> None:
    set_activated(server=pub, name=CHAT, activated=True, actor="bob")
    before = snapshot()
    answer = save(page, pub, *DEFAULTS, ARCHIVER)
    assert answer.status_code == 409
    assert f"Somebody else activated or deactivated meanwhile, on imp-pub: {CHAT}" in status(answer)
    assert snapshot() == before
    # What was checked stays.
    assert checked(answer) == [*DEFAULTS, ARCHIVER]
    assert save(page, pub, *DEFAULTS, ARCHIVER, htmx=True)["HX-Retarget"] == "fieldset.status"


@pytest.mark.parametrize(
    ("data", "code", "rule"),
    [
        ({}, 400, "seen: must name"),
        ({"service": "Cisco Nothing", "seen": ["", *DEFAULTS]}, 422, "no service named"),
        ({"service": "Cisco XCP Router", "seen": ["", *DEFAULTS]}, 422, "network service"),
        ({"service": "x" * 10_000, "seen": ["", *DEFAULTS]}, 422, "no service named"),
    ],
)
def test_bad_input_changes_nothing(
    page: Client, pub: Server, data: dict[str, Any], code: int, rule: str
) -> None:
    before = snapshot()
    answer = page.post(address(pub), data)
    assert answer.status_code == code
    assert rule in status(answer)
    assert snapshot() == before


def test_a_node_that_is_off_is_shown_and_refused(page: Client, pub: Server) -> None:
    power.power_off(server=pub, actor="")
    before = snapshot()
    shown = page.get(address(pub))
    assert "imp-pub is powered off" in words(soup(shown).select_one(".notice"))
    assert checked(shown) == DEFAULTS
    answer = save(page, pub, *DEFAULTS, ARCHIVER)
    assert answer.status_code == 409
    assert "imp-pub is powered off" in status(answer)
    assert snapshot() == before


def test_a_reader_sees_and_saves_nothing(read_only: Client, page: Client, pub: Server) -> None:
    shown = soup(read_only.get(address(pub)))
    assert ENGINE in words(shown.select_one("main"))
    assert not shown.select("main [type=checkbox], main button[form]")
    assert "Set to Default" not in words(shown.select_one("main"))
    before = snapshot()
    assert save(read_only, pub, ARCHIVER).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = page.cookies
    assert save(strict, pub, ARCHIVER).status_code == 403
    assert save(Client(), pub, ARCHIVER).status_code == 302
    assert page.delete(address(pub)).status_code == 405
    assert snapshot() == before


@pytest.mark.parametrize("htmx", [False, True])
def test_what_changes_the_list_of_srm_is_confirmed_while_ha_is_on(
    page: Client, pub: Server, ha: RedundancyGroup, htmx: bool
) -> None:
    wanted = [name for name in DEFAULTS if name != ENGINE]
    before = snapshot()
    asked = save(page, pub, *wanted, htmx=htmx)
    assert asked.status_code == 200
    assert snapshot() == before
    form = soup(asked).select_one("form.confirm")
    assert form is not None
    assert "no longer monitored by SRM: Cisco Presence Engine" in words(form)
    # The form sends again what was sent.
    sent = {
        name: [str(each["value"]) for each in form.select(f"[name={name}]")]
        for name in ("service", "seen")
    }
    assert sent == {"service": wanted, "seen": ["", *DEFAULTS]}
    confirmed = page.post(str(form["action"]), {**sent, "choice": "continue"})
    assert confirmed.status_code == 302
    assert activated(pub) == wanted
    assert RedundancyGroup.objects.get().ha_enabled


def test_ha_can_be_disabled_first_and_the_form_is_still_filled_in(
    page: Client, pub: Server, ha: RedundancyGroup
) -> None:
    wanted = [name for name in DEFAULTS if name != ENGINE]
    before = snapshot()[0]
    answer = save(page, pub, *wanted, choice="disable-ha")
    assert not RedundancyGroup.objects.get().ha_enabled
    assert snapshot()[0] == before
    shown = page.get(answer["Location"])
    assert "is off. Wait 2 minutes, then press Save." in status(shown)
    assert checked(shown) == wanted
    assert save(page, pub, *wanted).status_code == 302
    assert activated(pub) == wanted


def test_nothing_is_asked_about_what_srm_does_not_watch(
    page: Client, pub: Server, ha: RedundancyGroup
) -> None:
    wanted = [name for name in DEFAULTS if name != PROXY] + [ARCHIVER]
    assert save(page, pub, *wanted).status_code == 302
    # Configured, the same change would be asked about.
    set_functions(configured={"compliance": True}, actor="")
    asked = save(page, pub, *DEFAULTS, seen=wanted)
    assert soup(asked).select("form.confirm")


def test_what_is_refused_anyway_is_refused_before_it_is_asked(
    page: Client, pub: Server, ha: RedundancyGroup
) -> None:
    set_activated(server=pub, name=CHAT, activated=True, actor="bob")
    before = snapshot()
    answer = save(page, pub, PROXY)
    assert answer.status_code == 409
    assert not soup(answer).select("form.confirm")
    assert snapshot() == before
