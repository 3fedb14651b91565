"""Every table of the Django administration, for both roles."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cucm_admin.admin_site import SECTIONS
from redundancy.models import (
    AlarmChannel,
    ConfiguredFunction,
    EnterpriseParameter,
    HaEvent,
    NodeService,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.operations.signins import Outcome, record_sign_in
from redundancy.operations.users import add_users
from tests.pages.html import soup, words

MODELS = list(apps.get_app_config("redundancy").get_models())
WRITTEN = {
    AlarmChannel,
    EnterpriseParameter,
    Server,
    RedundancyGroup,
    ServiceParameter,
    PresenceUser,
}
# What a writer may do to the rows of tables that are written in parts.
PARTS: dict[type[Model], set[str]] = {
    NodeService: {"change"},
    ConfiguredFunction: {"add", "delete"},
}


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:redundancy_{model._meta.model_name}_{page}", args=args)


def look(client: Client, url: str, allowed: bool = True) -> None:
    answer = client.get(url)
    assert answer.status_code == (200 if allowed else 403), url
    # The site allows scripts and styles from files only.
    body = answer.content.decode()
    assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", body), url
    assert not re.search(r"\son\w+=\"", body), url


@pytest.mark.parametrize("role", ["reader", "writer"])
def test_the_index_can_be_looked_at(role: str, rows: None, request: pytest.FixtureRequest) -> None:
    look(request.getfixturevalue(role), reverse("admin:index"))


@pytest.mark.parametrize("role", ["reader", "writer"])
@pytest.mark.parametrize("model", MODELS)
def test_every_table_can_be_looked_at(
    model: type[Model], role: str, rows: None, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(role)
    record_sign_in(username="ann", outcome=Outcome.OK, address=None)
    row = model._default_manager.first()
    assert row is not None
    may: set[str] = set()
    if role == "writer":
        may = {"add", "change", "delete"} if model in WRITTEN else PARTS.get(model, set())
    for url, allowed in (
        (address(model, "changelist"), True),
        (address(model, "changelist") + "?q=imp", True),
        (address(model, "change", row.pk), True),
        (address(model, "history", row.pk), True),
        (address(model, "add"), "add" in may),
        (address(model, "delete", row.pk), "delete" in may),
    ):
        look(client, url, allowed)
    saved = client.post(address(model, "change", row.pk), {})
    # A form that is sent without anything is refused, where it asks for anything.
    assert saved.status_code in ({200, 302} if "change" in may else {403})


def test_the_index_has_sections_and_internals_stand_last(writer: Client, rows: None) -> None:
    shown = soup(writer.get(reverse("admin:index"))).select("#content-main .module")
    titles = [words(section.caption) for section in shown]
    assert titles == [
        "Configuration",
        "Presence Users",
        "Administrators",
        "History",
        "Internals",
    ]
    listed = [str(row["class"]) for section in shown for row in section.select("tr[class]")]
    # Each table once.
    assert len(listed) == len(set(listed)) >= len(MODELS)
    assert words(shown[0].select("tr[class] th")[0]) == "Servers"
    for section in shown:
        (link,) = section.select("caption a")
        assert section.select(str(link["href"]))


def test_every_named_table_is_there() -> None:
    known = {model.__name__ for model in admin.site._registry}
    assert {name for _, names in SECTIONS.values() for name in names} <= known


@pytest.mark.parametrize("model", MODELS)
def test_every_table_has_search_filters_and_columns(model: type[Model]) -> None:
    page = admin.site.get_model_admin(model)
    assert page.search_fields
    assert page.list_filter
    assert len(page.list_display) > 1


@pytest.mark.parametrize("model", MODELS)
def test_every_filter_works(model: type[Model], reader: Client, rows: None) -> None:
    body = reader.get(address(model, "changelist")).content.decode()
    for query in sorted(set(re.findall(r'href="(\?[^"]+=[^"]+)"', body))):
        answer = reader.get(address(model, "changelist") + query.replace("&amp;", "&"))
        assert answer.status_code == 200, query


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_a_constant_number_of_queries(
    model: type[Model], reader: Client, rows: None, django_assert_max_num_queries: Any
) -> None:
    reader.get(address(model, "changelist"))
    with django_assert_max_num_queries(12):
        reader.get(address(model, "changelist"))


def test_nobody_else_gets_in(client: Client, rows: None) -> None:
    assert client.get(address(Server, "changelist")).status_code == 302


def test_a_reader_sees_values_and_no_way_to_change_them(reader: Client, rows: None) -> None:
    group = RedundancyGroup.objects.get()
    body = reader.get(address(RedundancyGroup, "change", group.pk)).content.decode()
    assert "imp-pub, imp-sub" in body
    assert 'name="_save"' not in body
    assert "delete_selected" not in reader.get(address(Server, "changelist")).content.decode()


def test_moments_are_shown_to_the_second(reader: Client, rows: None) -> None:
    body = reader.get(address(HaEvent, "changelist")).content.decode()
    assert re.search(r">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d<", body)


def test_the_list_of_users_asks_as_often_for_many(writer: Client, rows: None) -> None:
    url = address(PresenceUser, "changelist")
    with CaptureQueriesContext(connection) as few:
        writer.get(url)
    node = Server.objects.get(name="imp-sub")
    add_users(rows=[(f"n{n}", "", f"n{n}@x", node) for n in range(300)], actor="x")
    with CaptureQueriesContext(connection) as many:
        answer = writer.get(url)
    assert "n299" not in answer.content.decode()
    assert len(many) == len(few)
    # No join and no sort of the whole table: the index of the list gives the order.
    (read,) = [q["sql"] for q in many if '"display_name"' in q["sql"]]
    assert "JOIN" not in read
    assert 'ORDER BY LOWER("redundancy_presenceuser"."userid")' in read
    found = writer.get(url, {"q": "n29"}).content.decode()
    assert "n299" in found
    assert "n18" not in found
