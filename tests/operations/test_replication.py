"""Database replication that is not set up: what the Data Monitor holds back, and what lets it go."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from redundancy.catalog import DATA_MONITOR, PRESENCE_ENGINE, SERVICES, XCP_ROUTER, ServiceKind
from redundancy.clock import lab_datetime, lab_now
from redundancy.drivers.replication import PUBLISHER_TIMEOUT
from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.models import Fault, HaEvent, Machine, NodeService, RedundancyGroup, Server
from redundancy.operations import activation, power, replication, services
from redundancy.operations.sample import load_sample_cluster
from redundancy.selectors import replication as selectors
from redundancy.selectors.services import services_of

pytestmark = pytest.mark.django_db

PROXY = "Cisco SIP Proxy"
ARCHIVER = "Cisco XCP Message Archiver"
HELD = {s.name for s in SERVICES if s.kind is ServiceKind.FEATURE and s.by_default}


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> RedundancyGroup:
    settings.FAULT_LAB = True
    monkeypatch.setattr("redundancy.operations.sample.USERS", 2)
    return load_sample_cluster(actor="tester")


@pytest.fixture
def pub(pair: RedundancyGroup) -> Server:
    return pair.servers.get(slot=1)


@pytest.fixture
def sub(pair: RedundancyGroup) -> Server:
    return pair.servers.get(slot=2)


def in_status(server: Server, status: str) -> set[str]:
    return {row.name for row in services_of(server) if row.status == status}


def boot(server: Server) -> None:
    power.power_off(server=server, actor="")
    power.power_on(server=server, actor="")


def last() -> str:
    return str(HaEvent.objects.latest("pk").sentence)


def test_what_runs_goes_on_until_the_node_boots(sub: Server, pub: Server) -> None:
    faults.break_replication(node=sub, actor="ann")
    assert in_status(sub, "Starting") == set()
    boot(sub)
    assert in_status(sub, "Starting") == HELD
    assert "its Data Monitor holds back at Starting: Cisco Presence Engine" in last()
    assert HaEvent.objects.latest("pk").inputs == {"services": sorted(HELD)}
    # Network services, those of SRM and of the router among them, do not wait.
    assert XCP_ROUTER in in_status(sub, "Started")
    assert in_status(sub, "Stopped") == set()
    engine = NodeService.objects.get(server=sub, name=PRESENCE_ENGINE)
    assert (engine.running, engine.since) == (False, Machine.objects.get(server=sub).up_since)
    boot(pub)
    assert in_status(pub, "Starting") == set()


def test_it_starts_when_replication_is_set_up(sub: Server) -> None:
    faults.break_replication(node=sub, actor="ann")
    boot(sub)
    faults.set_up_replication(node=sub, actor="ann")
    assert in_status(sub, "Starting") == set()
    assert in_status(sub, "Started") >= HELD
    assert last().startswith("Started on imp-sub, as its Data Monitor holds them back no longer: ")
    assert PRESENCE_ENGINE in last()
    assert not Fault.objects.exists()


@pytest.mark.parametrize("end", ["clear", "lift"])
def test_every_end_of_the_fault_lets_it_start(sub: Server, end: str) -> None:
    faults.break_replication(node=sub, actor="ann")
    boot(sub)
    if end == "clear":
        faults.clear(group=sub.group, actor="ann")
    else:
        faults.lift(fault_id=Fault.objects.get().pk, actor="ann")
    assert in_status(sub, "Starting") == set()


def test_the_cure_of_the_field(sub: Server) -> None:
    faults.break_replication(node=sub, actor="ann")
    boot(sub)
    for _ in range(2):
        replication.set_monitor(server=sub, on=False, actor="ann")
    assert in_status(sub, "Started") >= HELD
    boot(sub)
    assert in_status(sub, "Starting") == set()
    replication.set_monitor(server=sub, on=True, actor="ann")
    # What runs goes on; the next start waits again.
    assert in_status(sub, "Starting") == set()
    boot(sub)
    assert in_status(sub, "Starting") == HELD
    said = HaEvent.objects.filter(actor="ann", sentence__contains="Data Monitor on imp-sub")
    assert [event.inputs for event in said] == [{"services": [DATA_MONITOR]}] * 2


def test_the_monitor_of_a_node_that_is_off_is_not_reached(sub: Server) -> None:
    power.power_off(server=sub, actor="")
    with pytest.raises(Refused, match="imp-sub is powered off"):
        replication.set_monitor(server=sub, on=False, actor="ann")
    assert Machine.objects.get(server=sub).replication_monitor


def test_what_is_started_by_hand_is_held_too_and_said_so(sub: Server) -> None:
    faults.break_replication(node=sub, actor="ann")
    services.restart_service(server=sub, name=PRESENCE_ENGINE, actor="ann")
    assert in_status(sub, "Starting") == {PRESENCE_ENGINE}
    assert "Database replication of imp-sub is not set up" in last()
    before = HaEvent.objects.count()
    services.start_service(server=sub, name=PRESENCE_ENGINE, actor="ann")
    assert HaEvent.objects.count() == before
    services.stop_service(server=sub, name=PRESENCE_ENGINE, actor="ann")
    assert in_status(sub, "Stopped") == {PRESENCE_ENGINE}
    activation.set_activated(server=sub, name=ARCHIVER, activated=True, actor="ann")
    assert in_status(sub, "Starting") == {ARCHIVER}
    activation.set_activated(server=sub, name=ARCHIVER, activated=False, actor="ann")
    assert in_status(sub, "Starting") == set()


def test_the_router_takes_those_with_it_that_are_held(sub: Server) -> None:
    faults.break_replication(node=sub, actor="ann")
    boot(sub)
    services.restart_service(server=sub, name=XCP_ROUTER, actor="ann")
    assert in_status(sub, "Starting") == HELD
    services.stop_service(server=sub, name=XCP_ROUTER, actor="ann")
    assert in_status(sub, "Starting") == {PRESENCE_ENGINE, PROXY}
    faults.set_up_replication(node=sub, actor="ann")
    # They stay stopped, as after every stop of the router.
    assert in_status(sub, "Stopped") == HELD - {PRESENCE_ENGINE, PROXY} | {XCP_ROUTER}


def test_a_node_that_goes_off_starts_nothing(sub: Server) -> None:
    faults.break_replication(node=sub, actor="ann")
    boot(sub)
    power.power_off(server=sub, actor="")
    faults.set_up_replication(node=sub, actor="ann")
    assert not NodeService.objects.filter(server=sub, running=True).exists()
    assert not NodeService.objects.filter(server=sub, starting=True).exists()


def test_the_publisher_goes_on_after_a_time_out(pub: Server, sub: Server) -> None:
    for node in (pub, sub):
        faults.break_replication(node=node, actor="ann")
        boot(node)
    both = {pub.pk, sub.pk}
    up = Machine.objects.get(server=pub).up_since
    assert up is not None
    replication.let_publisher_go_on(nodes=both, now=up.timestamp() + PUBLISHER_TIMEOUT - 1)
    assert in_status(pub, "Starting") == HELD
    # The lab's clock cannot be moved: the boots are, back.
    for machine in Machine.objects.all():
        machine.up_since = lab_datetime() - timedelta(seconds=PUBLISHER_TIMEOUT)
        machine.save()
    replication.let_publisher_go_on(nodes=both, now=lab_now())
    assert (in_status(pub, "Starting"), in_status(sub, "Starting")) == (set(), HELD)
    # Time did it, nobody else.
    assert HaEvent.objects.latest("pk").actor == ""
    services.restart_service(server=pub, name=PRESENCE_ENGINE, actor="ann")
    assert in_status(pub, "Starting") == set()


def test_without_the_fault_lab_nothing_is_held(sub: Server, settings: Settings) -> None:
    faults.break_replication(node=sub, actor="ann")
    settings.FAULT_LAB = False
    boot(sub)
    assert in_status(sub, "Starting") == set()


def test_how_it_is_told(pub: Server, sub: Server) -> None:
    def told(server: Server) -> str:
        machine = Machine.objects.select_related("server").get(server=server)
        return str(selectors.held_back(server, machine, services_of(server)))

    def values() -> list[int | None]:
        return [node.value for node in selectors.of_nodes([pub, sub])]

    assert (told(sub), values()) == ("", [2, 2])
    faults.break_replication(node=sub, actor="ann")
    assert (told(sub), values()) == ("", [2, 0])
    boot(sub)
    assert "holds back at Starting: Cisco SIP Proxy, Cisco Presence Engine," in told(sub)
    assert "set replication-sync monitor disable imp-sub" in told(sub)
    faults.break_replication(node=pub, actor="ann")
    boot(pub)
    assert "The Data Monitor of the publisher goes on 5 min after the node came up." in told(pub)
    services.stop_service(server=pub, name="A Cisco DB", actor="ann")
    power.power_off(server=sub, actor="ann")
    assert values() == [None, None]
