"""What is found in a snapshot, and what is not said where nothing tells it."""

from pathlib import Path
from typing import Any

import pytest

from redundancy.catalog import CLUSTER_USERS, GROUP_USERS
from redundancy.cluster.checks import findings
from redundancy.cluster.findings import SENTENCES, Finding, Kind, Risk
from redundancy.srm.advice import ROWS
from redundancy.srm.states import Reason, State
from tests.cluster.inputs import only, table

IDS = "id|name|subclusterid"
HA = table("id|name|haenabled", "7|G|t")
STATES = "Subcluster Name: G\nNode 1 Name : a State: {}\nNode 2 Name : b State: {}\n"
WELL = STATES.format("Normal", "Normal")
PARAMETERS = "paramname|paramvalue|fkprocessnode"


def kinds(found: list[Finding]) -> dict[Kind, Finding]:
    return {each.kind: each for each in found}


def test_a_healthy_pair_gives_no_finding(tmp_path: Path) -> None:
    assert findings(only(tmp_path, WELL)) == []


def test_every_row_of_the_states_is_explained_as_the_page_does(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.number > 1 and None not in row.one and row.number != 24]
    assert len(rows) > 15
    for row in rows:
        one, two = (
            f"{min(map(str, states))} Reason: {min(map(str, reasons))}"
            for states, reasons in ((row.one, row.one_reasons), (row.two, row.two_reasons))
        )
        (found,) = findings(only(tmp_path, STATES.format(one, two)))
        assert found.kind is Kind.STATES
        assert found.advice, row


@pytest.mark.parametrize(
    ("one", "two", "kind", "risk"),
    [
        (f"Failed Reason: {Reason.SPLIT_BRAIN}", f"Failed Reason: {Reason.SPLIT_BRAIN}", Kind.STATES, Risk.SERVICE),
        (f"{State.BACKUP}", f"{State.FAILED_OVER}", Kind.STATES_UNEXPLAINED, Risk.FAILOVER),
        (f"{State.BACKUP} Reason: System Error", "Normal", Kind.STATES_UNEXPLAINED, Risk.ORDER),
        ("Unknown Reason: High Availability Not Enabled", "Unknown Reason: High Availability Not Enabled", Kind.HA_OFF, Risk.FAILOVER),
    ],
)  # fmt: skip
def test_states(tmp_path: Path, one: str, two: str, kind: Kind, risk: Risk) -> None:
    (found,) = findings(only(tmp_path, STATES.format(one, two)))
    assert (found.kind, found.risk) == (kind, risk)


def test_a_state_that_is_not_told(tmp_path: Path) -> None:
    nodes = table(IDS, "1|a|7", "2|b|7")
    found = findings(only(tmp_path, f"{HA}\n{nodes}"))
    assert [(each.kind, each.fields["node"]) for each in found] == [
        (Kind.STATE_NOT_TOLD, "a"),
        (Kind.STATE_NOT_TOLD, "b"),
    ]


@pytest.mark.parametrize(
    ("line", "state", "risk"),
    [
        ("Cisco XCP Router[STOPPED]  Commanded Out of Service", "Normal", Risk.SERVICE),
        ("A Cisco DB[STOPPING]", "Normal", Risk.SERVICE),
        ("Cisco Client Profile Agent[STOPPED]", "Normal", Risk.SERVICE),
        (
            "Cisco XCP Text Conference Manager[STOPPED]  Commanded Out of Service",
            "Normal",
            Risk.FAILOVER,
        ),
        ("Cisco Sync Agent[STARTING]", "Normal", Risk.ORDER),
        (
            "Cisco XCP Router[STOPPED]",
            f"{State.FAILED_OVER_DOWN} Reason: Critical Service Down",
            Risk.FAILOVER,
        ),
        ("Cisco Presence Engine[STOPPED]  Service Not Activated", "Normal", None),
        ("Cisco XCP Router[STARTED]", "Normal", None),
        ("Cisco XCP Router[UNKNOWN]", "Normal", None),
        ("Cisco XCP Router[STOPPED]", f"{State.IDLE} Reason: On Admin Request", None),
        ("Some Other Service[STOPPED]", "Normal", None),
    ],
)
def test_services(tmp_path: Path, line: str, state: str, risk: Risk | None) -> None:
    text = f"{STATES.format(state, 'Normal')}admin:utils service list a\n{line}\n"
    found = kinds(findings(only(tmp_path, text))).get(Kind.SERVICE_DOWN)
    assert (found and found.risk) == risk


def test_what_could_not_be_read_is_not_taken_for_stopped(tmp_path: Path) -> None:
    lines = "Cisco XCP Router[UNKNOWN]\nCisco Presence Engine[UNKNOWN]\nCisco SIP Proxy[STARTED]\n"
    text = f"{STATES.format('Normal', 'Normal')}admin:utils service list a\n{lines}"
    found = kinds(findings(only(tmp_path, text)))[Kind.SERVICES_UNREAD]
    assert found.risk is Risk.KNOWLEDGE
    assert "on a could not be read: Cisco XCP Router and Cisco Presence Engine" in found.sentence


def test_groups_nodes_and_versions(tmp_path: Path) -> None:
    nodes = table(IDS, "1|a|7", "2|b|7", "3|c|9")
    versions = "admin:show version active {}\nActive Master Version: {}\n"
    text = f"{HA}\n{nodes}\n{WELL}{versions.format('a', '14.0.1')}{versions.format('b', '15.0.1')}"
    found = kinds(findings(only(tmp_path, text)))
    assert found[Kind.VERSIONS_APART].fields["version2"] == "15.0.1"
    assert found[Kind.LOOSE].fields == {"what": "group id", "number": 1}
    off = table("id|name|haenabled", "7|G|f")
    alone = kinds(findings(only(tmp_path, f"{off}\n{table(IDS, '1|a|7', '2|b|NULL')}")))
    assert alone[Kind.ALONE].fields == {"group": "G", "node": "a"}
    assert alone[Kind.WITHOUT_GROUP].fields == {"node": "b"}


def users(number: int, node: str) -> str:
    return "".join(f"{node}{n},x,{node}\n" for n in range(number))


def test_more_users_than_one_node_carries(tmp_path: Path) -> None:
    head = "User ID,Display Name,Assigned Node\n"
    most = only(tmp_path, WELL, head + users(12_500, "a") + users(12_500, "b"))
    assert findings(most) == []
    (found,) = findings(only(tmp_path, WELL, head + users(12_500, "a") + users(12_501, "b")))
    assert found.kind is Kind.GROUP_TOO_LARGE
    assert found.fields == {"group": "G", "users": GROUP_USERS + 1, "most": GROUP_USERS}


def test_users_of_no_node_of_another_and_too_few(tmp_path: Path) -> None:
    head = "User ID,Display Name,Assigned Node\n"
    count = "admin:run sql select count(*) from enduser\n(count(*))\n==========\n9\n"
    found = kinds(
        findings(only(tmp_path, WELL + count, head + users(2, "a") + users(3, "c") + "x,y,\n"))
    )
    assert found[Kind.USERS_ELSEWHERE].fields == {"node": "c", "users": 3, "example": "c0"}
    assert found[Kind.USERS_UNASSIGNED].fields == {"users": 1, "example": "x"}
    assert found[Kind.USERS_NOT_ALL].fields == {"all": 9, "users": 6}


def test_parameters_by_the_rules_of_the_lab(tmp_path: Path) -> None:
    text = (
        "Clusterwide\nKeep Alive (Heartbeat) Timeout = 60\nKeep Alive (HeartBeat) Interval = 31\n\n"
        "a\nClient Re-Login Lower Limit = 120\n\nb\nClient Re-Login Lower Limit = 90\n"
    )
    found = kinds(findings(only(tmp_path, WELL, text)))
    assert "must be at least twice" in found[Kind.PARAMETER_RULE].sentence
    apart: dict[str, Any] = dict(found[Kind.PARAMETERS_APART].fields)
    assert apart == {
        "parameter": "Client Re-Login Lower Limit",
        "one": "a",
        "two": "b",
        "value": "120",
        "value2": "90",
    }


def test_every_kind_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Kind)


@pytest.mark.parametrize(
    ("state", "effect"),
    [
        ("Normal", "the node fails over when it has been down for the Critical Service Delay."),
        (f"{State.FAILED_OVER} Reason: Critical Service Down", "the node does not take its users back before it runs."),
        (f"{State.BACKUP} Reason: Critical Service Down", "SRM monitors it."),
        (f"Failed Reason: {Reason.SPLIT_BRAIN}", "SRM monitors it."),
    ],
)  # fmt: skip
def test_what_srm_makes_of_a_service_that_is_down(tmp_path: Path, state: str, effect: str) -> None:
    text = STATES.format(state, "Normal") + "\nNode Name : a\nCisco Presence Engine[STOPPED]\n"
    found = kinds(findings(only(tmp_path, text)))[Kind.SERVICE_DOWN]
    assert found.fields["effect"].endswith(effect)


def test_states_that_are_unknown_though_it_is_on_take_nobody_over(tmp_path: Path) -> None:
    states = STATES.format(*["Unknown Reason: Unknown"] * 2)
    found = kinds(findings(only(tmp_path, f"{HA}\n{states}")))
    assert found[Kind.STATES].risk is Risk.FAILOVER


def test_groups_of_two_versions(tmp_path: Path) -> None:
    text = WELL + WELL.replace("G", "H").replace(" a ", " c ").replace(" b ", " d ")
    text += "".join(
        f"admin:show version active {name}\nActive Master Version: {version}\n"
        for name, version in (("a", "14.0.1"), ("b", "14.0.1"), ("c", "15.0.1"), ("d", "15.0.1"))
    )
    (found,) = findings(only(tmp_path, text))
    assert (found.kind, found.risk) == (Kind.VERSIONS_APART, Risk.ORDER)
    assert (found.fields["one"], found.fields["two"]) == ("a", "c")


def test_a_count_of_all_end_users_is_not_one_of_those_of_presence(tmp_path: Path) -> None:
    count = (
        f"admin:run sql select count(*) from enduser\n(count(*))\n==========\n{CLUSTER_USERS + 1}\n"
    )
    (found,) = findings(only(tmp_path, WELL + count))
    assert (found.kind, found.risk) == (Kind.COUNT_TOO_LARGE, Risk.KNOWLEDGE)


def test_a_cluster_with_too_many_assigned_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.cluster.checks.CLUSTER_USERS", 7)
    head = "User ID,Display Name,Assigned Node\n"
    assert findings(only(tmp_path, WELL, head + users(7, "a"))) == []
    (found,) = findings(only(tmp_path, WELL, head + users(8, "a")))
    assert (found.kind, found.fields) == (Kind.CLUSTER_TOO_LARGE, {"users": 8, "most": 7})


def test_a_group_of_which_a_node_is_missing_or_too_many_are_told(tmp_path: Path) -> None:
    one = WELL.rpartition("Node 2")[0]
    (found,) = findings(only(tmp_path, one))
    assert (found.kind, found.risk) == (Kind.NO_PAIR, Risk.KNOWLEDGE)
    (found,) = findings(only(tmp_path, one.replace("Normal", "Unknown Reason: Unknown")))
    assert found.kind is Kind.ALONE
    (found,) = findings(only(tmp_path, WELL + "Node 3 Name : c State: Normal\n"))
    assert "Of G 3 nodes are told" in found.sentence


def test_a_server_of_telephones_that_is_not_reached(tmp_path: Path) -> None:
    line = "10.0.0.{0} {1}.x.example {1} Subscriber {2} DBSub not authenticated\n"
    network = line.format(1, "a", "cups") + line.format(2, "cucm", "callmanager")
    found = findings(only(tmp_path, WELL, f"admin:show network cluster\n{network}"))
    assert [(each.fields["node"], each.risk) for each in found] == [
        ("a", Risk.FAILOVER),
        ("cucm", Risk.ORDER),
    ]
