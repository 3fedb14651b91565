"""The commands on a cluster: what they change, what they print, and what they refuse."""

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.catalog import XCP_ROUTER
from redundancy.cli import commands
from redundancy.cli.run import run
from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.models import (
    HaEvent,
    Machine,
    NodeService,
    PresenceSession,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.operations.servers import add_server
from redundancy.srm.states import State
from tests.cli.conftest import Cli, settle

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


def test_status_of_several_groups_is_separated(cli: Cli, cluster: RedundancyGroup) -> None:
    RedundancyGroup.objects.create(name="Rome")
    assert cli("utils ha status").lines[2:] == [
        f"Node 2 Name : imp-sub {OFF}",
        "",
        "Subcluster Name: Rome",
    ]
    assert cli("utils ha status Rome").lines == ["Subcluster Name: Rome"]


def test_a_failover_and_a_fallback(
    cli: Cli, normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While the command waits for SRM, the sweep runs.
    monkeypatch.setattr(commands, "sleep", lambda _: settle())
    for act, accepted, after in (
        (
            "failover",
            "Manual Failover",
            ["Idle Reason: On Admin Request", "Running in Backup Mode Reason: On Admin Request"],
        ),
        ("fallback", "Manual Fallback", ["Normal", "Normal"]),
    ):
        shown = cli(f"utils ha {act} imp-pub")
        assert shown.code == 0, shown.errors
        status = [
            "Subcluster Name: DefaultCUPSubCluster",
            f"Node 1 Name : imp-pub State: {after[0]}",
            f"Node 2 Name : imp-sub State: {after[1]}",
        ]
        assert shown.lines == [
            f"Initiate {accepted} for Node >imp-pub<",
            "Request SUCCESSFUL.",
            *status,
        ]
        assert HaEvent.objects.filter(kind="admin", actor__endswith=" (CLI)").exists()
        assert cli("utils ha status").lines == status


def test_a_request_that_nobody_takes_up_shows_the_state_as_it_is(
    cli: Cli, normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_TAKE_UP", 0)
    shown = cli("utils ha failover imp-pub")
    assert (shown.code, shown.lines[-2:]) == (
        0,
        ["Node 1 Name : imp-pub State: Normal", "Node 2 Name : imp-sub State: Normal"],
    )
    assert cli("utils ha failover imp-pub").errors == [
        "A request for this group is already being carried out."
    ]


def test_recover(cli: Cli, normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_TAKE_UP", 0)
    for server in normal.servers.all():
        server.runtime.state = State.FAILED
        server.runtime.save()
    shown = cli("utils ha recover DefaultCUPSubCluster")
    assert shown.code == 0, shown.errors
    assert shown.lines[:2] == [
        "Initiate Manual Recover for Subcluster >DefaultCUPSubCluster<",
        "Request SUCCESSFUL.",
    ]
    assert SrmMessage.objects.filter(kind="recover").count() == 2


def test_recover_after_a_takeover_that_failed(
    cli: Cli, normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    monkeypatch.setattr(commands, "sleep", lambda _: settle())
    faults.fail_next_move(group=normal, actor="tester")
    cli("utils ha failover imp-pub")
    settle()
    failed = "State: Failed Reason: Cisco Server Recovery Manager Take Over Users Failed"
    assert cli("utils ha status").lines[1:] == [
        f"Node 1 Name : imp-pub {failed}",
        f"Node 2 Name : imp-sub {failed}",
    ]
    # Nothing else is offered there.
    for other in ("failover imp-pub", "fallback imp-pub"):
        assert cli(f"utils ha {other}").code == 1
    shown = cli("utils ha recover DefaultCUPSubCluster")
    assert (shown.code, shown.errors) == (0, [])
    settle()
    assert cli("utils ha status").lines[1:] == [
        "Node 1 Name : imp-pub State: Normal",
        "Node 2 Name : imp-sub State: Normal",
    ]
    assert cli("utils ha recover DefaultCUPSubCluster").code == 1
    assert list(PresenceSession.objects.exclude(node=F("user__home"))) == []


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
        ["Node Name : imp-pub", "Cisco XCP Router[STOPPED]  Commanded Out of Service"],
    )
    routers = NodeService.objects.filter(name=XCP_ROUTER)
    assert [row.server.name for row in routers.filter(running=False)] == ["imp-pub"]
    assert "Cisco XCP Connection Manager[STOPPED]  Commanded Out of Service" in (
        cli("utils service list imp-pub").lines
    )
    assert "Cisco XCP Router[STARTED]" in cli("utils service list imp-sub").lines
    assert cli("utils service start cisco xcp router imp-pub").lines[1:] == [
        "Cisco XCP Router[STARTED]"
    ]
    assert cli(f"utils service restart {XCP_ROUTER} IMP-SUB").lines == [
        "Node Name : imp-sub",
        "Cisco XCP Router[STARTED]",
    ]
    assert HaEvent.objects.filter(actor__endswith=" (CLI)").count() == 3


def test_power(cli: Cli, cluster: RedundancyGroup) -> None:
    def machine() -> Machine:
        return Machine.objects.get(server__name="imp-sub")

    shown = cli("utils system shutdown imp-sub")
    assert (shown.code, shown.lines) == (
        0,
        ["Initiate System Shutdown for Node >imp-sub<", "Request SUCCESSFUL."],
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
    assert cli("utils system restart imp-sub").code == 0
    assert machine().boots_at is not None
    assert Machine.objects.get(server__name="imp-pub").powered


def test_show_network_cluster(cli: Cli, cluster: RedundancyGroup) -> None:
    add_server(name="cucm", server_type="cucm", actor="tester")
    cli("utils system shutdown imp-sub")
    rows = [line.split() for line in cli("show network cluster").lines]
    assert rows[0] == ["name", "type", "database", "group", "power"]
    assert rows[2] == ["cucm", "CUCM", "Voice/Video", "-", "-", "-"]
    assert rows[3][:9] == [
        *("imp-pub", "CUCM", "IM", "and", "Presence"),
        *("Publisher", "DefaultCUPSubCluster", "on", "since"),
    ]
    assert rows[3][11:] == ["(lab", "time)"]
    assert rows[4][5:] == ["Subscriber", "DefaultCUPSubCluster", "off"]


def test_that_nobody_looks_at_the_nodes_is_said_beside_the_output(
    cli: Cli, cluster: RedundancyGroup, valkey: str
) -> None:
    bus.client().delete(bus.MARK)
    shown = cli("utils ha status")
    assert shown.code == 0
    assert len(shown.lines) == 3
    assert shown.errors == ["We cannot see the nodes: no sweep has run yet."]


def test_help_is_a_command(cli: Cli) -> None:
    assert cli("utils service ?").lines[0].startswith("utils service list [node]")
    assert not Server.objects.exists()
