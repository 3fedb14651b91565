"""*User Management > Assign Presence Users*."""

from typing import Any

import pytest
from bs4 import Tag
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from redundancy.clock import lab_now
from redundancy.models import (
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.operations import power
from redundancy.operations.users import add_users
from redundancy.srm.states import State
from tests.pages.html import rows, soup, status, words

LIST, ASSIGN = reverse("user_list"), reverse("user_assign")


@pytest.fixture
def people(pair: RedundancyGroup, pub: Server, sub: Server) -> dict[str, PresenceUser]:
    """Three users on imp-pub, one on imp-sub."""
    homes = {"ann": pub, "Bob": pub, "bo_b": pub, "cid": sub}
    add_users(
        rows=[(n, f"{n} X", f"{n}@example.com", home) for n, home in homes.items()], actor="x"
    )
    return {user.userid: user for user in PresenceUser.objects.all()}


def homes() -> dict[str, str | None]:
    return dict(PresenceUser.objects.values_list("userid", "home__name"))


def found(page: Client, field: str, op: str, text: str = "", **more: str) -> list[str]:
    response = page.get(LIST, {"field": field, "op": op, "text": text, **more})
    assert response.status_code == 200
    return [row[1] for row in rows(response) if len(row) > 1]


def test_the_list_says_where_everybody_is(page: Client, people: dict[str, PresenceUser]) -> None:
    PresenceUser.objects.filter(userid="cid").update(home=None)
    people["cid"].session.delete()
    response = page.get(LIST)
    assert rows(response)[0] == [
        "", "ann", "ann X", "ann@example.com", "imp-pub", "imp-pub", "Active",
    ]  # fmt: skip
    assert rows(response)[3][4:] == ["–", "–", "Logged out"]
    assert words(soup(response).select_one(".totals")) == "Users 4 Assigned 3 Unassigned 1"
    assert "4 records found" in status(response)


@pytest.mark.parametrize(
    ("field", "op", "text", "expected"),
    [
        ("userid", "begins", "BO", ["bo_b", "Bob"]),
        ("userid", "begins", "bo_", ["bo_b"]),
        ("userid", "begins", "%", []),
        ("userid", "exactly", "bob", ["Bob"]),
        ("userid", "contains", "n", ["ann"]),
        ("userid", "ends", "B", ["bo_b", "Bob"]),
        ("userid", "empty", "", []),
        ("im_address", "begins", "ANN@", ["ann"]),
        ("im_address", "exactly", "CID@example.com", ["cid"]),
        ("name", "contains", "b x", ["bo_b", "Bob"]),
        ("home", "exactly", "imp-sub", ["cid"]),
        ("home", "notempty", "", ["ann", "bo_b", "Bob", "cid"]),
        ("active", "begins", "imp-p", ["ann", "bo_b", "Bob"]),
        ("session", "exactly", "logged out", []),
        ("session", "begins", "act", ["ann", "bo_b", "Bob", "cid"]),
    ],
)
def test_criteria(
    page: Client, people: dict[str, PresenceUser], field: str, op: str, text: str, expected: list
) -> None:
    assert found(page, field, op, text) == expected


@pytest.mark.parametrize("sort", ["userid", "name", "im_address", "home", "active", "session"])
def test_every_column_sorts(page: Client, people: dict[str, PresenceUser], sort: str) -> None:
    up = found(page, "userid", "begins", sort=sort)
    assert sorted(up) == sorted(people)
    assert found(page, "userid", "begins", sort=f"-{sort}")[0] == "cid" or sort == "session"


def test_the_number_of_queries_is_constant(page: Client, people: dict[str, PresenceUser]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            page.get(LIST)
        return len(made)

    before = queries()
    rows = [(f"u{n}", "", f"u{n}@example.com", None) for n in range(200)]
    add_users(rows=rows, actor="x")
    assert queries() == before


def plan(criteria: str) -> str:
    from redundancy.selectors.find import Criterion
    from redundancy.selectors.users import find_users

    field, op, text = criteria.split()
    return find_users([Criterion(field, op, text)])[:50].explain()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other planners choose by statistics")
@pytest.mark.parametrize(
    ("criteria", "index"),
    [
        ("userid begins a", "userid_unique (<expr>>? AND <expr><?)"),
        ("userid exactly a", "userid_unique (<expr>=?)"),
        ("im_address exactly a", "im_address_unique (<expr>=?)"),
        ("home notempty -", "userid_unique"),
    ],
)
def test_an_index_is_used_where_one_helps(db: None, criteria: str, index: str) -> None:
    assert index in plan(criteria)


def test_assign_the_selected(page: Client, people: dict[str, PresenceUser], sub: Server) -> None:
    chosen: dict[str, Any] = {"pk": [people["ann"].pk, people["cid"].pk], "list": "?sort=-userid"}
    where = page.get(ASSIGN, chosen)
    assert "2 users found." in words(soup(where).select_one("form.confirm"))
    options = [words(option) for option in soup(where).select("#assign-to option")]
    assert options == [
        "imp-pub (DefaultCUPSubCluster)", "imp-sub (DefaultCUPSubCluster)", "None (unassign)",
    ]  # fmt: skip
    asked = page.get(ASSIGN, {**chosen, "to": sub.pk})
    said = words(soup(asked).select_one("form.confirm"))
    assert "Assign 2 users to imp-sub?" in said
    assert "1 user is assigned to imp-sub already" in said
    assert "1 session moves to imp-sub: the users are disconnected" in said
    assert homes()["ann"] == "imp-pub"
    done = page.post(ASSIGN, {**chosen, "to": sub.pk})
    assert done["Location"] == f"{LIST}?sort=-userid"
    assert "Update successful: 1 user assigned to imp-sub" in status(page.get(done["Location"]))
    assert homes() == {"ann": "imp-sub", "Bob": "imp-pub", "bo_b": "imp-pub", "cid": "imp-sub"}


def inputs(form: Tag) -> dict[str, str]:
    return {str(tag["name"]): str(tag["value"]) for tag in form.select("input")}


def test_unassign_all_that_were_found(page: Client, people: dict[str, PresenceUser]) -> None:
    query = {"field": "userid", "op": "begins", "text": "bo"}
    link = soup(page.get(LIST, query)).select_one("a.tool[hx-get]")
    assert link is not None
    where = soup(page.get(str(link["href"])))
    form = where.select_one("form.confirm")
    assert form is not None
    asked = page.get(ASSIGN, {**inputs(form), "to": "none"})
    said = soup(asked).select_one("form.confirm")
    assert said is not None
    assert "Unassign 2 users?" in words(said)
    assert "2 users are logged out." in words(said)
    page.post(ASSIGN, inputs(said))
    assert homes() == {"ann": "imp-pub", "Bob": None, "bo_b": None, "cid": "imp-sub"}


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ({}, "Nothing is selected."),
        ({"pk": "424242"}, "The selected items have been deleted in the meantime."),
        ({"found": 1, "field": "userid", "op": "begins", "text": "nobody"}, "Nothing is selected"),
        ({"found": 1, "field": "password", "op": "begins", "text": ""}, "there is no field"),
        ({"found": 1, "to": "x"}, "choose a node of the list"),
        ({"found": 1, "to": "99999"}, "choose a node of the list"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_refusals(
    page: Client, people: dict[str, PresenceUser], query: dict, rule: str, method: str
) -> None:
    response = getattr(page, method)(ASSIGN, {"to": "none", **query})
    assert response.status_code == 409
    assert rule in status(response)
    assert None not in homes().values()


def test_nobody_is_asked_while_a_node_is_failed_over(
    page: Client, people: dict[str, PresenceUser], pub: Server
) -> None:
    NodeRuntime.objects.filter(server=pub).update(state=State.FAILING_OVER)
    queries: list[dict[str, Any]] = [{}, {"to": "none"}]
    for query in queries:
        for ask in (page.get, page.post):
            response = ask(ASSIGN, {"pk": people["ann"].pk, **query})
            assert response.status_code == 409
            assert "imp-pub (Failing Over)" in status(response)
            assert not soup(response).select("form.confirm button")


def test_a_reader_sees_the_list_and_assigns_nobody(
    read_only: Client, people: dict[str, PresenceUser]
) -> None:
    response = read_only.get(LIST)
    assert len(rows(response)) == 4
    assert not soup(response).select(".toolbar, input[type=checkbox]")
    query: dict[str, Any] = {"pk": people["ann"].pk, "to": "none"}
    for ask in (read_only.get, read_only.post):
        assert ask(ASSIGN, query).status_code == 403
    assert None not in homes().values()


def test_the_dialog_asks_twice(page: Client, people: dict[str, PresenceUser], sub: Server) -> None:
    headers = {"HX-Request": "true"}
    first = page.get(ASSIGN, {"pk": people["ann"].pk}, headers=headers)
    form = soup(first).select_one("form.confirm[hx-get]")
    assert form is not None
    assert not soup(first).select("html")
    second = page.get(ASSIGN, {"pk": people["ann"].pk, "to": sub.pk}, headers=headers)
    assert soup(second).select("form.confirm[hx-post]")
    done = page.post(ASSIGN, {"pk": people["ann"].pk, "to": sub.pk}, headers=headers)
    assert done["HX-Redirect"] == LIST


def test_the_state_of_a_session(
    page: Client, people: dict[str, PresenceUser], pub: Server, sub: Server
) -> None:
    def shown() -> list[str]:
        return [row[6] for row in rows(page.get(LIST))]

    people["cid"].session.delete()
    PresenceSession.objects.filter(user=people["ann"]).update(relogin_at=lab_now() + 99)
    assert shown() == ["Waiting to log in", "Active", "Active", "Logged out"]
    assert found(page, "session", "begins", "wait") == ["ann"]
    PresenceSession.objects.filter(user=people["Bob"]).update(node=sub)
    power.power_off(server=pub, actor="")
    assert shown() == ["Not served", "Not served", "Active", "Logged out"]
    assert found(page, "session", "exactly", "not served") == ["ann", "bo_b"]
    assert found(page, "session", "exactly", "active") == ["Bob"]
    power.power_off(server=sub, actor="")
    assert found(page, "session", "exactly", "not served") == ["ann", "bo_b", "Bob"]
