from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import NodeService, RedundancyGroup, Server
from redundancy.operations.groups import add_group
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.srm.states import Reason, State
from tests.memory import remember, remember_pair
from tests.pages.html import error_at, field, rows, soup, status, words

LIST = reverse("group_list")
ADD = reverse("group_add")
ENGINE = "Cisco Presence Engine"


def edit(group: RedundancyGroup) -> str:
    return reverse("group_edit", args=[group.pk])


def typed(group: RedundancyGroup, **changes: object) -> dict[str, object]:
    """The form of the group as it stands, with changes; an empty check box is not sent."""
    slots = {server.slot: server.pk for server in group.servers.all()}
    data = {
        "name": group.name,
        "description": group.description,
        "first": slots.get(1, ""),
        "second": slots.get(2, ""),
        **({"ha_enabled": "on"} if group.ha_enabled else {}),
        **changes,
    }
    return {name: value for name, value in data.items() if value is not None}


def test_add_a_group(page: Client, pub: Server, sub: Server) -> None:
    form = page.get(ADD)
    options = [option.text for option in field(form, "second").select("option")]
    assert options == ["Not-Selected", "imp-sub"]
    assert not soup(form).select("[name=ha_enabled], #live")
    response = page.post(ADD, {"name": "Second", "first": sub.pk}, follow=True)
    assert status(response) == "Add successful"
    assert [row[0] for row in rows(response)] == ["imp-sub"]


def test_assign_the_second_server(
    page: Client, group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    response = page.post(edit(group), typed(group, second=sub.pk), follow=True)
    assert status(response) == "Update successful"
    names = [words(row.td) for row in soup(response).select("table.nodes tbody tr")]
    assert names == ["imp-pub Publisher", "imp-sub"]


BAD_GROUPS = [
    ("name", "", "Name is required"),
    ("name", "x" * 10_000, "Name must be 1 to 128"),
    ("name", "<script>alert(1)</script>", "Name must be 1 to 128"),
    ("name", "two words", "Name must be 1 to 128"),
    ("description", "100 %", "Description must not contain"),
    ("first", "", "the first server must be chosen"),
    ("first", "424242", "choose a server of the list"),
    ("second", "x", "choose a server of the list"),
]


@pytest.mark.parametrize(("name", "value", "rule"), BAD_GROUPS)
def test_a_refused_group_keeps_what_was_typed(
    page: Client, pair: RedundancyGroup, name: str, value: str, rule: str
) -> None:
    data = typed(pair, **{"description": "keep me", name: value})
    response = page.post(edit(pair), data)
    assert response.status_code == 422
    assert rule in status(response)
    assert rule in error_at(response, name)
    assert field(response, "name").get("value", "") == data["name"]
    assert field(response, "description")["value"] == data["description"]
    assert b"<script>alert" not in response.content
    pair.refresh_from_db()
    assert (pair.name, pair.description) == ("DefaultCUPSubCluster", "")


def test_every_bad_field_is_named_at_once(page: Client, pair: RedundancyGroup) -> None:
    response = page.post(edit(pair), typed(pair, name="two words", description="<b>"))
    assert "Name must be" in error_at(response, "name")
    assert "Description must not" in error_at(response, "description")
    assert len(soup(response).select("#status .tone-bad")) == 2


def test_two_servers_the_same(page: Client, pair: RedundancyGroup, pub: Server) -> None:
    response = page.post(edit(pair), typed(pair, second=pub.pk))
    assert response.status_code == 422
    assert "must differ" in error_at(response, "second")
    assert pair.servers.count() == 2


def test_a_name_that_exists(page: Client, pair: RedundancyGroup) -> None:
    node = add_server(name="imp-3", server_type="imp", actor="")
    response = page.post(ADD, {"name": pair.name.upper(), "first": node.pk})
    assert "exists already" in error_at(response, "name")
    assert RedundancyGroup.objects.count() == 1


def test_high_availability_needs_two_saved_servers(
    page: Client, group: RedundancyGroup, sub: Server
) -> None:
    form = page.get(edit(group))
    box = field(form, "ha_enabled")
    assert box.has_attr("disabled")
    reason = soup(form).select_one(f"#{box['aria-describedby']}")
    assert reason is not None
    assert "Two different Presence Servers" in reason.text
    # A browser that sends the disabled box all the same changes nothing.
    page.post(edit(group), typed(group, ha_enabled="on", second=sub.pk))
    group.refresh_from_db()
    assert not group.ha_enabled


def test_enable_and_disable(page: Client, pair: RedundancyGroup) -> None:
    # No sweep runs here, as the preflight says: it is enabled all the same.
    response = page.post(edit(pair), typed(pair, ha_enabled="on", confirmed="1"), follow=True)
    assert status(response) == "Update successful High Availability enabled; SRM is starting."
    assert words(soup(response).select_one("#status [data-waiting]")).startswith("High")
    pair.refresh_from_db()
    assert pair.ha_enabled
    assert field(response, "ha_enabled").has_attr("checked")
    page.post(edit(pair), typed(pair, ha_enabled=None))
    pair.refresh_from_db()
    assert not pair.ha_enabled


def test_disabling_while_failed_over_names_its_effect_first(
    page: Client, ha: RedundancyGroup
) -> None:
    first, second = ha.servers.order_by("slot")
    by_hand = Reason.ON_ADMIN_REQUEST
    remember_pair(first, (State.IDLE, by_hand), second, (State.BACKUP, by_hand))
    data = typed(ha, ha_enabled=None, description="also this")
    asked = page.post(edit(ha), data)
    assert "Disable High Availability of DefaultCUPSubCluster now?" in soup(asked).get_text()
    assert soup(asked).select(".effects li")
    ha.refresh_from_db()
    assert ha.ha_enabled
    sent = {tag["name"]: tag["value"] for tag in soup(asked).select(".confirm [name]")}
    page.post(edit(ha), sent)
    ha.refresh_from_db()
    assert (ha.ha_enabled, ha.description) == (False, "also this")


@pytest.mark.parametrize("whose", ["the manual failover's", "the administrator's"])
def test_disabling_names_the_services_that_come_back_and_the_users_that_do_not(
    page: Client, ha: RedundancyGroup, whose: str
) -> None:
    first, second = ha.servers.order_by("slot")
    add_users(rows=[("ann", "", "ann@example.com", first)], actor="")
    idle = (State.IDLE, Reason.ON_ADMIN_REQUEST)
    serving = (State.BACKUP, Reason.ON_ADMIN_REQUEST)
    srm_did = whose == "the manual failover's"
    remember(first, idle, second, serving, stopped=(ENGINE,) if srm_did else ())
    remember(second, serving, first, idle)
    NodeService.objects.filter(server=first, name=ENGINE).update(running=False)
    told = soup(page.post(edit(ha), typed(ha, ha_enabled=None))).get_text()
    again = f"What SRM stopped on {first.name} is started again: {ENGINE}."
    assert (again in told) == srm_did
    assert (f"{first.name} will serve nobody" in told) != srm_did


def test_servers_stay_while_high_availability_is_on(
    page: Client, ha: RedundancyGroup, sub: Server
) -> None:
    response = page.post(edit(ha), typed(ha, second=""))
    assert response.status_code == 422
    assert "while High Availability is on" in error_at(response, "second")


def test_delete_names_what_it_unassigns(page: Client, pub: Server, sub: Server) -> None:
    group = add_group(name="Second", first=sub, actor="")
    url = reverse("group_delete", args=[group.pk])
    assert "Unassigned by it: imp-sub." in soup(page.get(url)).get_text()
    assert status(page.post(url, follow=True)).startswith("Delete successful")
    sub.refresh_from_db()
    assert sub.group is None


def test_a_group_with_high_availability_is_not_deleted(page: Client, ha: RedundancyGroup) -> None:
    add_users(rows=[("ann", "", "ann@example.com", ha.servers.all()[0])], actor="")
    url = reverse("group_delete_selected")
    # Known obstacles, all of them, instead of the question; and again for who posts all the same.
    for response in (page.get(url, {"pk": ha.pk}), page.post(url, {"pk": ha.pk})):
        assert response.status_code == 409
        assert "disable it before" in status(response)
        assert "users are assigned to imp-pub" in status(response)
        assert not soup(response).select(".confirm [type=submit]")
        assert "cannot be undone" not in soup(response).get_text()
    assert RedundancyGroup.objects.filter(pk=ha.pk).exists()
    assert ha.servers.count() == 2


def test_the_list_shows_servers_and_states(page: Client, pair: RedundancyGroup) -> None:
    assert rows(page.get(LIST))[0][1:] == [
        "DefaultCUPSubCluster",
        "",
        "imp-pub imp-sub",
        "Disabled",
        "Unknown Unknown",
    ]


def test_a_list_asks_the_same_number_of_queries_however_long(
    page: Client, pair: RedundancyGroup, django_assert_max_num_queries: Callable
) -> None:
    def more(number: int) -> None:
        for index in range(number):
            node = add_server(name=f"node-{index}", server_type="imp", actor="")
            add_group(name=f"Group-{index}", first=node, actor="")

    with django_assert_max_num_queries(20) as few:
        page.get(LIST, {"rows": 250})
    more(100)
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert len(rows(page.get(LIST, {"rows": 250}))) == 101
