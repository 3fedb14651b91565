"""Chrome, error pages, first page."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from redundancy.clock import set_rate
from redundancy.models import EventKind, PresenceUser, RedundancyGroup, Server
from redundancy.operations.events import record
from redundancy.operations.sample import DEPLOYMENTS, Deployment
from redundancy.operations.users import add_users
from redundancy.srm.states import State
from redundancy.views.errors import server_error
from redundancy.views.menus import applications
from tests.pages.html import soup, status, words


def test_every_item_of_the_menus_leads_somewhere(page: Client, pair: RedundancyGroup) -> None:
    shown = {
        app.key: [(m.label, [i.label for i in m.items]) for m in app.menus]
        for app in applications()
    }
    assert shown == {
        "ccmadmin": [
            (
                "System",
                [
                    "Server",
                    "Presence Redundancy Groups",
                    "Enterprise Parameters",
                    "Service Parameters",
                ],
            ),
            ("User Management", ["Assign Presence Users", "Presence Sessions"]),
            (
                "Bulk Administration",
                [
                    "Import Users",
                    "Export Users",
                    "Jobs",
                    "Import Cluster",
                    "Cluster Snapshots",
                    "Compare Clusters",
                    "Watched Cluster",
                ],
            ),
            ("Help", ["How to Begin", "About"]),
        ],
        "cupadmin": [
            ("System", ["Presence Topology", "Service Parameters"]),
            ("Presence", ["Inter-Domain Federation"]),
            ("Messaging", ["Compliance", "Group Chat and Persistent Chat"]),
            ("Diagnostics", ["HA Event History", "Incidents", "Audit Trail", "Beat Monitor"]),
            ("Help", ["About"]),
        ],
        "ccmservice": [
            (
                "Tools",
                [
                    "Service Activation",
                    "Control Center - Feature Services",
                    "Control Center - Network Services",
                    "Planned Restart",
                    "Alarms",
                ],
            ),
            ("Trace", ["SRM Trace", "Log Collection"]),
            ("Help", ["About"]),
        ],
    }
    for app in applications():
        for menu in app.menus:
            for item in menu.items:
                assert page.get(item.url).status_code == 200, item.url


def test_navigation_goes_where_it_says(page: Client, admin: User) -> None:
    select = soup(page.get(reverse("home"))).select_one("#navigation")
    assert select is not None
    for option in select.select("option"):
        response = page.get(reverse("go"), {"to": option["value"]})
        assert response["Location"] == option["value"]
    assert "Django Administration" not in words(select)
    admin.is_staff = True
    admin.save()
    assert "Django Administration" in words(
        soup(page.get(reverse("home"))).select_one("#navigation")
    )


@pytest.mark.parametrize(
    "to", ["", "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_navigation_leaves_the_site_never(page: Client, to: str) -> None:
    response = page.get(reverse("go"), {"to": to})
    assert response.status_code == 400
    assert "to: must be" in status(response)


def test_a_fast_lab_clock_is_told_on_every_page(page: Client, pub: Server) -> None:
    # There, but hidden: the script shows it when the rate changes under an open page.
    assert soup(page.get(reverse("home"))).select("#lab-clock[hidden]")
    set_rate(60)
    assert "60 times as fast" in words(soup(Client().get(reverse("login"))))
    for name in ("home", "server_list", "server_add", "group_list", "group_add", "about"):
        shown = soup(page.get(reverse(name)))
        banner = shown.select_one("#lab-clock:not([hidden])")
        assert words(banner) == "Lab clock: SRM time runs 60 times as fast"
        assert shown.body is not None
        assert shown.body["data-lab-rate"] == "60"


@pytest.mark.parametrize("name", ["index", "redundancy_server_changelist"])
def test_the_django_administration_tells_the_lab_clock_too(admin_client: Client, name: str) -> None:
    set_rate(60)
    shown = soup(admin_client.get(reverse(f"admin:{name}"), follow=True))
    assert words(shown.select_one("#lab-clock:not([hidden])")).endswith("60 times as fast")


def test_every_input_has_a_label_and_nothing_is_inline(
    page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    add_users(rows=[("ann", "", "ann@example.com", pub)], actor="")
    user = PresenceUser.objects.get()
    urls = [
        reverse("home"),
        reverse("server_list"),
        reverse("server_add") + "?type=imp",
        reverse("server_edit", args=[pub.pk]),
        reverse("group_list"),
        reverse("group_add"),
        reverse("group_edit", args=[pair.pk]),
        reverse("group_delete", args=[pair.pk]),
        reverse("user_list"),
        reverse("user_assign") + f"?pk={user.pk}",
        reverse("user_assign") + f"?pk={user.pk}&to={pub.pk}",
    ]
    for url in urls:
        shown = soup(page.get(url))
        labelled = {label.get("for") for label in shown.select("label")}
        for tag in shown.select("input:not([type=hidden]), select"):
            assert tag.get("id") in labelled or tag.get("aria-label"), (url, tag)
        assert not shown.select("[style], style, script:not([src]), [onclick], [onsubmit]")
        ids = [tag["id"] for tag in shown.select("[id]")]
        assert len(ids) == len(set(ids)), url
        legends = [legend.text for legend in shown.select("legend")]
        assert legends[0] == "Status", url


def test_toolbar_is_repeated_at_the_foot(page: Client, pub: Server) -> None:
    bars = soup(page.get(reverse("server_edit", args=[pub.pk]))).select(".toolbar")
    assert [words(bar) for bar in bars] == ["Save Delete Copy Add New"] * 2


UNKNOWN = [
    "/no/such/page",
    "/ccmadmin/servers/424242/",
    f"/ccmadmin/servers/{'9' * 30}/",
    "/ccmadmin/servers/424242/delete/",
    "/ccmadmin/servers/add/?type=imp&copy=424242",
    "/ccmadmin/presence-redundancy-groups/424242/",
    "/ccmadmin/presence-redundancy-groups/424242/?fragment=1&v=x",
    "/ccmadmin/presence-redundancy-groups/424242/delete/",
    "/ccmadmin/presence-redundancy-groups/424242/1/failover/",
]


@pytest.mark.parametrize("url", UNKNOWN)
def test_what_does_not_exist_is_404_in_the_chrome(page: Client, url: str) -> None:
    response = page.get(url)
    assert response.status_code == 404
    assert "no such page" in status(response)
    assert soup(response).select(".menu-bar")


@pytest.mark.parametrize("name", ["load_sample", "logout"])
def test_get_on_an_action_is_405_in_the_chrome(page: Client, name: str) -> None:
    response = page.get(reverse(name))
    assert response.status_code == 405
    assert "POST" in response["Allow"]
    assert "takes no GET request" in status(response)
    assert not Server.objects.exists()


def test_a_method_nobody_takes(page: Client, pub: Server) -> None:
    response = page.delete(reverse("server_edit", args=[pub.pk]))
    assert response.status_code == 405
    assert Server.objects.filter(pk=pub.pk).exists()


@override_settings(ALLOWED_HOSTS=["testserver"])
def test_a_host_that_is_not_ours_is_400(page: Client) -> None:
    response = page.get(reverse("home"), headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "does not understand" in status(response)


def test_the_page_of_a_fault_needs_no_database() -> None:
    # Without the fixture of the database, a query would raise.
    response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "The server failed" in status(response)


def test_a_fault_is_shown_in_the_chrome(page: Client, django_assert_num_queries: Callable) -> None:
    page.raise_request_exception = False

    def broken(*_: object) -> None:
        raise DatabaseError("gone")

    from django.db import connection

    with connection.execute_wrapper(broken):
        response = page.get(reverse("home"))
    assert response.status_code == 500
    assert "The server failed" in status(response)
    assert "gone" not in response.content.decode()


def test_load_sample_while_empty(page: Client) -> None:
    first = soup(page.get(reverse("home")))
    assert "Load sample cluster" in words(first)
    assert not first.select(".steps .done")
    response = page.post(reverse("load_sample"), follow=True)
    assert "Add successful" in status(response)
    assert Server.objects.count() == 2
    after = soup(page.get(reverse("home")))
    assert "Load sample cluster" not in words(after)
    assert len(after.select(".steps .done")) == 3
    again = page.post(reverse("load_sample"), follow=True)
    assert "while there is no server" in status(again)
    assert Server.objects.count() == 2


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each.key)
def test_load_each_deployment(page: Client, deployment: Deployment) -> None:
    offered = soup(page.get(reverse("home"))).select("[name=deployment]")
    assert [box["value"] for box in offered] == [each.key for each in DEPLOYMENTS]
    response = page.post(reverse("load_sample"), {"deployment": deployment.key}, follow=True)
    assert "Add successful" in status(response)
    # The page of the group says what SRM monitors there.
    told = words(soup(response).select_one("#live"))
    for function in deployment.functions:
        if function.service:
            both = "configured and activated on imp-pub and imp-sub."
            assert f"{function.service}: Monitored: {both}" in told


def test_a_deployment_that_there_is_not_loads_nothing(page: Client, read_only: Client) -> None:
    response = page.post(reverse("load_sample"), {"deployment": "nonsense"})
    assert response.status_code == 400
    assert "deployment: must be one of im-presence, im-only" in status(response)
    assert read_only.post(reverse("load_sample"), {"deployment": "rcc"}).status_code == 403
    assert not Server.objects.exists()


def test_a_step_once_done_stays_ticked(page: Client, sub: Server, group: RedundancyGroup) -> None:
    for server in (*group.servers.all(), sub):
        for state in (State.NORMAL, State.IDLE):
            record(kind=EventKind.STATE, sentence="", group=group, node=server, new_state=state)
    ticked = soup(page.get(reverse("home"))).select(".steps .done")
    assert "See both nodes Normal" in " ".join(words(step) for step in ticked)


def test_an_icon_also_for_pages_that_name_none(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert response["Location"].endswith(".svg")
