"""The commands on a cluster: what they change, what they print, and what they refuse."""

import pytest
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.catalog import XCP_ROUTER
from redundancy.cli.run import run
from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.models import (
    HaEvent,
    Machine,
    NodeService,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.operations import power
from redundancy.operations.functions import set_functions
from redundancy.operations.servers import add_server
from tests.cli.conftest import Cli

pytestmark = pytest.mark.django_db

OFF = "State: Unknown Reason: High Availability Not Enabled"


def test_status_with_ha_off(cli: Cli, cluster: RedundancyGroup) -> None:
    expected = [
        "Subcluster Name: DefaultCUPSubCluster",
        f"Node 1 Name : imp-pub {OFF}",
        f"Node 2 Name : imp-sub {OFF}",
    ]
    for line in ("utils ha status", "utils ha status defaultcupsubcluster"):
        shown = cli(line)
        assert (shown.lines, shown.code) == (expected, 0)


@pytest.mark.parametrize(
    ("saved", "given", "shown"),
    [
        ("imp-pub", "IMP-PUB.example.com", "imp-pub"),
        ("imp-pub.example.com", "imp-pub", "imp-pub.example.com"),
        ("imp-pub.example.com", "Imp-Pub.Example.com", "imp-pub.example.com"),
        ("imp-pub.example.com", "imp-pub.example.org", None),
        ("10.0.0.7", "10.0.0.7", "10.0.0.7"),
        ("10.0.0.7", "10", None),
    ],
)
def test_a_node_is_named_as_in_an_import(
    cli: Cli, cluster: RedundancyGroup, saved: str, given: str, shown: str | None
) -> None:
    Server.objects.filter(name="imp-pub").update(name=saved)
    found = cli(f"utils system poweron {given}")
    if shown is None:
        assert (found.code, found.errors) == (1, [f"There is no IM and Presence node {given!r}."])
    else:
        assert found.lines == [f"{shown} is on already; nothing was done."]


def test_a_name_that_may_be_several_nodes_names_them(cli: Cli, cluster: RedundancyGroup) -> None:
    Server.objects.filter(name="imp-pub").update(name="imp.example.com")
    Server.objects.filter(name="imp-sub").update(name="imp.example.org")
    for act in ("ha failover", "system shutdown", "service list"):
        found = cli(f"utils {act} imp")
        assert (found.code, found.errors) == (
            1,
            ["Node 'imp' may be imp.example.com or imp.example.org; give the whole name."],
        )
    assert cli("utils system poweron imp.example.org").code == 0


def test_status_of_several_groups_is_separated(cli: Cli, cluster: RedundancyGroup) -> None:
    RedundancyGroup.objects.create(name="Rome")
    assert cli("utils ha status").lines[2:] == [
        f"Node 2 Name : imp-sub {OFF}",
        "",
        "Subcluster Name: Rome",
    ]
    assert cli("utils ha status Rome").lines == ["Subcluster Name: Rome"]


CAUTION = (
    "Caution: High Availability of DefaultCUPSubCluster is on. Its SRM cannot tell planned work"
    " from a failure and may fail users over. Disable High Availability first."
)


@pytest.mark.parametrize(
    ("line", "cautioned"),
    [
        ("utils service stop Cisco XCP Router imp-sub", True),
        ("utils service restart Cisco XCP Router", True),
        ("utils service stop Cisco Server Recovery Manager imp-sub", True),
        ("utils service restart Cisco SIP Proxy", False),
        # Starting cures what SRM found.
        ("utils service start Cisco XCP Router imp-sub", False),
        ("utils system restart imp-sub", True),
        ("utils system shutdown imp-sub", True),
        ("utils system poweron imp-sub", False),
    ],
)
def test_what_srm_takes_for_a_failure_is_cautioned_while_ha_is_on(
    cli: Cli, normal: RedundancyGroup, line: str, cautioned: bool
) -> None:
    before = HaEvent.objects.count()
    if cautioned:
        # At the prompt it is asked, and No leaves everything as it is.
        said: list[str] = []
        with pytest.raises(Refused, match="Nothing was done"):
            list(run(line, actor="ann", warn=said.append, confirm=lambda: False))
        assert (said, HaEvent.objects.count()) == ([CAUTION], before)
        list(run(line, actor="ann", warn=said.append, confirm=lambda: True))
        assert HaEvent.objects.count() > before
    # A command given whole is carried out, and the caution told.
    shown = cli(line)
    assert (shown.code, CAUTION in shown.errors) == (0, cautioned)


@pytest.mark.parametrize("verb", ["stop", "deactivate"])
def test_what_only_clients_notice_is_cautioned_while_ha_is_on(
    cli: Cli, normal: RedundancyGroup, verb: str
) -> None:
    shown = cli(f"utils service {verb} Cisco XCP Connection Manager imp-pub")
    assert shown.code == 0
    assert shown.errors[0].startswith(
        "Caution: High Availability of DefaultCUPSubCluster is on. "
        "Everybody who is logged in at imp-pub is disconnected. Nobody can log in at imp-pub without"
    )
    assert "Logged in on imp-pub now: " in shown.errors[0]


@pytest.mark.parametrize(
    "line", ["utils service stop Cisco XCP Router", "utils system shutdown imp-pub"]
)
def test_there_is_no_caution_without_ha(cli: Cli, cluster: RedundancyGroup, line: str) -> None:
    assert cli(line).errors == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("utils ha failover imp-pub", "High Availability is not enabled."),
        ("utils ha fallback imp-pub", "High Availability is not enabled."),
        ("utils ha recover DefaultCUPSubCluster", "Recover is offered only while both"),
        ("utils ha status Rome", "There is no presence redundancy group 'Rome'."),
        ("utils ha recover Rome", "There is no presence redundancy group 'Rome'."),
        ("utils ha failover imp-x", "There is no IM and Presence node 'imp-x'."),
        # A CUCM server is no node of presence.
        ("utils ha failover cucm", "There is no IM and Presence node 'cucm'."),
        ("utils service list imp-x", "There is no IM and Presence node 'imp-x'."),
        ("utils service stop Cisco XCP Message Archiver", "is not activated"),
        ("utils service activate Cisco XCP Router", "it is always activated"),
        ("utils service activate Nothing", "There is no service 'Nothing'."),
        ("utils service deactivate", "the service is missing"),
        ("utils service stop Nothing", "There is no service 'Nothing'."),
        ("utils system shutdown imp-x", "There is no IM and Presence node 'imp-x'."),
        ("utils ha", "Incomplete command"),
        ("nonsense", "Unknown command"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    cli: Cli, cluster: RedundancyGroup, line: str, rule: str
) -> None:
    add_server(name="cucm", server_type="cucm", actor="tester")
    before = HaEvent.objects.count()
    shown = cli(line)
    assert (shown.code, shown.lines, len(shown.errors)) == (1, [], 1)
    assert rule in shown.errors[0]
    assert HaEvent.objects.count() == before
    assert not SrmMessage.objects.exists()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("utils ha status", "There is no presence redundancy group yet."),
        ("utils service list", "There is no IM and Presence node yet."),
    ],
)
def test_an_empty_system(cli: Cli, line: str, rule: str) -> None:
    shown = cli(line)
    assert (shown.code, shown.errors) == (1, [rule])


def test_services(cli: Cli, cluster: RedundancyGroup) -> None:
    # Without a node it is the publisher.
    shown = cli(f"utils service stop {XCP_ROUTER}")
    assert (shown.code, shown.lines) == (
        0,
        [
            "Service Manager is running",
            "Node Name : imp-pub",
            "Cisco XCP Router[STOPPING]",
            "Cisco XCP Router[STOPPED]  Commanded Out of Service",
        ],
    )
    routers = NodeService.objects.filter(name=XCP_ROUTER)
    assert [row.server.name for row in routers.filter(running=False)] == ["imp-pub"]
    assert "Cisco XCP Connection Manager[STOPPED]  Commanded Out of Service" in (
        cli("utils service list imp-pub").lines
    )
    assert "Cisco XCP Router[STARTED]" in cli("utils service list imp-sub").lines
    started = ["Cisco XCP Router[STARTING]", "Cisco XCP Router[STARTED]"]
    assert cli("utils service start cisco xcp router imp-pub").lines[2:] == started
    stopped = ["Cisco XCP Router[STOPPING]", "Cisco XCP Router[STOPPED]  Commanded Out of Service"]
    assert cli(f"utils service restart {XCP_ROUTER} IMP-SUB").lines == [
        "Service Manager is running",
        "Node Name : imp-sub",
        *stopped,
        *started,
    ]
    assert HaEvent.objects.filter(actor__endswith=" (CLI)").count() == 3
    # It goes through nothing where nothing is to be done, and is not stopped where it does not run.
    assert cli("utils service start Cisco XCP Router imp-pub").lines[2:] == started[1:]
    cli("utils service stop Cisco SIP Proxy imp-pub")
    again = cli("utils service restart Cisco SIP Proxy imp-pub").lines[2:]
    assert again == ["Cisco SIP Proxy[STARTING]", "Cisco SIP Proxy[STARTED]"]


def test_a_service_that_is_held_back_stays_starting(
    cli: Cli, cluster: RedundancyGroup, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    faults.break_replication(node=cluster.servers.get(slot=2), actor="")
    lines = cli("utils service restart Cisco SIP Proxy imp-sub").lines[2:]
    assert lines == [
        "Cisco SIP Proxy[STOPPING]",
        "Cisco SIP Proxy[STOPPED]  Commanded Out of Service",
        "Cisco SIP Proxy[STARTING]",
    ]


def test_activation(cli: Cli, cluster: RedundancyGroup) -> None:
    set_functions(configured={"compliance": True}, actor="ann")
    archiver = "Cisco XCP Message Archiver"
    shown = cli(f"utils service activate {archiver}")
    assert (shown.code, shown.errors, shown.lines[0]) == (0, [], "Node Name : imp-pub")
    assert shown.lines[1] == f"{archiver}[STARTED]"
    rows = NodeService.objects.filter(name=archiver, activated=True)
    assert [row.server.name for row in rows] == ["imp-pub"]
    # Given again it changes nothing.
    before = HaEvent.objects.count()
    assert cli(f"utils service activate {archiver.lower()} IMP-PUB").code == 0
    assert HaEvent.objects.count() == before
    assert cli(f"utils service deactivate {archiver}").code == 0
    assert not rows.all().exists()
    cli("utils system shutdown imp-sub")
    refused = cli(f"utils service activate {archiver} imp-sub")
    assert (refused.code, refused.lines) == (1, [])
    assert "imp-sub is powered off" in refused.errors[0]


def test_a_changed_list_of_srm_is_cautioned_while_ha_is_on(
    cli: Cli, normal: RedundancyGroup
) -> None:
    line = "utils service deactivate Cisco Presence Engine"
    before = HaEvent.objects.count()
    said: list[str] = []
    with pytest.raises(Refused, match="Nothing was done"):
        list(run(line, actor="ann", warn=said.append, confirm=lambda: False))
    assert "is on. Deactivated, so stopped and no longer monitored by SRM" in said[0]
    assert HaEvent.objects.count() == before
    assert cli(line).errors == said
    # What SRM does not watch, and what is so already.
    for harmless in (line, "utils service deactivate Cisco SIP Proxy"):
        assert cli(harmless).errors == []


def test_power(cli: Cli, cluster: RedundancyGroup, settings: Settings) -> None:
    def machine() -> Machine:
        return Machine.objects.get(server__name="imp-sub")

    shown = cli("utils system shutdown imp-sub")
    assert (shown.code, shown.lines) == (
        0,
        [
            "Initiate System Shutdown for Node >imp-sub<",
            "Request SUCCESSFUL.",
            "Appliance is being Powered - Off ...",
            "Shutting down Service Manager. Please wait...",
            "The system is going down for halt NOW!",
        ],
    )
    assert (machine().powered, machine().boots_at) == (False, None)
    assert cli("utils system shutdown imp-sub").errors == ["imp-sub is powered off."]
    assert "A Cisco DB[UNKNOWN]  Node Powered Off" in cli("utils service list imp-sub").lines
    assert cli("utils system poweron imp-sub").lines == [
        "Initiate System Power On for Node >imp-sub<",
        "Request SUCCESSFUL.",
    ]
    assert machine().powered
    shown = cli("utils system poweron imp-sub")
    assert (shown.code, shown.lines) == (0, ["imp-sub is on already; nothing was done."])
    settings.LAB_REBOOT_SECONDS = 121
    assert cli("utils system restart imp-sub").lines[2:] == [
        "Appliance is being Restarted ...",
        "Warning: Restart could take up to 3 minutes.",
        "Shutting down Service Manager. Please wait...",
        "The system is going down for reboot NOW!",
    ]
    assert machine().boots_at is not None
    assert Machine.objects.get(server__name="imp-pub").powered


def test_that_nobody_looks_at_the_nodes_is_said_beside_the_output(
    cli: Cli, cluster: RedundancyGroup, valkey: str
) -> None:
    bus.client().delete(bus.MARK)
    shown = cli("utils ha status")
    assert shown.code == 0
    assert len(shown.lines) == 3
    assert shown.errors == ["We cannot see the nodes: no sweep has run yet."]


def test_help_is_a_command(cli: Cli) -> None:
    assert cli("utils service ?").lines[0].startswith("utils service activate <service> [node]")
    assert not Server.objects.exists()


def test_the_replication_of_every_node(
    cli: Cli, cluster: RedundancyGroup, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    shown = cli("utils dbreplication runtimestate")
    assert shown.code == 0
    assert shown.lines[2:] == [
        "Cluster Detailed View (2 Servers):",
        "",
        "                         DB/RPC/  REPL.  Replication  REPLICATION SETUP",
        "SERVER-NAME  ROLE        DbMon?   QUEUE  Group ID     (RTMT) & Details",
        "-----------  ----------  -------  -----  -----------  -------------------",
        "imp-pub      Publisher   Y/Y/Y    0      (g_2)        (2) Setup Completed",
        "imp-sub      Subscriber  Y/Y/Y    0      (g_3)        (2) Setup Completed",
    ]
    faults.break_replication(node=cluster.servers.get(slot=2), actor="")
    power.power_off(server=cluster.servers.get(slot=1), actor="")
    assert cli("utils dbreplication runtimestate").lines[-2:] == [
        "imp-pub      Publisher   N/N/N    -      (g_2)        (-) Off-Line",
        "imp-sub      Subscriber  Y/Y/Y    0      (g_3)        (0) Not Set Up",
    ]


def test_there_is_no_replication_without_a_node(cli: Cli, db: None) -> None:
    shown = cli("utils dbreplication runtimestate")
    assert (shown.code, shown.errors) == (1, ["There is no IM and Presence node yet."])


def test_the_data_monitor_is_told_not_to_wait(
    cli: Cli, cluster: RedundancyGroup, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    sub = cluster.servers.get(slot=2)
    faults.break_replication(node=sub, actor="")
    power.power_off(server=sub, actor="")
    refused = cli("set replication-sync monitor disable imp-sub")
    assert (refused.code, refused.errors) == (1, ["imp-sub is powered off."])
    power.power_on(server=sub, actor="")
    assert "Cisco Presence Engine[STARTING]" in cli("utils service list imp-sub").lines
    shown = cli("set replication-sync monitor disable imp-sub")
    assert shown.lines == ["Replication monitoring is disabled on imp-sub."]
    assert "Cisco Presence Engine[STARTED]" in cli("utils service list imp-sub").lines
    assert cli("set replication-sync monitor enable imp-sub").lines == [
        "Replication monitoring is enabled on imp-sub."
    ]
    assert Machine.objects.get(server=sub).replication_monitor
    assert Machine.objects.filter(replication_monitor=True).count() == 2
