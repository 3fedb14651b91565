"""Find and List by its address alone: rows of criteria, sorting, paging."""

from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import RequestFactory

from redundancy.errors import Refused
from redundancy.models import Server
from redundancy.operations.servers import add_server
from redundancy.selectors.find import Criterion
from redundancy.selectors.servers import find_servers
from redundancy.views.find_list import (
    DEFAULT_ROWS,
    MOST_CRITERIA,
    ROWS,
    Column,
    Listing,
    Selection,
    find_list,
    read_criteria,
    return_to,
)

pytestmark = pytest.mark.django_db
ROW = [("field", "name"), ("op", "begins"), ("text", "imp")]
COLUMNS = (Column("Kind"), Column("Name", "name"), Column("Text", "description"))


def listing(*query: tuple[str, object], sort: str = "", selection: bool = False) -> Listing[Server]:
    request = RequestFactory().get(f"/?{urlencode(query)}")
    return find_list(
        request,
        what="servers",
        find=find_servers,
        fields={"name": "Name", "description": "Description"},
        columns=COLUMNS,
        row_template="servers/row.html",
        selection=Selection("/delete/") if selection else None,
        sort=sort,
    )


@pytest.mark.parametrize(
    ("rows", "more", "shown"),
    [
        (0, "", 1),
        (1, "", 1),
        (1, "+", 2),
        (2, "-", 1),
        (1, "-", 1),
        (MOST_CRITERIA - 1, "+", MOST_CRITERIA),
        (MOST_CRITERIA, "+", MOST_CRITERIA),
        (MOST_CRITERIA, "", MOST_CRITERIA),
    ],
)
def test_rows_of_criteria(rows: int, more: str, shown: int) -> None:
    seen = listing(*(ROW * rows), ("row", more))
    assert (len(seen.address.criteria), seen.error) == (shown, "")
    if more == "+" and rows < MOST_CRITERIA:
        assert seen.address.criteria[-1] == Criterion("name", "begins")


def test_the_last_row_of_criteria_is_the_one_that_goes() -> None:
    rows = [pair for text in "abc" for pair in (*ROW[:2], ("text", text))]
    assert [each.text for each in listing(*rows, ("row", "-")).address.criteria] == ["a", "b"]


def test_more_criteria_than_allowed_are_refused() -> None:
    with pytest.raises(Refused):
        read_criteria(QueryDict(urlencode(ROW * (MOST_CRITERIA + 1))))
    seen = listing(*(ROW * (MOST_CRITERIA + 1)))
    assert (seen.status, seen.address.criteria) == (400, (Criterion("name", "begins"),))
    assert seen.error == "Find: at most 10 rows of criteria are allowed."
    assert list(seen.page) == []


def test_a_row_that_is_not_whole_is_none() -> None:
    assert read_criteria(QueryDict("field=name&op=begins")) == []


@pytest.mark.parametrize(
    ("asked", "rows"),
    [(ROWS[0], ROWS[0]), (ROWS[-1], ROWS[-1]), (ROWS[0] - 1, DEFAULT_ROWS), ("x", DEFAULT_ROWS)],
)
def test_rows_of_a_page(asked: object, rows: int) -> None:
    assert listing(("rows", asked)).address.rows == rows


def test_a_header_sorts_and_sorts_back() -> None:
    plain = listing()
    assert (plain.address.sort, [header.sorted for header in plain.headers]) == (
        "name",
        ["", "ascending", ""],
    )
    kind, name, text = (header.url for header in plain.headers)
    assert kind == ""
    assert "sort=-name" in name
    assert "sort=description" in text
    down = listing(("sort", "-name"))
    assert down.headers[1].sorted == "descending"
    assert "sort=name" in down.headers[1].url
    assert listing(sort="-description").headers[2].sorted == "descending"


def test_the_table_has_a_column_more_for_check_boxes() -> None:
    assert (listing().span, listing(selection=True).span) == (3, 4)


def test_pages_say_which_rows_they_show() -> None:
    for number in range(11):
        add_server(name=f"cucm-{number:02}", server_type="cucm", actor="")
    first, last = listing(("rows", 10)), listing(("rows", 10), ("page", 2))
    assert (first.count_line, last.count_line) == ("1 - 10 of 11", "11 - 11 of 11")
    assert [label for label, _ in first.pager.links] == ["Next", "Last"]
    assert [label for label, _ in last.pager.links] == ["First", "Previous"]
    assert (last.pager.number, last.pager.of) == (2, 2)
    assert (len(first.entries), len(last.entries)) == (10, 1)
    assert "page=2" in last.here
    assert not last.all_selected
    assert last.select_all_url.endswith("page=2&select=all")


@pytest.mark.parametrize(
    ("here", "to"), [("?page=2", "/list/?page=2"), ("//evil.example", "/list/"), ("", "/list/")]
)
def test_the_way_back_leads_to_the_list_alone(here: str, to: str) -> None:
    assert return_to(QueryDict(urlencode({"list": here})), "/list/") == to
