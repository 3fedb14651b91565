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


def test_parameters_of_a_log_collection(tmp_path: Path) -> None:
    text = "Clusterwide\nService Port = 22001\nCritical Service Delay = 90\n\nimp-pub\nClient Re-Login Lower Limit = 120\n"
    snapshot = only(tmp_path, text, HA_GUIDE)
    assert {k: v.text for k, v in snapshot.parameters.items()} == {
        "Service Port": "22001",
        "Critical Service Delay": "90",
    }
    assert snapshot.nodes["imp-pub"].parameters["Client Re-Login Lower Limit"].text == "120"


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
