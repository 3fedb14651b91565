"""*Service Parameters*: choosing, changing, suggested values, two people at once, and the lists."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from bs4 import Tag
from django.test import Client
from django.urls import reverse

from redundancy.catalog import PARAMETERS, SRM
from redundancy.models import HaEvent, RedundancyGroup, Server, ServiceParameter
from redundancy.operations.servers import add_server
from redundancy.operations.services import stop_service
from redundancy.operations.users import add_users
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.selectors.parameters import clusterwide, of_node, value
from tests.labtime import stand_at
from tests.memory import fail_over
from tests.pages.html import error_at, field, rows, soup, status, words

PAGE = reverse("service_parameters", args=["ccmadmin"])


def address(server: Server | None = None, **more: object) -> str:
    chosen = {"server": server.pk} if server else {"service": SRM}
    return f"{PAGE}?{urlencode(chosen | more)}"


def sent(response: object) -> dict[str, str]:
    """What the form of the page would send."""
    form = soup(response).select_one("#parameters-form")  # type: ignore[arg-type]
    assert form is not None
    data = {str(tag["name"]): str(tag.get("value", "")) for tag in form.select("input")}
    for select in form.select("select"):
        chosen = select.select_one("option[selected]")
        assert chosen is not None
        data[str(select["name"])] = str(chosen["value"])
    return data


def names(response: object) -> list[str]:
    return [words(tag) for tag in soup(response).select(".parameters tbody th")]  # type: ignore[arg-type]


def row(response: object, key: str) -> Tag:
    found = soup(response).select_one(f"tr:has([name={key}])")  # type: ignore[arg-type]
    assert found is not None
    return found


def put(key: str, text: str, server: Server | None = None, actor: str = "bob") -> None:
    set_parameter(key=key, value=text, server=server, actor=actor)


@pytest.mark.parametrize("application", ["ccmadmin", "cupadmin"])
def test_both_applications_have_it_in_their_menu(
    page: Client, pub: Server, application: str
) -> None:
    url = reverse("service_parameters", args=[application])
    response = page.get(url)
    system = soup(response).select(".menu-bar a")
    assert url in [link["href"] for link in system]
    assert "Select a server and a service" in soup(response).get_text()
    assert not soup(response).select("#parameters-form")


def test_server_and_service_are_chosen_by_drop_downs(page: Client, pub: Server) -> None:
    stop_service(server=pub, name="Cisco SIP Proxy", actor="")
    response = page.get(address(pub))
    assert words(field(response, "server").select_one("[selected]")) == "imp-pub (publisher)"
    service = field(response, "service")
    assert words(service.select_one("[selected]")) == f"{SRM} (Active)"
    options = [words(option) for option in service.select("option")]
    assert "Cisco SIP Proxy" in options
    assert "Cisco Presence Engine (Active)" in options
    other = page.get(address(pub, service="Cisco SIP Proxy"))
    assert "there is none to set here" in soup(other).get_text()


@pytest.mark.parametrize("query", ["server=4711", "server=x", "service=Nothing"])
def test_what_does_not_exist_is_not_found(page: Client, pub: Server, query: str) -> None:
    assert page.get(f"{PAGE}?{query}").status_code == 404


def test_all_nine_in_two_sections_with_their_suggested_values(page: Client, pub: Server) -> None:
    response = page.get(address(pub))
    assert names(response) == [parameter.name for parameter in PARAMETERS]
    assert [words(tag) for tag in soup(response).select("form .box > legend")] == [
        "General Server Recovery Manager Parameters (Clusterwide)",
        "General Server Recovery Manager Parameters (imp-pub)",
    ]
    for parameter in PARAMETERS:
        cells = row(response, parameter.key).select("td")
        assert words(cells[1]) == parameter.default
        assert not row(response, parameter.key).select(".changed-mark")
    # Without a server, those of the cluster.
    assert names(page.get(address())) == [p.name for p in PARAMETERS if not p.per_node]


def test_a_change_of_both_kinds_at_once(page: Client, pub: Server) -> None:
    data = sent(page.get(address(pub)))
    changes = {"heartbeat_timeout": " 90 ", "relogin_upper": "600", "automatic_fallback": "True"}
    response = page.post(address(pub), data | changes, follow=True)
    assert status(response) == "Update successful"
    assert (value("heartbeat_timeout"), value("relogin_upper", pub)) == (90, 600)
    told = list(HaEvent.objects.filter(kind="parameter").values_list("actor", "sentence"))
    assert sorted(told) == [
        ("ccmadmin", "Client Re-Login Upper Limit on imp-pub was changed from 537 to 600."),
        ("ccmadmin", "Enable Automatic Fallback was changed from False to True."),
        ("ccmadmin", "Keep Alive (Heartbeat) Timeout was changed from 60 to 90."),
    ]
    # Marked with words and an icon, not only with a colour.
    marked = row(response, "heartbeat_timeout").select_one(".changed-mark")
    assert words(marked) == "Changed"
    assert marked is not None
    assert marked.select("svg")


def test_saved_again_unchanged_is_no_event(page: Client, pub: Server) -> None:
    page.post(address(pub), sent(page.get(address(pub))))
    assert not HaEvent.objects.filter(kind="parameter").exists()
    assert not ServiceParameter.objects.exists()


def test_changed_only(page: Client, pub: Server) -> None:
    put("critical_service_delay", "60")
    put("relogin_upper", "900", pub)
    response = page.get(address(pub, changed=1))
    assert names(response) == ["Critical Service Delay", "Client Re-Login Upper Limit"]
    page.post(address(pub, changed=1), sent(response) | {"critical_service_delay": "90"})
    shown = page.get(address(pub, changed=1))
    assert names(shown) == ["Client Re-Login Upper Limit"]
    assert "No parameter differs" in soup(shown).get_text()


BAD = [
    # What is typed, and at which fields what is said.
    ({"service_port": "80"}, {"service_port": "from 1024 to 65535"}),
    ({"service_port": ""}, {"service_port": "Service Port must be a whole number"}),
    ({"automatic_fallback": "maybe"}, {"automatic_fallback": "must be True or False"}),
    ({"heartbeat_interval": "31"}, {"heartbeat_interval": "at least twice"}),
    ({"heartbeat_timeout": "29"}, {"heartbeat_timeout": "at least twice"}),
    ({"heartbeat_timeout": "121"}, {"heartbeat_timeout": "must not be below"}),
    ({"initialization_timeout": "59"}, {"initialization_timeout": "must not be below"}),
    ({"service_port": "20075"}, {"service_port": "must not be the Service Port"}),
    ({"admin_rpc_port": "22001"}, {"admin_rpc_port": "must not be the Service Port"}),
    ({"relogin_upper": "119"}, {"relogin_upper": "must not be above"}),
    ({"relogin_lower": "538"}, {"relogin_lower": "must not be above"}),
    # All at once: each by itself, and across two.
    (
        {
            "critical_service_delay": "14",
            "admin_rpc_port": "x\0",
            "heartbeat_timeout": "200",
            "heartbeat_interval": "101",
            "relogin_lower": "9999999",
        },
        {
            "critical_service_delay": "from 15 to 3600 seconds",
            "admin_rpc_port": "must be a whole number",
            "relogin_lower": "from 0 to 86400",
            "heartbeat_timeout": "at least twice",
        },
    ),
]


@pytest.mark.parametrize(("typed", "said"), BAD)
def test_each_rule_is_told_at_its_own_field(
    page: Client, pub: Server, typed: dict[str, str], said: dict[str, str]
) -> None:
    response = page.post(address(pub), sent(page.get(address(pub))) | typed)
    assert response.status_code == 422
    for key, rule in said.items():
        assert rule in error_at(response, key)
        assert rule in status(response)
    for key, text in typed.items():
        if key != "automatic_fallback":
            assert field(response, key).get("value", "") == text
    assert not ServiceParameter.objects.exists()


def test_values_that_fit_only_together_are_taken_together(page: Client, pub: Server) -> None:
    typed = {
        "heartbeat_interval": "100",
        "heartbeat_timeout": "200",
        "initialization_timeout": "200",
        "relogin_lower": "1000",
        "relogin_upper": "1000",
        "service_port": "20075",
        "admin_rpc_port": "22001",
    }
    page.post(address(pub), sent(page.get(address(pub))) | typed)
    present = clusterwide() | of_node(pub)
    assert {key: str(present[key]) for key in typed} == typed


def test_a_stale_form_overwrites_nothing_and_names_what_changed(page: Client, pub: Server) -> None:
    data = sent(page.get(address(pub)))
    put("heartbeat_timeout", "90")
    put("relogin_upper", "900", pub)
    mine = data | {"heartbeat_timeout": "45", "critical_service_delay": "60"}
    response = page.post(address(pub), mine)
    assert response.status_code == 409
    rule = "was changed meanwhile: it was 60, and is 90 now."
    assert rule in error_at(response, "heartbeat_timeout")
    assert "on imp-pub was changed meanwhile" in error_at(response, "relogin_upper")
    assert (value("heartbeat_timeout"), value("critical_service_delay")) == (90, 90)
    # What I typed stays; where I typed nothing, the present value stands.
    again = sent(response)
    assert again["heartbeat_timeout"] == "45"
    assert again["critical_service_delay"] == "60"
    assert again["relogin_upper"] == "900"
    # Having seen it, I may insist.
    assert page.post(address(pub), again).status_code == 302
    assert (value("heartbeat_timeout"), value("relogin_upper", pub)) == (45, 900)


def test_set_to_default_fills_the_form_and_save_applies_it(page: Client, pub: Server) -> None:
    put("heartbeat_timeout", "90")
    put("relogin_upper", "900", pub)
    data = sent(page.get(address(pub)))
    one = page.post(address(pub), data | {"service_port": "5000", "default": "relogin_upper"})
    assert "suggested value 537 is in the form" in status(one)
    filled = sent(one)
    # Of the rest, what was typed stays.
    assert (filled["relogin_upper"], filled["service_port"]) == ("537", "5000")
    assert filled["heartbeat_timeout"] == "90"
    assert value("relogin_upper", pub) == 900
    everything = sent(page.post(address(pub), filled | {"default": "all"}))
    assert page.post(address(pub), everything).status_code == 302
    assert not ServiceParameter.objects.exists()
    assert page.post(address(pub), data | {"default": "nothing"}).status_code == 404


def test_set_to_default_does_not_hide_what_somebody_else_changed(page: Client, pub: Server) -> None:
    put("heartbeat_timeout", "90")
    data = sent(page.get(address(pub)))
    put("heartbeat_timeout", "100")
    filled = sent(page.post(address(pub), data | {"default": "heartbeat_timeout"}))
    assert page.post(address(pub), filled).status_code == 409
    assert value("heartbeat_timeout") == 100


def test_help_of_one_and_of_all(page: Client, pub: Server) -> None:
    shown = soup(page.get(address(pub)))
    link = shown.select_one("#name-heartbeat_timeout")
    assert link is not None
    one = page.get(str(link["href"]))
    assert words(soup(one).select_one(".parameter-help dt")) == "Keep Alive (Heartbeat) Timeout"
    assert "Allowed: 15 to 3600 seconds. Suggested: 60. Clusterwide." in words(
        soup(one).select_one(".parameter-help dd")
    )
    every = page.get(str(shown.select("#help-all")[0]["href"]))
    assert len(soup(every).select(".parameter-help dt")) == len(PARAMETERS)
    in_dialog = page.get(str(link["href"]), headers={"HX-Request": "true"})
    assert soup(in_dialog).select("#dialog-title")
    assert not soup(in_dialog).select(".menu-bar")
    assert page.get(str(link["href"]) + "x").status_code == 404


def test_parameters_for_all_servers(page: Client, pair: RedundancyGroup, pub: Server) -> None:
    add_server(name="cucm", server_type="cucm", actor="")
    put("relogin_upper", "900", pub)
    put("service_port", "5000")
    response = page.get(reverse("parameters_all", args=["cupadmin"]))
    tables = soup(response).select("table.list")
    cells = [[words(cell) for cell in r.select("td")] for r in tables[1].select("tbody tr")]
    assert cells == [
        ["imp-pub", "DefaultCUPSubCluster", "120", "900 Changed"],
        ["imp-sub", "DefaultCUPSubCluster", "120", "537"],
    ]
    assert rows(response)[0] == ["Service Port", "5000 Changed", "22001"]


def test_modified_parameters_for_all_servers(page: Client, pub: Server, sub: Server) -> None:
    put("relogin_upper", "900", pub)
    put("relogin_upper", "800", sub)
    put("service_port", "5000")
    url = reverse("parameters_modified", args=["ccmadmin"])
    assert rows(page.get(url)) == [
        ["Client Re-Login Upper Limit", "imp-pub", "900 Changed", "537"],
        ["Client Re-Login Upper Limit", "imp-sub", "800 Changed", "537"],
        ["Service Port", "Clusterwide", "5000 Changed", "22001"],
    ]
    found = page.get(url, {"field": "server", "op": "exactly", "text": "imp-sub"})
    assert [r[1] for r in rows(found)] == ["imp-sub"]


@pytest.mark.parametrize("name", ["parameters_all", "parameters_modified"])
def test_the_lists_ask_the_same_number_of_queries_however_long(
    page: Client, db: None, django_assert_max_num_queries: Callable, name: str
) -> None:
    url = reverse(name, args=["ccmadmin"])

    def more(number: int, first: int) -> None:
        for index in range(first, first + number):
            server = add_server(name=f"node-{index}", server_type="imp", actor="")
            put("relogin_upper", "900", server)

    more(2, 0)
    with django_assert_max_num_queries(20) as few:
        page.get(url)
    more(30, 2)
    with django_assert_max_num_queries(len(few.captured_queries)):
        page.get(url)


def test_the_peer_that_has_another_value_is_named(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    put("relogin_upper", "900", sub)
    response = page.get(address(pub))
    assert "imp-sub has 900" in words(row(response, "relogin_upper"))
    assert "imp-sub has" not in words(row(response, "relogin_lower"))


def test_a_read_only_user_sees_all_and_changes_nothing(
    read_only: Client, page: Client, pub: Server
) -> None:
    put("heartbeat_timeout", "90")
    data = sent(page.get(address(pub)))
    shown = read_only.get(address(pub))
    assert names(shown) == [parameter.name for parameter in PARAMETERS]
    assert field(shown, "heartbeat_timeout")["value"] == "90"
    controls = soup(shown).select("#parameters-form :is(input, select):not([type=hidden])")
    assert controls
    assert all(control.has_attr("disabled") for control in controls)
    assert not soup(shown).select("#parameters-form button, .toolbar")
    for more in ({}, {"default": "all"}):
        answer = read_only.post(address(pub), data | {"heartbeat_timeout": "45"} | more)
        assert answer.status_code == 403
    for name in ("service_parameter_help", "parameters_all", "parameters_modified"):
        assert read_only.get(reverse(name, args=["ccmadmin"])).status_code == 200
    assert value("heartbeat_timeout") == 90


def test_a_node_deleted_while_its_form_was_open(page: Client, sub: Server) -> None:
    data = sent(page.get(address(sub)))
    url = address(sub)
    page.post(reverse("server_delete", args=[sub.pk]))
    assert page.post(url, data | {"relogin_upper": "900"}).status_code == 404
    assert not ServiceParameter.objects.exists()


@pytest.mark.parametrize(
    ("healthy_for", "when"),
    [
        (2400, "imp-pub takes its users back at once."),
        (1200, "imp-pub takes its users back in 10 min, if it stays healthy."),
    ],
)
def test_automatic_fallback_that_moves_users_asks_and_names_them(
    page: Client, ha: RedundancyGroup, healthy_for: int, when: str
) -> None:
    stand_at(1_800_000_000)
    home = ha.servers.get(slot=1)
    add_users(rows=[(f"u{n}", "", f"u{n}@example.com", home) for n in range(3)], actor="")
    fail_over(ha, healthy_for=healthy_for)
    data = sent(page.get(address())) | {"automatic_fallback": "True"}
    asked = page.post(address(), data)
    assert asked.status_code == 200
    question = soup(asked).select_one("form.confirm")
    assert question is not None
    effects = [words(each) for each in question.select(".effects li")]
    assert effects[0] == when
    assert "3 sessions move to imp-pub." in effects
    assert value("automatic_fallback") is False
    again = {str(each["name"]): str(each["value"]) for each in question.select("input[name]")}
    again.pop("csrfmiddlewaretoken", None)
    assert page.post(address(), again).status_code == 302
    assert value("automatic_fallback") is True
    # What is so already moves nobody, and is not asked about.
    data = sent(page.get(address())) | {"critical_service_delay": "120"}
    assert page.post(address(), data).status_code == 302


def test_automatic_fallback_that_is_refused_or_moves_nobody_is_not_asked_about(
    page: Client, ha: RedundancyGroup
) -> None:
    stand_at(1_800_000_000)
    fail_over(ha, healthy_for=2400)
    data = sent(page.get(address())) | {"automatic_fallback": "True"}
    assert page.post(address(), data | {"heartbeat_interval": "0"}).status_code == 422
    put("critical_service_delay", "100")
    assert page.post(address(), data).status_code == 409
    # The peer does not hear it any more: it will not fall back.
    stand_at(1_800_000_100)
    data = sent(page.get(address())) | {"automatic_fallback": "True"}
    assert page.post(address(), data).status_code == 302
    assert value("automatic_fallback") is True
