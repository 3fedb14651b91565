"""A statement on the database: what the tables show, its headings and limits, and that nothing can be written."""

import time

import pytest
from django.db import DatabaseError, connection

from redundancy.clock import lab_datetime, lab_now
from redundancy.errors import Refused
from redundancy.models import (
    EnterpriseParameter,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.operations import services
from redundancy.operations.power import stop_srm
from redundancy.operations.servers import add_server
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.sql import reading, relations
from redundancy.srm.states import NUMBERS, State
from tests.cli.conftest import Cli

# The statement runs on a connection of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def users() -> int:
    """As many as one counts."""
    return 1000


@pytest.fixture(autouse=True)
def committed(cluster: RedundancyGroup) -> None:
    add_server(name="cucm", server_type="cucm", actor="tester")


def keys() -> tuple[int, int, int]:
    """The keys of imp-pub, imp-sub and their group; they differ from test to test."""
    first = Server.objects.get(name="imp-pub")
    assert first.group_id is not None
    return first.pk, Server.objects.get(name="imp-sub").pk, first.group_id


def rows(cli: Cli, select: str, run: str = "run sql") -> list[list[str]]:
    shown = cli(f"{run} {select}")
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
        ["EnterpriseWideData", "1", "1"],
        ["cucm", "0", "1"],
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
            ["DefaultCUPSubCluster", "EnterpriseWideData", "cucm"],
        ),
    ],
)
def test_statements(cli: Cli, select: str, found: list[str]) -> None:
    # The databases sort capitals differently.
    assert sorted(" ".join(row) for row in rows(cli, select)[1:]) == sorted(found)


def test_services(cli: Cli) -> None:
    select = (
        "select t.name, s.isactive from processnodeservice s join typeservice t on t.enum = s.tkservice"
        " where s.servername = 'imp-sub' and t.nameforcontrol matches 'Cisco XCP *Manager*' order by t.name"
    )
    shown = {line.rsplit(maxsplit=1)[0]: line[-1] for line in cli(f"run sql {select}").lines[2:]}
    assert shown["Cisco XCP Connection Manager"] == "t"
    assert shown["Cisco XCP Text Conference Manager"] == "f"


def test_parameters(cli: Cli) -> None:
    set_parameter(key="heartbeat_timeout", value="90", actor="tester")
    set_parameter(
        key="relogin_lower", value="60", server=Server.objects.get(name="imp-sub"), actor="t"
    )
    select = (
        "select n.name, p.paramvalue from processconfig p, processnode n where n.pkid = p.fkprocessnode"
        " and p.paramname {} order by n.name"
    )
    assert rows(cli, select.format("like 'Keep Alive (Heartbeat) Timeout'"))[1:] == [
        ["EnterpriseWideData", "90"]
    ]
    assert rows(cli, select.format("like '%Lower Limit'"))[1:] == [
        ["imp-pub", "120"],
        ["imp-sub", "60"],
    ]
    assert rows(cli, "select * from epassyncagentcfg")[1:] == [["Balanced"]]


@pytest.mark.parametrize("name", relations.RELATIONS)
def test_a_table_has_the_columns_it_says_and_can_be_read(cli: Cli, name: str) -> None:
    assert tuple(rows(cli, f"select * from {name}")[0]) == relations.COLUMNS[name]


def test_the_login_datastore_has_the_clients_of_its_node(cli: Cli) -> None:
    first, second, _ = keys()
    login = "run pe sql ttlogin"
    here = PresenceSession.objects.filter(node=first)
    assert (
        tuple(rows(cli, "select * from clientsessions", login)[0])
        == (relations.LOGIN_COLUMNS["clientsessions"])
    )
    count = "select count(*) from clientsessions"
    assert rows(cli, count, login)[1:] == [[str(here.count())]]
    # Who waits is not logged in; who was taken over is where the session is.
    waits, moved = here.order_by("pk")[:2]
    PresenceSession.objects.filter(pk=waits.pk).update(relogin_at=lab_now() + 500)
    PresenceSession.objects.filter(pk=moved.pk).update(node=second)
    assert rows(cli, count, login)[1:] == [[str(here.count() - 1)]]
    EnterpriseParameter.objects.update_or_create(key="clients_per_user", defaults={"value": "2"})
    counter = cli('show perf query counter "Cisco Presence Engine" ActiveJsmSessions').lines[-1]
    assert counter.split(" = ")[1] == rows(cli, count, login)[1][0]
    both = f"select client, currentnodeid from clientsessions where primarynodeid = {first}"
    assert rows(cli, f"{both} order by 1", login)[1] == ["1", str(first)]
    # Without the services that clients hang on, nobody is.
    services.stop_service(
        server=Server.objects.get(pk=first), name="Cisco XCP Connection Manager", actor=""
    )
    assert rows(cli, count, login)[1:] == [["0"]]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("run sql select * from clientsessions", "run sql: there is no table 'clientsessions'"),
        (
            "run pe sql ttlogin select * from enduser",
            "run pe sql ttlogin: there is no table 'enduser'; there are clientsessions.",
        ),
        ("run pe sql ttlogin delete from clientsessions", "run pe sql ttlogin: only SELECT"),
    ],
)
def test_each_database_has_its_own_tables(cli: Cli, line: str, rule: str) -> None:
    shown = cli(line)
    assert (shown.code, shown.lines) == (1, [])
    assert shown.errors[0].startswith(rule)


def test_a_login_datastore_that_does_not_run_answers_nothing(cli: Cli) -> None:
    node = Server.objects.get(name="imp-pub")
    services.stop_service(server=node, name="Cisco Login Datastore", actor="")
    shown = cli("run pe sql ttlogin select * from clientsessions")
    assert (shown.code, shown.errors) == (1, ["Cisco Login Datastore does not run on imp-pub."])


@pytest.mark.parametrize(
    ("select", "headings"),
    [
        (
            "select Name, UPPER(name), count(*) from enterprisenode group by name",
            "name UPPER(name) count(*)",
        ),
        ("select max(t.n), 1+1 two from (select count(*) n from enduser) t", "max(t.n) two"),
        ("select *, 'x' from epassyncagentcfg", "userassignmentmode 'x'"),
    ],
)
def test_headings_are_as_typed(cli: Cli, select: str, headings: str) -> None:
    assert " ".join(rows(cli, select)[0]) == headings


def test_the_states_of_nodes_as_scripts_ask_for_them(cli: Cli) -> None:
    select = (
        'select n.name, case when tkhaserverstate = 0 then "unknown" else to_char(tkhaserverstate) end'
        " from enterprisenode n, enterprisesubcluster s where n.subclusterid = s.id and haenabled = 'f'"
        " order by 1"
    )
    assert rows(cli, select)[1:] == [["imp-pub", "unknown"], ["imp-sub", "unknown"]]


def test_current_is_the_time_of_the_lab(cli: Cli) -> None:
    at = cli("run sql select current from epassyncagentcfg").lines[2]
    assert at.startswith(f"{lab_datetime(lab_now()):%Y-%m-%d %H}")


@pytest.mark.parametrize(
    "select", ["select name from enterprisenode n, processnode p", "select sum(*) from processnode"]
)
def test_what_the_database_refuses(cli: Cli, select: str) -> None:
    shown = cli(f"run sql {select}")
    assert (shown.code, shown.lines, len(shown.errors)) == (1, [], 1)
    assert "run sql: the database says: " in shown.errors[0]


def test_what_is_not_understood_is_refused_before_the_database_is_asked(cli: Cli) -> None:
    for line in ("delete from enduser", "select 1 from enduser; delete from enduser"):
        shown = cli(f"run sql {line}")
        assert shown.code == 1
        assert shown.errors[0].startswith("run sql: only ")
    assert PresenceUser.objects.count() == 1000


def fetch(select: str) -> object:
    """Ask the database with nothing before it that checks."""
    return reading.fetch(select, ("enduser",), time.monotonic() + 10, {})


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM {s}redundancy_presencesession",
        "UPDATE {s}redundancy_server SET name = 'x'",
        "INSERT INTO {s}redundancy_redundancygroup (name) VALUES ('x')",
    ],
)
def test_the_connection_refuses_to_write_what_a_check_would_have_missed(sql: str) -> None:
    schema = "" if connection.vendor == "sqlite" else "public."
    with pytest.raises(DatabaseError, match=r"read-?only|not authorized|syntax"):
        fetch(sql.format(s=schema))
    assert not Server.objects.filter(name="x").exists()
    assert PresenceUser.objects.filter(session__isnull=False).count() == 1000


@pytest.mark.parametrize("table", ["auth_user", "django_session", "redundancy_signin"])
def test_the_connection_refuses_to_read_other_tables(table: str) -> None:
    with pytest.raises(DatabaseError, match=r"not authorized|prohibited|does not exist"):
        fetch(f"SELECT * FROM {table}")


@pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="PostgreSQL has no list of functions for a connection"
)
def test_the_connection_refuses_to_call_other_functions() -> None:
    with pytest.raises(DatabaseError, match="not authorized"):
        fetch("SELECT randomblob(10) FROM enduser")


def test_a_statement_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", 0.1)
    with pytest.raises(Refused, match="longer than"):
        reading.read("SELECT count(*) FROM enduser a, enduser b, enduser c")


def test_an_answer_that_is_too_large_says_how_many_rows_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "LARGEST", 4_500)
    monkeypatch.setattr(reading, "_PIECE", 100)
    rule = r"Total rows matched: 1000 rows\. Suggestive Row Fetch: less than 500 rows\."
    with pytest.raises(Refused, match=rule):
        reading.read("select userid from enduser")
    assert len(reading.read("select first 400 userid from enduser").rows) == 400


def test_our_own_connection_can_still_write() -> None:
    reading.read("SELECT 1 FROM enduser")
    RedundancyGroup.objects.create(name="Rome")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM redundancy_redundancygroup WHERE name LIKE 'Rome'")
        assert cursor.fetchone() == (1,)
