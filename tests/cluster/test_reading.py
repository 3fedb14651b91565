"""What each kind of output tells, recognised by its lines alone."""

from pathlib import Path

import pytest

from redundancy.cluster.facts import Place
from redundancy.cluster.reader import reading as reading_module
from redundancy.cluster.reader.ha import REASONS, STATES
from redundancy.srm.states import Reason, State
from tests.cluster.inputs import HA_GUIDE, SERVICES, STATUS, only, table, told

FIELD = """Subcluster Name: DefaultCUPSubCluster
Node 1
\tName: imp-pub
\tState: Normal
\tReason: Normal
Node 2
\tName: imp-sub
\tState: Running in Failed Mode
\tReason: Split Brain
"""
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


def test_the_guides_status(tmp_path: Path) -> None:
    snapshot = only(tmp_path, HA_GUIDE)
    (group,) = snapshot.groups.values()
    pub, sub = snapshot.pair(group)
    assert (group.name, group.nodes, group.ha and group.ha.text) == (
        "DefaultCUPSubCluster",
        ("imp-pub", "imp-sub"),
        "on",
    )
    assert (pub.state and pub.state.text, pub.reason) == (State.NORMAL, None)
    assert sub.state is not None
    assert sub.reason is not None
    assert (sub.state.text, sub.reason.text) == (State.BACKUP, Reason.PEER_DOWN)
    assert sub.state.place == Place(str(tmp_path / "1.txt"), 4)


def test_the_fields_status(tmp_path: Path) -> None:
    snapshot = only(tmp_path, FIELD)
    states = [
        (n.state and n.state.text, n.reason and n.reason.text) for n in snapshot.nodes.values()
    ]
    assert states == [("Normal", "Normal"), ("Running in Failed Mode", "Split Brain")]


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


def test_the_fields_status_with_a_line_for_a_node(tmp_path: Path) -> None:
    text = (
        "Subcluster Name: G\n\tName: a\tState: Normal\tReason: Normal\n"
        "\tName: b State: Failed Over with Critical Services not Ru\nnning Reason: Database Failure\n"
        "\nSubcluster Name: H\nNode 1\n\tName: c State: Idle Reason: On Admin Request\n"
        "Node 2\n\tName: d State: Running in Backup Mode Reason: On Admin Request\n"
    )
    reading, (snapshot,) = told(tmp_path, text)
    assert reading.missed == []
    assert {each.name: each.nodes for each in snapshot.groups.values()} == {
        "G": ("a", "b"),
        "H": ("c", "d"),
    }
    assert [
        (n.state and n.state.text, n.reason and n.reason.text) for n in snapshot.nodes.values()
    ] == [
        ("Normal", "Normal"),
        (State.FAILED_OVER_DOWN, "Database Failure"),
        ("Idle", "On Admin Request"),
        (State.BACKUP, "On Admin Request"),
    ]


@pytest.mark.parametrize("width", [60, 79, 80, 100])
def test_every_state_and_reason_however_the_terminal_wraps_them(tmp_path: Path, width: int) -> None:
    """Also where a cut leaves what would be another state, such as *Failed* of *Failed Over*."""
    number = 0
    for state in State:
        for reason in Reason:
            if state is State.NORMAL:
                continue
            number += 1
            line = f"Node 1 Name : imp-publisher-{number} State: {state} Reason: {reason}"
            cut = [line[at : at + width] for at in range(0, len(line), width)]
            snapshot = only(
                tmp_path,
                "\n".join(["Subcluster Name: G", *cut, "", "Node 2 Name : b State: Normal"]),
            )
            first = snapshot.nodes[f"imp-publisher-{number}"]
            assert first.state is not None, line
            assert first.reason is not None, line
            assert (first.state.text, first.reason.text) == (state, reason), line
            assert set(snapshot.nodes) == {f"imp-publisher-{number}", "b"}


def test_short_names_and_a_state_without_a_reason(tmp_path: Path) -> None:
    text = "Subcluster Name: G\nNode 1 Name : a State: Failed\nNode 2 Name : b State: Failover Reason: On Admin Request\n"
    states = [node.state and node.state.text for node in only(tmp_path, text).nodes.values()]
    assert states == [State.FAILED, State.FAILING_OVER]


def test_a_state_that_nobody_knows_is_not_guessed(tmp_path: Path) -> None:
    text = "Subcluster Name: G\nNode 1 Name : a State: Confused Reason: Peer Down\nNode 2 Name : b State: Normal\n"
    reading, (snapshot,) = told(tmp_path, text)
    assert [each.place.line for each in reading.missed] == [2]
    assert list(snapshot.nodes) == ["b"]


def test_all_states_and_reasons_are_known() -> None:
    assert {*State} <= {*STATES.values()}
    assert {*Reason} <= {*REASONS.values()}


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


def test_what_a_node_says_of_itself_is_of_the_node_of_the_session(tmp_path: Path) -> None:
    version = "admin:show version active\nActive Master Version: 14.0.1.12900-161\n"
    status = STATUS.format(date="Sun Nov 29, 2026 01:20:00")
    snapshot = only(tmp_path, f"{version}{SERVICES}{status}")
    node = snapshot.nodes["imp-pub"]
    assert {name: value.text for name, value in node.services.items()} == {
        "A Cisco DB": "STARTED",
        "Cisco XCP Router": "STOPPED  Commanded Out of Service",
    }
    assert node.version
    assert node.version.text == "14.0.1.12900-161"
    assert snapshot.loose == ()


def test_what_no_node_is_named_for_is_not_given_to_any(tmp_path: Path) -> None:
    status = STATUS.format(date="Sun Nov 29, 2026 01:20:00")
    both = status + status.replace("imp-pub", "imp-sub")
    snapshot = only(tmp_path, f"{SERVICES}{both}")
    assert [(loose.what, loose.number) for loose in snapshot.loose] == [("services", 2)]
    assert all(not node.services for node in snapshot.nodes.values())
    # Another session has a node of its own.
    banner = "Command Line Interface is starting up, please wait ...\n"
    apart = only(
        tmp_path, f"{banner}{SERVICES}{status}{banner}{status.replace('imp-pub', 'imp-sub')}"
    )
    assert apart.loose == ()
    assert apart.nodes["imp-sub"].services == {}


def test_the_servers_of_the_cluster_and_their_names(tmp_path: Path) -> None:
    line = "192.0.2.7 imp-sub.example.com imp-sub Subscriber cups DBSub authenticated using TCP since Sun Nov 29 01:20:00 2026"
    text = f"192.0.2.1 cucm.example.com cucm Publisher callmanager DBPub authenticated\n{line[:80]}\n{line[80:]}\n{HA_GUIDE}"
    snapshot = only(tmp_path, text)
    sub = snapshot.nodes["imp-sub"]
    assert (sub.address and sub.address.text, sub.fqdn and sub.fqdn.text) == (
        "192.0.2.7",
        "imp-sub.example.com",
    )
    assert sub.connected_since
    assert sub.connected_since.text == "2026-11-29 01:20:00"
    assert sub.state is not None
    assert set(snapshot.nodes) == {"cucm", "imp-pub", "imp-sub"}
    assert not snapshot.nodes["cucm"].is_presence


def test_names_with_and_without_a_domain_are_one_node(tmp_path: Path) -> None:
    long = HA_GUIDE.replace("imp-pub", "imp-pub.example.com").replace(
        "imp-sub", "imp-sub.example.com"
    )
    csv = "User ID,Display Name,IM Address,Assigned Node\nanna,Anna,anna@example.com,IMP-PUB\n"
    line = "192.0.2.7 imp-sub.example.com imp-sub Subscriber cups DBSub authenticated\n"
    snapshot = only(tmp_path, long, csv, line)
    assert set(snapshot.nodes) == {"imp-pub.example.com", "imp-sub.example.com"}
    assert snapshot.users["anna"].node == "imp-pub.example.com"
    assert snapshot.nodes["imp-sub.example.com"].address is not None


@pytest.mark.parametrize(
    "line",
    [
        "CmConnectedSockets = 12",
        "-> CmConnectedSockets                              = 12",
        "- Perf class (Cisco XCP CM) has values as follows:\n-> CmConnectedSockets    = 12",
        "CmConnectedSockets = 000012",
    ],
)
def test_counters(tmp_path: Path, line: str) -> None:
    text = f'admin:show perf query counter "Cisco XCP CM" "CmConnectedSockets"\nNode Name : imp-pub\n{line}\n'
    assert only(tmp_path, text).nodes["imp-pub"].counters["CmConnectedSockets"].text == "12"


def test_the_trace_of_srm(tmp_path: Path) -> None:
    trace = (
        "2021-05-13 02:48:48,244 INFO [HS] rsrm.RsrmHeartBeatHandler - RsrmHeartBeatHandler: peer down, "
        "time since last heartbeat[s]= 62\n"
        "2021-05-13 02:48:48,244 INFO [HS] rsrm.RsrmAutomaticFallback - RsrmAutomaticFallback: "
        "peer states vector changed to [Normal,Running in Backup Mode]\n"
        "2021-05-13 02:48:49,000 INFO [HS] rsrm.Other - Other: something else\n"
        "2021-05-13 02:48:49,000 INFO [x] com.acme.Thing - hello\n"
    )
    reading, _ = told(tmp_path, trace)
    assert [(event.what, event.detail) for event in reading.events] == [
        ("peer down", ("62",)),
        ("vector", ("Normal", "Running in Backup Mode")),
    ]
    assert [each.place.line for each in reading.missed] == [4]


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


def test_parameters_of_a_log_collection(tmp_path: Path) -> None:
    text = "Clusterwide\nService Port = 22001\nCritical Service Delay = 90\n\nimp-pub\nClient Re-Login Lower Limit = 120\n"
    snapshot = only(tmp_path, text, HA_GUIDE)
    assert {k: v.text for k, v in snapshot.parameters.items()} == {
        "Service Port": "22001",
        "Critical Service Delay": "90",
    }
    assert snapshot.nodes["imp-pub"].parameters["Client Re-Login Lower Limit"].text == "120"


def test_a_heading_is_no_table(tmp_path: Path) -> None:
    heading = "States of all the groups of this cluster\n" + "=" * 60 + "\n"
    reading, (snapshot,) = told(tmp_path, heading + HA_GUIDE.partition("\n")[2] + "hello\n")
    assert set(snapshot.nodes) == {"imp-pub", "imp-sub"}
    assert [each.text for each in reading.missed] == [heading.splitlines()[0], "hello"]
    assert reading.unused == []


def test_what_is_kept_has_limits_and_what_is_beyond_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOST_FACTS", "MOST_MISSED", "MOST_UNUSED"):
        monkeypatch.setattr(reading_module, name, 3)
    unknown = table("a|b", "1|2") + "\n"
    reading, _ = told(tmp_path, HA_GUIDE + "hello\n" * 5 + unknown * 5)
    assert (reading.kept, reading.dropped) == (3, 5)
    assert (len(reading.missed), reading.missed_lines) == (3, 5)
    assert len(reading.unused) == 3


def test_lines_that_are_very_long_are_rows_or_nothing(tmp_path: Path) -> None:
    """So that no pattern is held against them that could take long."""
    wide = "A Cisco DB" + " " * 700 + "[STOPPED]\n"
    reading, (snapshot,) = told(
        tmp_path, f"{STATUS.format(date='Sun Nov 29, 2026 01:20:00')}{wide}"
    )
    assert snapshot.nodes["imp-pub"].services == {}
    assert reading.missed_lines == 1


REAL = """\
admin:show status

Host Name          : imp-pub
Date               : Thu Mar 14, 2024 09:15:02
Time Zone          : Eastern Daylight Time (America/New_York)
Locale             : en_US.UTF-8
Product Ver        : 14.0.1.13900-8
Unified OS Version : 7.0.0.0-4

Uptime:
 09:15:04 {up},  1 user,  load average: 0.23, 0.31, 0.28

CPU Idle:   93.45%  System:   02.02%    User:   04.03%
  IOWAIT:   00.50%     IRQ:   00.00%    Soft:   00.00%

Memory Total:        8009564K
        Free:         431120K

                        Total            Free            Used
Disk/active         14154228K        1021412K       13102120K (93%)
admin:utils dbreplication runtimestate

Server Time: Thu Mar 14 09:20:11 EDT 2024

admin:show network cluster
192.0.2.12 imp-pub.example.com imp-pub Subscriber cups DBPub authenticated
192.0.2.13 imp-sub.example.com imp-sub Subscriber cups DBSub authenticated using TCP since Mon Mar 11 03:12:43 2024

Server Table (processnode) Entries
----------------------------------
imp-pub
imp-sub

Successful
admin:
"""


@pytest.mark.parametrize(
    ("up", "told_up"),
    [
        ("up 45 days, 22:01", "45 d 22:01"),
        ("up 1 day,  2:03", "1 d 2:03"),
        ("up 45 days, 7 min", "45 d 0:07"),
        ("up  3:05", "0 d 3:05"),
        ("up 12 min", "0 d 0:12"),
    ],
)
def test_a_node_with_all_that_it_prints(tmp_path: Path, up: str, told_up: str) -> None:
    reading, (snapshot,) = told(tmp_path, REAL.format(up=up))
    assert [each.text for each in reading.missed] == []
    pub = snapshot.nodes["imp-pub"]
    assert pub.up is not None
    assert pub.up.text == told_up
    assert str(snapshot.taken) == "2024-03-14 09:15:02"
    assert str(snapshot.until) == "2024-03-14 09:20:11"
    assert pub.role is not None
    assert pub.role.text == "Publisher"
    assert set(snapshot.nodes) == {"imp-pub", "imp-sub"}


def test_what_an_output_names_is_not_believed_of_the_next_one(tmp_path: Path) -> None:
    """Also where no prompt stands between, as in files of one collector."""
    services = "Node Name : imp-sub\nA Cisco DB[STARTED]\n"
    text = f"{services}Active Master Version: 14.0.1\n\nCisco XCP Router[STARTED]\n"
    snapshot = only(tmp_path, text)
    assert list(snapshot.nodes["imp-sub"].services) == ["A Cisco DB"]
    assert snapshot.nodes["imp-sub"].version is None
    assert [loose.what for loose in snapshot.loose] == ["version", "services"]


def test_a_name_below_the_states_is_no_node(tmp_path: Path) -> None:
    for below in (
        "Ethernet 0\n\tName: eth0\n\tState: Normal\n",
        "Name: eth0\n",
        "=====\n Name: eth0\n",
    ):
        assert set(only(tmp_path, FIELD + "\n" + below).nodes) == {"imp-pub", "imp-sub"}
    more = FIELD.replace("\tState", "\tAssigned Users: 12\n\n\tState").replace("\t", "    ")
    assert set(only(tmp_path, more).nodes) == {"imp-pub", "imp-sub"}
    assert set(only(tmp_path, FIELD.replace("\t", "")).nodes) == {"imp-pub", "imp-sub"}


def test_a_version_as_axl_writes_it_is_the_same(tmp_path: Path) -> None:
    text = "admin:show version active a\nActive Master Version: 14.0.1.12900{}\n"
    for build in ("(161)", "-161"):
        version = only(tmp_path, text.format(build)).nodes["a"].version
        assert version is not None
        assert version.text == "14.0.1.12900-161"
