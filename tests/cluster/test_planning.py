"""The lab that a snapshot tells of: what it will be, what is assumed, left out or refused."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from redundancy.catalog import SERVICES, SRM
from redundancy.cluster.lab_plan import Plan, PlannedServer, Sort
from redundancy.cluster.plan_report import data
from redundancy.srm.states import Reason, State
from redundancy.srm.words import english
from redundancy.twin.reads import planned
from tests.cluster.inputs import HA_GUIDE, only, table

OFF = "State: Unknown Reason: High Availability Not Enabled"
PAIR = f"""admin:utils ha status
Subcluster Name: G
Node 1 Name : na {OFF}
Node 2 Name : nb {OFF}
"""
ON = PAIR.replace(OFF, "State: Normal")


def plan_of(folder: Path, *texts: str) -> Plan:
    return planned(only(folder, *texts))


def notes(plan: Plan, sort: Sort) -> list[str]:
    return [english(note.sentence) for note in plan.notes if note.sort is sort]


def refused(plan: Plan) -> dict[str, str]:
    return {each.field: english(each.rule) for each in plan.refusals}


def node(plan: Plan, name: str) -> PlannedServer:
    return next(server for server in plan.servers if server.name == name)


def list_of(name: str, services: dict[str, str]) -> str:
    lines = "".join(f"{service}[{status}\n" for service, status in services.items())
    return f"admin:utils service list {name}\n{lines}\n"


def test_what_is_not_told_is_assumed_and_each_is_noted(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, PAIR)
    assert plan.refusals == ()
    assert notes(plan, Sort.ASSUMED) == [
        "IM&P database publisher of the cluster: not told; taken as na.",
        "Admin RPC Port, Enable Automatic Fallback, Critical Service Delay, Keep Alive (HeartBeat) Interval, "
        "Keep Alive (Heartbeat) Timeout, Initialization Keep Alive (Heartbeat) Timeout, Service Port of the "
        "cluster: not told; taken as the defaults.",
        "Installed Version of na: not told; taken as 14.0.1.",
        "services of na: not told; taken as on a new node.",
        "Client Re-Login Lower Limit, Client Re-Login Upper Limit of na: not told; taken as the defaults.",
        "Installed Version of nb: not told; taken as 14.0.1.",
        "services of nb: not told; taken as on a new node.",
        "Client Re-Login Lower Limit, Client Re-Login Upper Limit of nb: not told; taken as the defaults.",
        "Configured functions of the cluster: not told; taken as none.",
    ]
    assert notes(plan, Sort.BEGINS) == ["G: High Availability is off."]
    assert notes(plan, Sort.LEFT_OUT) == []


def test_services_are_as_they_are_told(tmp_path: Path) -> None:
    told = {each.name: "STARTED]" for each in SERVICES} | {
        "Cisco SIP Proxy": "STOPPED]  Service Not Activated",
        "Cisco Presence Engine": "STOPPED]  Commanded Out of Service",
        "Cisco XCP Directory Service": "STARTING]",
        "Cisco OAM Agent": "UNKNOWN]",
        "Cisco Sync Agent": "STOPPED]  Service Not Activated",
        "Cisco Tomcat": "STARTED]",
    }
    plan = plan_of(tmp_path, PAIR, list_of("na", told))
    services = {
        name: (each.activated, each.running) for name, each in node(plan, "na").services.items()
    }
    assert services["Cisco SIP Proxy"] == (False, False)
    assert services["Cisco Presence Engine"] == (True, False)
    assert services["Cisco XCP Directory Service"] == (True, True)
    assert services["Cisco OAM Agent"] == (True, True)
    # A network service is always activated.
    assert services["Cisco Sync Agent"] == (True, False)
    assumed = notes(plan, Sort.ASSUMED)
    assert "Cisco XCP Directory Service of na: STARTING; taken as started." in assumed
    assert "Cisco OAM Agent of na: cannot be read; taken as on a new node." in assumed
    assert notes(plan, Sort.LEFT_OUT) == [
        "Services of na that the lab does not have: 1, such as Cisco Tomcat."
    ]
    # What SRM monitors only where it is configured was activated.
    assert set(plan.functions) == {
        "compliance",
        "persistent_chat",
        "sip_federation",
        "xmpp_federation",
    }


def test_no_xcp_service_runs_beside_a_stopped_router(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, PAIR, list_of("na", {"Cisco XCP Router": "STOPPED]"}))
    services = node(plan, "na").services
    manager = "Cisco XCP Connection Manager"
    assert (services[manager].activated, services[manager].running) == (True, False)
    assert services["A Cisco DB"].running
    assert (
        f"{manager}, Cisco XCP Authentication Service, Cisco XCP Web Connection Manager of na: Cisco XCP Router "
        "is stopped; taken as stopped." in notes(plan, Sort.ASSUMED)
    )


def test_power_and_srm(tmp_path: Path) -> None:
    silent = "State: Cisco Server Recovery Manager Not Responding"
    text = ON.replace("na State: Normal", f"na {silent}").replace(
        "nb State: Normal", f"nb {silent}"
    )
    network = (
        "admin:show network cluster\n"
        "10.0.0.1 na.x.example na Publisher cups DBPub authenticated\n"
        "10.0.0.2 nb.x.example nb Subscriber cups DBSub not authenticated\n"
    )
    plan = plan_of(
        tmp_path, text, network, list_of("na", {SRM: "STARTED]", "A Cisco DB": "STARTED]"})
    )
    assert (node(plan, "na").powered, node(plan, "na").srm_running) == (True, False)
    assert node(plan, "nb").powered is False
    assert f"{SRM} of na: it does not respond; taken as stopped." in notes(plan, Sort.ASSUMED)
    assert "Power of nb: it is not reached; taken as switched off." in notes(plan, Sort.ASSUMED)
    assert node(plan, "na").address == "10.0.0.1"
    assert {server.domain for server in plan.nodes} == {"x.example"}
    (begins,) = notes(plan, Sort.BEGINS)
    assert "These states are not begun in." in begins


def test_servers_of_both_products_and_of_none(tmp_path: Path) -> None:
    servers = "admin:run sql select * from processnode\n" + table(
        "pkid|name|tkprocessnoderole", "1|cucm|1", "2|na|2", "3|lost|NULL"
    )
    plan = plan_of(tmp_path, PAIR, servers)
    assert (node(plan, "cucm").presence, node(plan, "na").presence) == (False, True)
    assert notes(plan, Sort.LEFT_OUT) == [
        "Servers whose product is another or not told: 1, such as lost."
    ]


def test_parameters_of_cluster_and_nodes(tmp_path: Path) -> None:
    text = "admin:run sql select * from processnode\n" + table(
        "pkid|name|tkprocessnoderole", "1|EnterpriseWideData|NULL", "2|na|2", "3|nb|2"
    )
    text += "\nadmin:run sql select * from processconfig\n" + table(
        "paramname|paramvalue|fkprocessnode",
        "Critical Service Delay|120|1",
        "Enable Automatic Fallback|t|1",
        "Service Port|80|1",
        "Something Else|x|1",
        "User Assignment Mode for Presence Server|Active-Standby|1",
        "Client Re-Login Upper Limit|300|2",
        "Client Re-Login Upper Limit|537|3",
    )
    plan = plan_of(tmp_path, PAIR, text)
    assert plan.parameters == {"critical_service_delay": "120", "automatic_fallback": "True"}
    assert plan.enterprise == {"assignment_mode": "Active-Standby"}
    assert node(plan, "na").parameters == {"relogin_upper": "300"}
    assert node(plan, "nb").parameters == {}
    assert (
        "Service Port of the cluster: 80 is told, which the lab does not take; taken as 22001."
        in notes(plan, Sort.ASSUMED)
    )
    assert (
        "Parameters of the cluster that the lab does not have: 1, such as Something Else."
        in notes(plan, Sort.LEFT_OUT)
    )


def test_users_and_what_is_odd_about_them(tmp_path: Path) -> None:
    text = "admin:run sql select count(*) from enduser\n(count(*))\n==========\n9\n\n"
    text += "admin:\nuserid,node\nann,na\nbob,\njim,elsewhere\njoe doe,nb\n"
    plan = plan_of(tmp_path, PAIR, text, "userid,displayname\nzoe,Zoe\n")
    assert [(user.name, user.address, user.node) for user in plan.users] == [
        ("ann", "ann@example.com", "na"),
        ("bob", "bob@example.com", ""),
        ("jim", "jim@example.com", ""),
        ("zoe", "zoe@example.com", ""),
    ]
    assumed = notes(plan, Sort.ASSUMED)
    for part in (
        "Assigned node of 1 user(s), such as zoe: not told; taken as none.",
        "Assigned node of 1 user(s), such as jim: elsewhere is no node that is told; taken as none.",
        "IM Address of 4 user(s), such as ann: not told; taken as userid@example.com.",
        "Session of 4 user(s), such as ann: not told; taken as logged in where assigned.",
    ):
        assert part in assumed
    left = notes(plan, Sort.LEFT_OUT)
    assert "Users whose names or addresses the lab does not take: 1, such as joe doe." in left
    assert "There are 9 users by a count, and 5 were listed." in left


def test_what_is_disputed_is_taken_as_not_told(tmp_path: Path) -> None:
    groups = "admin:run sql select * from enterprisesubcluster\n" + table("name|haenabled", "G|t")
    plan = plan_of(tmp_path, PAIR, groups)
    assert plan.groups[0].ha is False
    assert "High Availability of G: disputed; taken as off." in notes(plan, Sort.ASSUMED)


@pytest.mark.parametrize(
    ("one", "two", "begins"),
    [
        ("Normal", "Normal", ""),
        ("Idle Reason: On Admin Request", "Running in Backup Mode Reason: On Admin Request", "nb"),
        ("Failed Over Reason: Initialization", "Running in Backup Mode Reason: Peer Down", "nb"),
        ("Failing Over Reason: On Admin Request", "Taking Over Reason: On Admin Request", None),
        ("Normal", "Running in Backup Mode Reason: Peer Down", None),
        ("Idle", "Running in Backup Mode", None),
    ],
)
def test_which_pairs_can_be_begun_in(
    one: str, two: str, begins: str | None, tmp_path: Path
) -> None:
    text = ON.replace("na State: Normal", f"na State: {one}")
    text = text.replace("nb State: Normal", f"nb State: {two}")
    plan = plan_of(tmp_path, text)
    (group,) = plan.groups
    assert (group.as_told, group.holder) == (begins is not None, begins or "")
    if begins == "nb":
        assert node(plan, "nb").state is State.BACKUP
        assert node(plan, "nb").reason in set(Reason)


GROUPS = "admin:run sql select * from enterprisesubcluster\n"
NODES = "admin:run sql select * from enterprisenode\n"


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        (
            "admin:\nuserid,node\nann,na\n",
            "groups",
            "No presence redundancy group is told; utils ha status tells them.",
        ),
        ("admin:\nuserid,node\nann,na\n", "servers", "No IM and Presence server is told."),
        (
            GROUPS
            + table("id|name|haenabled", "1|G|t")
            + "\n"
            + NODES
            + table("id|name|subclusterid", "1|na|1"),
            "G",
            "High Availability is on, and it needs two servers; told are: na.",
        ),
        (
            GROUPS
            + table("id|name|haenabled", "1|G|f")
            + "\n"
            + NODES
            + table("id|name|subclusterid", "1|na|1", "2|nb|1", "3|nc|1"),
            "G",
            "A group has one or two servers; told are na, nb and nc.",
        ),
        (
            PAIR + "\n" + PAIR.replace(": G", ": H").replace(": nb", ": nc"),
            "na",
            "A server is in at most one group; told are G and H.",
        ),
        (
            PAIR + NODES + table("id|name|isprimary", "1|na|t", "2|nb|t"),
            "publisher",
            "There is one IM&P database publisher; told are na and nb.",
        ),
        (
            PAIR.replace(": G", ": a b"),
            "a b",
            "Name must be 1 to 128 characters: letters, digits, underscores and hyphens.",
        ),
        (
            PAIR.replace(": na ", ": a_b "),
            "a_b",
            "Host Name/IP Address must be a host name, a fully qualified domain name or an IP address of 2 "
            "to 63 characters.",
        ),
        (
            GROUPS
            + table("name|haenabled", "G|f", "g|f")
            + "\n"
            + NODES
            + table("id|name|isprimary", "1|aa|t"),
            "group",
            "g is told twice.",
        ),
    ],
)
def test_no_lab_is_made_of_what_cannot_be_one(
    text: str, field: str, rule: str, tmp_path: Path
) -> None:
    assert refused(plan_of(tmp_path, text))[field] == rule


def test_more_than_the_lab_takes_is_refused(tmp_path: Path, settings: Settings) -> None:
    settings.MAX_IMP_SERVERS, settings.MAX_GROUPS = 1, 0
    found = refused(plan_of(tmp_path, HA_GUIDE))
    assert found["servers"] == "There must not be more than 1 nodes."
    assert found["groups"] == "There must not be more than 0 groups."


def test_parameters_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    text = "parameters\n\nclusterwide\n  Keep Alive (Heartbeat) Timeout = 300\n"
    plan = plan_of(tmp_path, HA_GUIDE, text)
    assert refused(plan) == {
        "the cluster": "Initialization Keep Alive (Heartbeat) Timeout (120) must not be below the Keep Alive "
        "(Heartbeat) Timeout (300)."
    }
    assert data(plan)["refused"][0]["field"] == "the cluster"
