"""Find and List: criteria, order, and the number of queries behind a page of rows."""

from typing import Any

import pytest

from redundancy.errors import Refused
from redundancy.models import RedundancyGroup, Server
from redundancy.operations.groups import add_group
from redundancy.operations.servers import add_server
from redundancy.selectors.find import Criterion
from redundancy.selectors.groups import find_groups
from redundancy.selectors.servers import (
    assignable_servers,
    find_servers,
    publisher,
    unsettled_nodes,
    users_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cluster() -> None:
    add_server(name="imp-pub", server_type="imp", description="Berlin 100_", actor="")
    add_server(name="imp-Sub", server_type="imp", actor="")
    add_server(name="cucm", server_type="cucm", description="berlin", actor="")
    node = add_server(name="imp-x", server_type="imp", description="Rom", actor="")
    add_group(name="Rom", first=node, actor="")


def names(*criteria: Criterion, sort: str = "name") -> list[str]:
    return [server.name for server in find_servers(criteria, sort)]


@pytest.mark.parametrize(
    ("criterion", "found"),
    [
        (Criterion("name", "begins", "IMP-"), ["imp-pub", "imp-Sub", "imp-x"]),
        (Criterion("name", "contains", "u"), ["cucm", "imp-pub", "imp-Sub"]),
        (Criterion("name", "ends", "SUB"), ["imp-Sub"]),
        (Criterion("name", "exactly", "Imp-Sub"), ["imp-Sub"]),
        (Criterion("description", "empty"), ["imp-Sub"]),
        (Criterion("description", "notempty"), ["cucm", "imp-pub", "imp-x"]),
        # The wildcards of SQL are ordinary characters.
        (Criterion("description", "contains", "0_"), ["imp-pub"]),
        (Criterion("description", "contains", "%"), []),
        # Find with nothing typed lists everything, also what has no group.
        (Criterion("group", "contains", ""), ["cucm", "imp-pub", "imp-Sub", "imp-x"]),
        (Criterion("group", "empty"), ["cucm", "imp-Sub"]),
        (Criterion("group", "notempty"), ["imp-pub", "imp-x"]),
        (Criterion("group", "begins", "ro"), ["imp-x"]),
        (Criterion("name", "contains", "x" * 10_000), []),
    ],
)
def test_one_criterion(criterion: Criterion, found: list[str]) -> None:
    assert names(criterion) == found


def test_all_criteria_must_match() -> None:
    berlin = Criterion("description", "begins", "Berlin")
    assert names(berlin) == ["cucm", "imp-pub"]
    assert names(berlin, Criterion("name", "begins", "imp")) == ["imp-pub"]


@pytest.mark.parametrize(
    ("criterion", "field", "rule"),
    [
        (Criterion("password", "begins", "x"), "field", "no field 'password'"),
        (Criterion("group__name", "begins", "x"), "field", "no field 'group__name'"),
        (Criterion("f" * 41, "begins", "x"), "field", f"no field '{'f' * 40}'"),
        (Criterion("name", "regex", "x"), "op", "no operator 'regex'"),
        (Criterion("name", "o" * 41, "x"), "op", f"no operator '{'o' * 40}'"),
        (Criterion("name", "begins", "a\0"), "text", "a null character"),
    ],
)
def test_bad_criteria_are_refused(criterion: Criterion, field: str, rule: str) -> None:
    for find in (find_servers, find_groups):
        with pytest.raises(Refused, match=rule) as caught:
            find([criterion])
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["cucm", "imp-pub", "imp-Sub", "imp-x"]),
        ("-name", ["imp-x", "imp-Sub", "imp-pub", "cucm"]),
        ("group", ["imp-Sub", "cucm", "imp-pub", "imp-x"]),
        ("-group", ["imp-x", "imp-pub", "imp-Sub", "cucm"]),
        ("replication", ["cucm", "imp-pub", "imp-Sub", "imp-x"]),
        ("type", ["cucm", "imp-pub", "imp-Sub", "imp-x"]),
    ],
)
def test_order(sort: str, order: list[str]) -> None:
    assert names(sort=sort) == order


@pytest.mark.parametrize("sort", ["", "-", "--name", "id", "group__epoch", "c" * 41])
def test_bad_order_is_refused(sort: str) -> None:
    for find in (find_servers, find_groups):
        with pytest.raises(Refused, match=f"no column '{sort[:40]}'") as caught:
            find((), sort)
        assert caught.value.field == "sort"


def test_a_page_of_servers_is_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        rows = [
            (row.name, row.replication, row.group.name if row.group else "")  # type: ignore[attr-defined]
            for row in find_servers()
        ]
    assert rows == [
        ("cucm", "", ""),
        ("imp-pub", "Publisher", "DefaultCUPSubCluster"),
        ("imp-Sub", "Subscriber", ""),
        ("imp-x", "Subscriber", "Rom"),
    ]


def test_a_page_of_groups_is_two_queries(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        rows = [
            (group.name, [(server.name, server.runtime.state) for server in group.servers.all()])
            for group in find_groups(sort="-name")
        ]
    assert rows == [
        ("Rom", [("imp-x", "Unknown")]),
        ("DefaultCUPSubCluster", [("imp-pub", "Unknown")]),
    ]


def test_drop_downs_offer_free_nodes_and_the_groups_own() -> None:
    rom = RedundancyGroup.objects.get(name="Rom")
    assert [server.name for server in assignable_servers()] == ["imp-Sub"]
    assert [server.name for server in assignable_servers(rom)] == ["imp-Sub", "imp-x"]


def test_single_facts() -> None:
    found = publisher()
    assert found is not None
    assert found.name == "imp-pub"
    assert users_of([found.pk]) == {found.pk: 0}
    assert unsettled_nodes() == []
    Server.objects.filter(is_publisher=True).update(is_publisher=False)
    assert publisher() is None
