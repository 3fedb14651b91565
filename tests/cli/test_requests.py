"""Failover, fallback and recovery by the command line: what is asked, refused and told."""

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from redundancy.catalog import XCP_ROUTER
from redundancy.cli import commands
from redundancy.cli.run import run
from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.models import HaEvent, PresenceSession, RedundancyGroup, Server, SrmMessage
from redundancy.operations import services
from redundancy.srm.states import State
from tests.cli.conftest import Cli, settle

pytestmark = pytest.mark.django_db


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
        ("fallback", "Manual fallback", ["Normal", "Normal"]),
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


@pytest.mark.parametrize(("yes", "code"), [(True, 0), (False, 1)])
def test_a_failover_to_a_node_where_nobody_can_log_in_asks(
    normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch, yes: bool, code: int
) -> None:
    monkeypatch.setattr(commands, "_TAKE_UP", 0)
    sub = Server.objects.get(name="imp-sub")
    services.stop_service(server=sub, name="Cisco XCP Connection Manager", actor="ann")
    settle()
    said: list[str] = []
    refused = ""
    try:
        list(run("utils ha failover imp-pub", actor="ann", warn=said.append, confirm=lambda: yes))
    except Refused as error:
        refused = error.rule
    assert said[0].startswith(
        "Caution: Nobody can log in at imp-sub: Cisco XCP Connection Manager does not run there."
    )
    assert refused == ("Nothing was done." if code else "")
    assert SrmMessage.objects.exists() is yes


def test_a_failover_to_a_node_with_a_critical_service_down_is_refused_without_asking(
    cli: Cli, normal: RedundancyGroup
) -> None:
    services.stop_service(server=Server.objects.get(name="imp-sub"), name=XCP_ROUTER, actor="ann")
    settle()
    shown = cli("utils ha failover imp-pub")
    assert (shown.code, shown.lines) == (1, [])
    assert shown.errors == [
        "Failover needs all critical services of imp-sub to run; "
        "imp-sub reports that not all of them do."
    ]
    assert not SrmMessage.objects.exists()
    assert cli("utils ha status").lines[1] == "Node 1 Name : imp-pub State: Normal"


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
    assert shown.lines == ["Stopping services... Stopped", "Starting services... Started"]
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
    assert shown.lines == ["Stopping services... Stopped", "Starting services... Started"]
    settle()
    assert cli("utils ha status").lines[1:] == [
        "Node 1 Name : imp-pub State: Normal",
        "Node 2 Name : imp-sub State: Normal",
    ]
    assert cli("utils ha recover DefaultCUPSubCluster").code == 1
    assert list(PresenceSession.objects.exclude(node=F("user__home"))) == []


def test_recover_says_what_did_not_start(
    cli: Cli, normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_TAKE_UP", 0)
    for server in normal.servers.all():
        server.runtime.state = State.FAILED
        server.runtime.save()
    router = normal.servers.get(name="imp-sub").services.filter(name="Cisco XCP Router")
    router.update(running=False)
    shown = cli("utils ha recover DefaultCUPSubCluster")
    assert shown.code == 0
    assert shown.lines == ["Stopping services... Stopped", "Starting services... Requested"]
    assert shown.errors == ["imp-sub: Cisco XCP Router is not started yet."]
