"""``run sql`` on the database: what the relations show, and that nothing can be written."""

import pytest
from django.db import DatabaseError, connection

from redundancy.models import NodeRuntime, PresenceUser, RedundancyGroup, Server
from redundancy.operations.power import stop_srm
from redundancy.operations.servers import add_server
from redundancy.selectors import relations
from redundancy.srm.states import NUMBERS, State
from tests.cli.conftest import Cli

# The statement runs on a connection of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def committed(cluster: RedundancyGroup) -> None:
    add_server(name="cucm", server_type="cucm", actor="tester")


def keys() -> tuple[int, int, int]:
    """The keys of imp-pub, imp-sub and their group; they differ from test to test."""
    first = Server.objects.get(name="imp-pub")
    assert first.group_id is not None
    return first.pk, Server.objects.get(name="imp-sub").pk, first.group_id


def rows(cli: Cli, select: str) -> list[list[str]]:
    shown = cli(f"run sql {select}")
    assert shown.code == 0, shown.errors
    return [line.split() for line in (shown.lines[0], *shown.lines[2:])]


def test_groups(cli: Cli) -> None:
    _, _, group = keys()
    RedundancyGroup.objects.create(name="Rome", ha_enabled=True)
    assert rows(cli, "select * from enterprisesubcluster order by name") == [
        ["id", "name", "haenabled"],
        [str(group), "DefaultCUPSubCluster", "f"],
        [str(RedundancyGroup.objects.get(name="Rome").pk), "Rome", "t"],
    ]
    assert rows(cli, "select name from enterprisesubcluster where haenabled = 't'")[1:] == [
        ["Rome"]
    ]


def test_nodes(cli: Cli) -> None:
    first, second, group = map(str, keys())
    alone = add_server(name="imp-x", server_type="imp", actor="tester")
    assert rows(cli, "select * from enterprisenode order by name") == [
        ["id", "name", "subclusterid", "isprimary", "tkhaserverstate", "peerhanodeid"],
        [first, "imp-pub", group, "t", "0", second],
        [second, "imp-sub", group, "f", "0", first],
        [str(alone.pk), "imp-x", "NULL", "f", "0", "NULL"],
    ]


def test_numbers_of_the_states(cli: Cli) -> None:
    RedundancyGroup.objects.update(ha_enabled=True)
    for state in State:
        NodeRuntime.objects.update(state=state)
        select = "select tkhaserverstate from enterprisenode where name = 'imp-pub'"
        assert rows(cli, select)[1:] == [[str(NUMBERS.get(state, "NULL"))]], state


def test_number_of_a_node_whose_srm_is_silent(cli: Cli) -> None:
    RedundancyGroup.objects.update(ha_enabled=True)
    stop_srm(server=Server.objects.get(name="imp-sub"), actor="tester")
    select = "select name from enterprisenode where tkhaserverstate = '12'"
    assert rows(cli, select)[1:] == [["imp-sub"]]


def test_servers(cli: Cli) -> None:
    select = "select name, tknodeusage, tkprocessnoderole from processnode order by name"
    assert rows(cli, select)[1:] == [
        ["cucm", "NULL", "1"],
        ["imp-pub", "0", "2"],
        ["imp-sub", "1", "2"],
    ]


def test_users(cli: Cli) -> None:
    first, second, _ = map(str, keys())
    select = (
        "select skip 1 first 2 userid, imaddress, primarynodeid, currentnodeid from enduser"
        " order by userid"
    )
    assert rows(cli, select)[1:] == [
        ["user0002", "user0002@example.com", second, second],
        ["user0003", "user0003@example.com", first, first],
    ]


@pytest.mark.parametrize(
    ("select", "found"),
    [
        ("select count(*) from enduser", ["1000"]),
        # Upper and lower case differ, and what is asked for is no format of Python.
        ("select count(*) from enduser where userid like 'USER000%'", ["0"]),
        ('select count(*) from enduser where userid like "user000%s"', ["0"]),
        ("select count(*) from enduser where userid like 'user000%'", ["9"]),
        ("select skip 998 userid from enduser order by userid", ["user0999", "user1000"]),
        ("select first 0 userid from enduser", []),
        ("select avg(tkhaserverstate + 0.5) from enterprisenode", ["0.5"]),
        ("select 'it''s' x from enterprisesubcluster", ["it's"]),
        ("select max(t.n) from (select count(*) n from enduser group by primarynodeid) t", ["500"]),
        (
            "select n.name || '!' from enterprisenode n join enterprisenode p"
            " on p.id = n.peerhanodeid and p.isprimary = 't'",
            ["imp-sub!"],
        ),
        (
            "select name from processnode where name not in (select name from enterprisenode)"
            " union select name from enterprisesubcluster order by 1",
            ["DefaultCUPSubCluster", "cucm"],
        ),
    ],
)
def test_statements(cli: Cli, select: str, found: list[str]) -> None:
    # The databases sort capitals differently.
    assert sorted(" ".join(row) for row in rows(cli, select)[1:]) == sorted(found)


@pytest.mark.parametrize(
    "select",
    [
        "select nothing from enduser",
        "select current_user from enduser",
        "select sqlite_version from enduser",
        "select name from enterprisenode n, processnode p",
    ],
)
def test_what_the_database_refuses(cli: Cli, select: str) -> None:
    shown = cli(f"run sql {select}")
    assert (shown.code, shown.lines, len(shown.errors)) == (1, [], 1)
    assert "run sql: the database says: " in shown.errors[0]


def test_the_parser_refuses_before_the_database_is_asked(cli: Cli) -> None:
    for line in ("delete from enduser", "select 1 from enduser; delete from enduser"):
        assert cli(f"run sql {line}").code == 1
    assert PresenceUser.objects.count() == 1000


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM redundancy_presencesession",
        "UPDATE redundancy_server SET name = 'x'",
        "INSERT INTO redundancy_redundancygroup (name) VALUES ('x')",
    ],
)
def test_the_connection_refuses_what_a_parser_would_have_missed(sql: str) -> None:
    with pytest.raises(DatabaseError, match=r"read-?only"):
        relations.run_select(sql, ["enduser"])
    assert not Server.objects.filter(name="x").exists()
    assert PresenceUser.objects.filter(session__isnull=False).count() == 1000


def test_a_statement_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "SECONDS", 0.1)
    with pytest.raises(DatabaseError):
        relations.run_select("SELECT count(*) FROM enduser a, enduser b, enduser c", ["enduser"])


def test_our_own_connection_can_still_write() -> None:
    relations.run_select("SELECT 1 FROM enduser", ["enduser"])
    RedundancyGroup.objects.create(name="Rome")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM redundancy_redundancygroup WHERE name LIKE 'Rome'")
        assert cursor.fetchone() == (1,)
