"""Tables of SQL, and of users: told by their columns."""

from pathlib import Path

import pytest

from tests.cluster.inputs import HA_GUIDE, only, table, told

GROUPS = table("id|name|haenabled", "1001|DefaultCUPSubCluster|t", "1002|Rome|f")
NODES = table(
    "id|name|subclusterid|isprimary|tkhaserverstate|peerhanodeid|extra",
    "1|imp-pub|1001|t|3|2|a",
    "2|imp-sub|1001|f|12|1|b",
    "3|imp-3|NULL|f|0|NULL|c",
)
SERVER_IDS = ["11111111-2222-3333-4444-555555555555", "21111111-2222-3333-4444-555555555555"]
SERVERS = table(
    "pkid|name|tknodeusage|tkprocessnoderole",
    f"{SERVER_IDS[0]}|EnterpriseWideData|NULL|NULL",
    f"{SERVER_IDS[1]}|imp-pub|0|2",
)
PARAMETERS = table(
    "paramname|paramvalue|tkservice|fkprocessnode",
    f"Critical Service Delay|60|5|{SERVER_IDS[0]}",
    f"Client Re-Login Lower Limit|200|5|{SERVER_IDS[1]}",
)
USERS = table("userid|primarynodeid", "anna|1", "Bob Smith|2", "zoë|NULL")


def test_tables_by_their_columns(tmp_path: Path) -> None:
    # Each below the header of another one, as some collectors write them.
    text = f"==== enduser ====\n{GROUPS}\n==== groups ====\n{NODES}\n{SERVERS}\n{PARAMETERS}\n{USERS}\n"
    reading, (snapshot,) = told(tmp_path, text)
    assert {g.name: (g.ha and g.ha.text, g.nodes) for g in snapshot.groups.values()} == {
        "DefaultCUPSubCluster": ("on", ("imp-pub", "imp-sub")),
        "Rome": ("off", ()),
    }
    nodes = snapshot.nodes
    assert [n.state and n.state.text for n in nodes.values()] == [
        "Unknown",
        "Normal",
        "Cisco Server Recovery Manager Not Responding",
    ]
    assert [n.group and n.group.text for n in nodes.values()] == ["", *["DefaultCUPSubCluster"] * 2]
    assert nodes["imp-pub"].role
    assert nodes["imp-pub"].role.text == "Publisher"
    assert {k: v.text for k, v in snapshot.parameters.items()} == {"Critical Service Delay": "60"}
    own = nodes["imp-pub"].parameters["Client Re-Login Lower Limit"]
    assert own.text == "200"
    assert {user.name: user.node for user in snapshot.users.values()} == {
        "anna": "imp-pub",
        "Bob Smith": "imp-sub",
        "zoë": "",
    }
    assert ("extra",) in [each.columns for each in reading.unused]
    assert [each.text for each in reading.missed] == ["==== enduser ====", "==== groups ===="]


@pytest.mark.parametrize(
    ("width", "trimmed"),
    [
        (20, False),
        (21, False),
        (24, False),
        (40, False),
        (80, False),
        (24, True),
        (40, True),
        (80, True),
    ],
)
def test_tables_that_the_terminal_wrapped(tmp_path: Path, width: int, trimmed: bool) -> None:
    wrapped = []
    for line in NODES.splitlines():
        parts = [line[at : at + width] for at in range(0, len(line), width)]
        wrapped += [part.rstrip() for part in parts] if trimmed else parts
    (snapshot,) = (only(tmp_path, f"{GROUPS}\nadmin:x\n" + "\n".join(wrapped) + "\nadmin:"),)
    assert [n.group and n.group.text for n in snapshot.nodes.values()] == [
        "",
        *["DefaultCUPSubCluster"] * 2,
    ]
    assert [n.state and n.state.text for n in snapshot.nodes.values()][1] == "Normal"


def test_a_row_that_is_none_ends_its_table(tmp_path: Path) -> None:
    """So that what another session wrote between is no group."""
    lines = GROUPS.splitlines()
    text = "\n".join([*lines[:3], "imp-pub kernel: link is up again", *lines[3:]])
    reading, (snapshot,) = told(tmp_path, text)
    assert list(snapshot.groups) == ["DefaultCUPSubCluster"]
    assert reading.missed_lines == 2


def test_a_table_of_bytes_and_joins_are_not_guessed(tmp_path: Path) -> None:
    padded = "userid     firstname\n========== =========\nzoë       Zoë\nanna       Anna\n"
    joined = table("name|name|haenabled", "imp-pub|G|t")
    reading, (snapshot,) = told(tmp_path, padded + "\n" + joined)
    assert [user.name for user in snapshot.users.values()] == ["zoë", "anna"]
    assert snapshot.groups == {}
    assert ("name", "name", "haenabled") in [each.columns for each in reading.unused]


def test_a_count_of_users_is_known_by_its_statement(tmp_path: Path) -> None:
    counted = "(count(*))\n==========\n75000\n"
    snapshot = only(tmp_path, f"admin:run sql select count(*) from enduser\n{counted}\n{HA_GUIDE}")
    assert snapshot.all_users is not None
    assert snapshot.all_users.text == "75000"
    assert (
        only(
            tmp_path, f"admin:run sql select count(*) from device\n{counted}\n{HA_GUIDE}"
        ).all_users
        is None
    )


WORDED = (
    'admin:run sql select name, isprimary, case when tkhaserverstate = 2 then "idle" '
    'when tkhaserverstate = 3 then "normal" else to_char(tkhaserverstate) end{} from enterprisenode\n'
)


@pytest.mark.parametrize(
    ("name", "column"), [("", "(expression)"), (" as hastate", "hastate"), (" hastate", "hastate")]
)
def test_words_that_a_script_makes_of_states(tmp_path: Path, name: str, column: str) -> None:
    rows = table(f"name|isprimary|{column}", "a|t|normal", "b|f|Idle", "c|f|8", "d|f|well", "e|f|")
    reading, (snapshot,) = told(tmp_path, WORDED.format(name) + rows)
    states = {each.name: each.state and each.state.text for each in snapshot.nodes.values()}
    assert states == {"a": "Normal", "b": "Idle", "c": "Failed Over", "d": None, "e": None}
    # A word that nobody knows is shown, and ends nothing.
    assert [each.text.split()[0] for each in reading.missed] == ["d"]
    assert reading.unused == []


def test_a_column_that_another_statement_has_is_not_read(tmp_path: Path) -> None:
    rows = table("name|isprimary|(expression)", "a|t|normal")
    statement = "admin:run sql select name, isprimary, lower(x) from enterprisenode\n"
    reading, (snapshot,) = told(tmp_path, statement + rows)
    assert snapshot.nodes["a"].state is None
    assert [each.columns for each in reading.unused] == [("(expression)",)]


def test_a_heading_is_no_table(tmp_path: Path) -> None:
    heading = "States of all the groups of this cluster\n" + "=" * 60 + "\n"
    reading, (snapshot,) = told(tmp_path, heading + HA_GUIDE.partition("\n")[2] + "hello\n")
    assert set(snapshot.nodes) == {"imp-pub", "imp-sub"}
    assert [each.text for each in reading.missed] == [heading.splitlines()[0], "hello"]
    assert reading.unused == []


def test_users_of_a_bulk_export_by_the_names_of_its_columns(tmp_path: Path) -> None:
    text = (
        "FIRST NAME,USER ID,PASSWORD,MAIL ID,ENABLE USER FOR UNIFIED CM IM AND PRESENCE,ASSIGNED PRESENCE SERVER\n"
        'Anna,anna,x,anna@example.com,t,imp-pub\n"B, C",bob,x,,t,\nNo,phone,x,,f,\nshort,row\n'
    )
    reading, (snapshot,) = told(tmp_path, text)
    assert {user.name: user.node for user in snapshot.users.values()} == {
        "anna": "imp-pub",
        "bob": "",
    }
    assert [each.place.line for each in reading.missed] == [5]


def test_a_first_line_in_the_middle_is_no_user(tmp_path: Path) -> None:
    """Two exports in one file, the same one twice, or of other columns."""
    one = "User ID,Display Name,Assigned Node\nuser1,User,imp-pub\n"
    two = "Presence Server;USER ID;Mail ID\nimp-sub;user2;x\n"
    reading, (snapshot,) = told(tmp_path, one + one + two)
    assert {user.name: user.node for user in snapshot.users.values()} == {
        "user1": "imp-pub",
        "user2": "imp-sub",
    }
    assert (reading.missed, snapshot.disputes) == ([], ())


def test_a_user_of_whom_a_column_is_lost_is_not_guessed(tmp_path: Path) -> None:
    text = "Assigned Node,User ID,Display Name,Mail ID\nimp-pub,anna,Anna,x\nbob,Bob,x\n"
    reading, (snapshot,) = told(tmp_path, text)
    assert set(snapshot.users) == {"anna"}
    assert [each.place.line for each in reading.missed] == [3]


def test_users_of_the_lab_as_exported_for_spreadsheets(tmp_path: Path) -> None:
    text = "\ufeffUser ID;Display Name;IM Address;Assigned Node\r\n'=anna;Anna;a@example.com;imp-pub\r\nbob;Bob;b@x\r\n"
    snapshot = only(tmp_path, text)
    assert {user.name: user.node for user in snapshot.users.values()} == {
        "=anna": "imp-pub",
        "bob": "",
    }
