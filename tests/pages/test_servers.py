from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import RedundancyGroup, Server
from redundancy.operations.servers import add_server
from tests.pages.html import error_at, field, rows, soup, status, words

LIST = reverse("server_list")
ADD = reverse("server_add")


def edit(server: Server) -> str:
    return reverse("server_edit", args=[server.pk])


def test_the_type_comes_first(page: Client) -> None:
    first = page.get(ADD)
    assert field(first, "type").name == "select"
    assert not soup(first).select("[name=name]")
    assert "Next" in soup(first).get_text()


@pytest.mark.parametrize(
    ("server_type", "has", "lacks"),
    [("imp", "domain", "mac_address"), ("cucm", "mac_address", "domain")],
)
def test_fields_depend_on_the_type(page: Client, server_type: str, has: str, lacks: str) -> None:
    form = page.get(ADD, {"type": server_type})
    assert field(form, has)
    assert not soup(form).select(f"[name={lacks}]")


def test_an_unknown_type_is_refused(page: Client) -> None:
    response = page.get(ADD, {"type": "toaster"})
    assert response.status_code == 422
    assert "Server Type" in status(response)


def test_the_first_node_brings_its_group(page: Client) -> None:
    response = page.post(ADD, {"type": "imp", "name": "imp-pub.example.com"}, follow=True)
    assert status(response) == "Add successful"
    text = soup(response).get_text()
    assert "Publisher" in text
    assert "DefaultCUPSubCluster" in text


BAD_SERVERS = [
    ("name", "", "Host Name/IP Address is required"),
    ("name", "x" * 10_000, "2 to 63 characters"),
    ("name", "<script>alert(1)</script>", "Host Name/IP Address must be"),
    ("name", "nul\0byte", "must not contain null characters"),
    ("name", "IMP-PUB", "exists already"),
    ("ipv6_address", "::zz", "IPv6 Address must be"),
    ("description", 'say "hi"', "Description must not contain"),
    ("domain", "no domain", "IM and Presence Domain must be"),
]


@pytest.mark.parametrize(("name", "value", "rule"), BAD_SERVERS)
def test_a_refused_server_keeps_what_was_typed(
    page: Client, pub: Server, name: str, value: str, rule: str
) -> None:
    typed = {"type": "imp", "name": "imp-sub", "description": "second", name: value}
    response = page.post(ADD, typed)
    assert response.status_code == 422
    assert rule in status(response)
    assert rule in error_at(response, name)
    assert field(response, name)["aria-invalid"] == "true"
    for key in ("name", "description"):
        assert field(response, key).get("value", "") == typed[key]
    assert b"<script>alert" not in response.content
    assert Server.objects.count() == 1


def test_save_changes_a_server_and_says_so(page: Client, pub: Server) -> None:
    response = page.post(edit(pub), {"name": "imp-one", "description": "new"}, follow=True)
    assert status(response) == "Update successful"
    pub.refresh_from_db()
    assert (pub.name, pub.description) == ("imp-one", "new")


NEW = {"name": "imp-new", "description": "new"}


def test_renaming_while_ha_is_on_asks_first(page: Client, ha: RedundancyGroup, pub: Server) -> None:
    asked = page.post(edit(pub), NEW)
    question = soup(asked).select_one("form.confirm")
    assert question is not None
    assert "wants it disabled before a node is renamed" in words(question)
    assert "and imp-sub would take its users over" in words(question)
    fields = {str(tag["name"]): str(tag["value"]) for tag in question.select("input[value]")}
    assert NEW.items() <= fields.items()
    assert Server.objects.get(pk=pub.pk).name == "imp-pub"
    # As long as it is not about the name, nobody is asked.
    assert page.post(edit(pub), {"name": "imp-pub", "description": "new"}).status_code == 302
    # What is refused anyway is refused at once.
    assert page.post(edit(pub), {"name": "imp-sub"}).status_code == 422
    assert page.post(edit(pub), NEW | {"choice": "continue"}).status_code == 302
    assert Server.objects.get(pk=pub.pk).name == "imp-new"


def test_ha_can_be_disabled_before_a_node_is_renamed(
    page: Client, ha: RedundancyGroup, pub: Server
) -> None:
    shown = page.post(edit(pub), NEW | {"choice": "disable-ha"})
    assert "High Availability of DefaultCUPSubCluster is off" in status(shown)
    assert field(shown, "name")["value"] == "imp-new"
    ha.refresh_from_db()
    assert (ha.ha_enabled, Server.objects.get(pk=pub.pk).name) == (False, "imp-pub")
    assert page.post(edit(pub), NEW).status_code == 302


def test_the_version_is_shown_and_changed(page: Client, pub: Server) -> None:
    assert field(page.get(ADD, {"type": "imp"}), "version")["value"] == "14.0.1"
    refused = page.post(edit(pub), {"name": pub.name, "version": "new"})
    assert refused.status_code == 422
    assert "numbers with dots" in error_at(refused, "version")
    page.post(edit(pub), {"name": pub.name, "version": "12.5.1"})
    assert field(page.get(edit(pub)), "version")["value"] == "12.5.1"


def test_copy_takes_what_may_be_the_same(page: Client) -> None:
    server = add_server(
        name="imp-pub",
        server_type="imp",
        domain="example.com",
        ipv6_address="2001:db8::1",
        actor="",
    )
    form = page.get(ADD, {"type": "imp", "copy": str(server.pk)})
    assert field(form, "domain")["value"] == "example.com"
    assert not field(form, "name").get("value")
    assert not field(form, "ipv6_address").get("value")


def test_a_cucm_server_has_no_presence_information(page: Client) -> None:
    server = add_server(name="cucm", server_type="cucm", actor="")
    assert "Database Replication" not in soup(page.get(edit(server))).get_text()


def test_delete_asks_then_deletes(page: Client, pub: Server, sub: Server) -> None:
    url = reverse("server_delete", args=[sub.pk])
    asked = page.get(url)
    assert "Delete imp-sub? This cannot be undone." in soup(asked).get_text()
    assert Server.objects.count() == 2
    response = page.post(url, follow=True)
    assert status(response).startswith("Delete successful")
    assert list(Server.objects.all()) == [pub]


def test_a_refused_delete_says_why(page: Client, pub: Server, group: RedundancyGroup) -> None:
    response = page.post(reverse("server_delete", args=[pub.pk]))
    assert response.status_code == 409
    assert "must leave the presence redundancy group" in soup(response).get_text()
    assert Server.objects.filter(pk=pub.pk).exists()


def test_delete_selected_deletes_all_or_none(page: Client, pub: Server, sub: Server) -> None:
    url = reverse("server_delete_selected")
    response = page.post(url, {"pk": [pub.pk, sub.pk]})
    assert response.status_code == 409
    assert Server.objects.count() == 2
    page.post(url, {"pk": [sub.pk]})
    assert list(Server.objects.all()) == [pub]


@pytest.mark.parametrize(
    ("pks", "rule"),
    [
        ([], "Nothing is selected."),
        (["x"], "Nothing is selected."),
        (["9" * 30], "Nothing is selected."),
        ([424242], "The selected items have been deleted in the meantime."),
    ],
)
def test_delete_selected_of_nothing(
    page: Client, pub: Server, pks: list[str | int], rule: str
) -> None:
    response = page.get(reverse("server_delete_selected"), {"pk": pks})
    assert response.status_code == 409
    assert rule in soup(response).get_text()


def test_the_question_fits_into_the_dialog(page: Client, pub: Server, sub: Server) -> None:
    url = reverse("server_delete", args=[sub.pk])
    asked = page.get(url, headers={"HX-Request": "true"})
    assert b"<html" not in asked.content
    assert soup(asked).select_one("#dialog-title")
    done = page.post(url, headers={"HX-Request": "true"})
    assert done["HX-Redirect"] == LIST


def many(number: int) -> None:
    for index in range(number):
        add_server(name=f"node-{index:03}", server_type="imp", description=f"n{index}", actor="")


def test_find_by_rows_of_criteria(page: Client) -> None:
    many(12)
    both = {"field": ["name", "description"], "op": ["begins", "ends"], "text": ["node-01", "1"]}
    assert [row[1] for row in rows(page.get(LIST, both))] == ["node-011"]
    assert "1 record found" in status(page.get(LIST, both))
    assert (
        "No servers found"
        in rows(page.get(LIST, {"field": "name", "op": "exactly", "text": "%"}))[0][0]
    )


def test_rows_of_criteria_are_added_and_removed_without_script(page: Client, pub: Server) -> None:
    asked = {"field": "name", "op": "contains", "text": "imp", "row": "+"}
    more = page.get(LIST, asked)
    assert [tag.get("value") for tag in soup(more).select("[name=text]")] == ["imp", ""]
    fewer = page.get(
        LIST, {"field": ["name", "name"], "op": ["contains"] * 2, "text": ["imp", "x"], "row": "-"}
    )
    assert [tag.get("value") for tag in soup(fewer).select("[name=text]")] == ["imp"]
    assert len(rows(fewer)) == 1


BAD_QUERIES = [
    ({"field": "password", "op": "begins", "text": "a"}, "no field"),
    ({"field": "name", "op": "regex", "text": "a"}, "no operator"),
    ({"field": "name", "op": "begins", "text": "\0"}, "null character"),
    ({"sort": "pk"}, "no column"),
    ({"field": ["name"] * 99, "op": ["begins"] * 99, "text": ["a"] * 99}, "at most 10"),
]


@pytest.mark.parametrize(("query", "rule"), BAD_QUERIES)
def test_a_bad_query_names_its_rule(
    page: Client, pub: Server, query: dict[str, str | list[str]], rule: str
) -> None:
    response = page.get(LIST, query)
    assert response.status_code == 400
    assert rule in status(response)


def test_sort_and_paging_stand_in_the_address(page: Client) -> None:
    many(12)
    first = page.get(LIST, {"rows": "10", "sort": "-name"})
    assert [row[1] for row in rows(first)][:2] == ["node-011", "node-010"]
    assert "(1 - 10 of 12)" in soup(first).get_text()
    following = soup(first).find("a", string="Next")
    assert following is not None
    second = page.get(LIST + str(following["href"]))
    assert [row[1] for row in rows(second)] == ["node-001", "node-000"]
    header = soup(first).select_one("th[aria-sort]")
    assert header is not None
    assert header["aria-sort"] == "descending"


@pytest.mark.parametrize("query", [{"page": "x"}, {"page": "99"}, {"rows": "7"}, {"rows": "-1"}])
def test_paging_forgives(page: Client, pub: Server, query: dict[str, str]) -> None:
    assert len(rows(page.get(LIST, query))) == 1


def test_select_all_without_script(page: Client, pub: Server, sub: Server) -> None:
    assert len(soup(page.get(LIST, {"select": "all"})).select("[name=pk][checked]")) == 2
    assert not soup(page.get(LIST)).select("[name=pk][checked]")


def test_a_list_asks_the_same_number_of_queries_however_long(
    page: Client, django_assert_max_num_queries: Callable
) -> None:
    many(3)
    with django_assert_max_num_queries(9) as few:
        page.get(LIST, {"rows": 100})
    many_more = 100
    for index in range(3, many_more):
        Server.objects.create(name=f"node-{index:03}", server_type="imp")
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert len(rows(page.get(LIST, {"rows": 100}))) == many_more
