"""The Control Center: services, the XCP Router and those that live in it."""

from typing import Any

import pytest
from django.utils import timezone

from redundancy.catalog import DATABASE, PRESENCE_ENGINE, SERVICES, SRM, XCP_ROUTER, ServiceKind
from redundancy.drivers import get_driver
from redundancy.errors import Refused
from redundancy.models import HaEvent, Machine, NodeRuntime, Server, ServiceStatus
from redundancy.operations import power
from redundancy.operations.servers import add_server
from redundancy.operations.services import (
    restart_service,
    set_activated,
    set_configured,
    start_again,
    start_service,
    stop_service,
)
from redundancy.selectors.services import services_of

pytestmark = pytest.mark.django_db

CONNECTION = "Cisco XCP Connection Manager"
WEB = "Cisco XCP Web Connection Manager"
ARCHIVER = "Cisco XCP Message Archiver"
DEFAULTS = {service.name for service in SERVICES if service.by_default}
XCP = {service.name for service in SERVICES if service.by_default and service.xcp}


@pytest.fixture
def node() -> Server:
    return add_server(name="imp-pub", server_type="imp", actor="tester")


def running(node: Server) -> set[str]:
    return set(node.services.filter(running=True).values_list("name", flat=True))


def since(node: Server, name: str) -> Any:
    return node.services.get(name=name).since


def sentences() -> list[str]:
    return list(HaEvent.objects.filter(kind="lab").values_list("sentence", flat=True))


def test_one_service_alone(node: Server) -> None:
    before = since(node, PRESENCE_ENGINE)
    for _ in range(2):
        stop_service(server=node, name=PRESENCE_ENGINE, actor="ann")
    assert running(node) == DEFAULTS - {PRESENCE_ENGINE}
    stopped = since(node, PRESENCE_ENGINE)
    assert stopped > before
    for _ in range(2):
        start_service(server=node, name=PRESENCE_ENGINE, actor="ann")
    assert running(node) == DEFAULTS
    assert since(node, PRESENCE_ENGINE) > stopped
    assert sentences() == [
        "Cisco Presence Engine on imp-pub was started.",
        "Cisco Presence Engine on imp-pub was stopped.",
    ]


def test_the_router_takes_the_xcp_services_with_it_and_they_stay_stopped(node: Server) -> None:
    assert CONNECTION in XCP
    stop_service(server=node, name=XCP_ROUTER, actor="ann")
    assert running(node) == DEFAULTS - XCP
    start_service(server=node, name=XCP_ROUTER, actor="ann")
    assert running(node) == (DEFAULTS - XCP) | {XCP_ROUTER}
    assert all(seen.status == "Started" for seen in services_of(node) if seen.monitored)


def test_an_event_names_the_services_it_concerns(node: Server) -> None:
    stop_service(server=node, name=XCP_ROUTER, actor="ann")
    start_again(server=node, names=[XCP_ROUTER], actor="")
    for act in (stop_service, start_service, restart_service):
        act(server=node, name=SRM, actor="ann")
    set_activated(server=node, name=WEB, activated=False, actor="ann")
    told = HaEvent.objects.filter(kind="lab").order_by("pk")
    names = [set(services) for services in told.values_list("inputs__services", flat=True)]
    assert names == [XCP, XCP, {SRM}, {SRM}, {SRM}, {WEB}]


@pytest.mark.parametrize("act", [start_service, restart_service])
def test_no_xcp_service_without_the_router(node: Server, act: Any) -> None:
    stop_service(server=node, name=XCP_ROUTER, actor="ann")
    with pytest.raises(Refused, match="start that first") as caught:
        act(server=node, name=CONNECTION, actor="ann")
    assert caught.value.field == "name"
    assert CONNECTION not in running(node)
    start_service(server=node, name=XCP_ROUTER, actor="ann")
    act(server=node, name=CONNECTION, actor="ann")
    assert CONNECTION in running(node)


def test_restarting_the_router_restarts_what_ran(node: Server) -> None:
    stop_service(server=node, name=WEB, actor="ann")
    before = {name: since(node, name) for name in XCP}
    restart_service(server=node, name=XCP_ROUTER, actor="ann")
    assert running(node) == DEFAULTS - {WEB}
    assert all(since(node, name) > before[name] for name in XCP - {WEB})
    assert since(node, WEB) == before[WEB]
    assert CONNECTION in sentences()[0]
    assert WEB not in sentences()[0]


def test_a_stopped_service_restarts_into_running(node: Server) -> None:
    stop_service(server=node, name=DATABASE, actor="ann")
    restart_service(server=node, name=DATABASE, actor="ann")
    assert running(node) == DEFAULTS


def test_srm_is_a_service_too(node: Server) -> None:
    stop_service(server=node, name=SRM, actor="ann")
    assert not Machine.objects.get().srm_running
    start_service(server=node, name=SRM, actor="ann")
    restart_service(server=node, name=SRM, actor="ann")
    machine = Machine.objects.get()
    assert (machine.srm_running, machine.incarnation) == (True, 3)
    assert len(sentences()) == 3


@pytest.mark.parametrize("act", [start_service, stop_service, restart_service])
def test_what_cannot_be_controlled_is_refused(node: Server, act: Any) -> None:
    for name, rule in ((ARCHIVER, "is not activated"), ("<script>", "has no service named")):
        with pytest.raises(Refused, match=rule) as caught:
            act(server=node, name=name, actor="ann")
        assert caught.value.field == "name"
    power.power_off(server=node, actor="ann")
    with pytest.raises(Refused, match="powered off"):
        act(server=node, name=DATABASE, actor="ann")
    cucm = add_server(name="cucm", server_type="cucm", actor="tester")
    with pytest.raises(Refused, match="has no service named"):
        act(server=cucm, name=DATABASE, actor="ann")


def test_srm_starts_the_xcp_services_with_the_router(node: Server) -> None:
    driver = get_driver()
    driver.stop(node, [DATABASE, XCP_ROUTER, PRESENCE_ENGINE])
    assert running(node) == DEFAULTS - XCP - {DATABASE, PRESENCE_ENGINE}
    driver.start(node, [DATABASE, XCP_ROUTER, PRESENCE_ENGINE])
    assert running(node) == DEFAULTS
    assert ARCHIVER not in running(node)


def test_what_is_monitored_depends_on_the_deployment(node: Server) -> None:
    def monitored() -> set[str]:
        return {row.name for row in services_of(node) if row.monitored}

    assert monitored() == {DATABASE, XCP_ROUTER, PRESENCE_ENGINE}
    set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    assert ARCHIVER not in monitored()
    set_configured(server=node, name=ARCHIVER, configured=True, actor="ann")
    assert ARCHIVER in monitored()
    set_activated(server=node, name=PRESENCE_ENGINE, activated=False, actor="ann")
    assert PRESENCE_ENGINE not in monitored()


def test_an_activated_service_runs_and_a_deactivated_one_is_gone(node: Server) -> None:
    NodeRuntime.objects.update(due_at=300)
    for _ in range(2):
        set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    assert running(node) == DEFAULTS | {ARCHIVER}
    assert NodeRuntime.objects.get(server=node).due_at == 0
    for _ in range(2):
        set_activated(server=node, name=ARCHIVER, activated=False, actor="ann")
    assert running(node) == DEFAULTS
    assert sentences() == [
        f"{ARCHIVER} on imp-pub was deactivated.",
        f"{ARCHIVER} on imp-pub was activated.",
    ]


def test_an_xcp_service_is_activated_without_the_router_but_does_not_run(node: Server) -> None:
    stop_service(server=node, name=XCP_ROUTER, actor="ann")
    set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    assert ARCHIVER not in running(node)
    start_service(server=node, name=XCP_ROUTER, actor="ann")
    start_service(server=node, name=ARCHIVER, actor="ann")
    assert ARCHIVER in running(node)


def test_what_cannot_be_activated_or_configured_is_refused(node: Server) -> None:
    for name, rule in ((XCP_ROUTER, "network service"), ("nonsense", "has no service named")):
        with pytest.raises(Refused, match=rule) as caught:
            set_activated(server=node, name=name, activated=False, actor="ann")
        assert caught.value.field == "name"
    for name in (PRESENCE_ENGINE, "nonsense"):
        with pytest.raises(Refused, match="does not depend"):
            set_configured(server=node, name=name, configured=True, actor="ann")
    power.power_off(server=node, actor="ann")
    with pytest.raises(Refused, match="powered off"):
        set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    # What the deployment wants is known of a node that is off, too.
    NodeRuntime.objects.update(due_at=300)
    for _ in range(2):
        set_configured(server=node, name=ARCHIVER, configured=True, actor="ann")
    assert sentences()[0] == f"The function of {ARCHIVER} on imp-pub is configured."
    assert len([said for said in sentences() if "function" in said]) == 1
    assert NodeRuntime.objects.get(server=node).due_at == 0


def test_cannot_read_is_not_stopped(node: Server) -> None:
    rows = {row.name: row for row in services_of(node)}
    assert rows[ARCHIVER].status == ServiceStatus.NOT_ACTIVATED
    assert not rows[ARCHIVER].activated
    assert rows[DATABASE].status == ServiceStatus.STARTED
    up, since = rows[DATABASE].up_seconds, rows[DATABASE].since
    assert up is not None
    assert 0 <= up < 60
    assert since is not None
    assert since <= timezone.now()
    stop_service(server=node, name=DATABASE, actor="ann")
    assert {row.name: row.status for row in services_of(node)}[DATABASE] == ServiceStatus.STOPPED
    power.power_off(server=node, actor="ann")
    rows = {row.name: row for row in services_of(node)}
    assert {row.status for row in rows.values()} == {ServiceStatus.UNKNOWN}
    assert {row.since for row in rows.values()} == {None}
    assert rows[DATABASE].activated
    assert not rows[ARCHIVER].activated


def test_the_control_center_lists_by_kind(node: Server) -> None:
    names = [row.name for row in services_of(node)]
    assert names == [service.name for service in SERVICES]
    for kind in ServiceKind:
        assert [row.name for row in services_of(node, kind)] == [
            service.name for service in SERVICES if service.kind == kind
        ]


def test_all_nodes_are_observed_in_one_query(node: Server, django_assert_num_queries: Any) -> None:
    nodes = [node, *(add_server(name=f"n{i}", server_type="imp", actor="") for i in (1, 2))]
    with django_assert_num_queries(1):
        seen = get_driver().observe(nodes)
    assert {pk: len(services) for pk, services in seen.items()} == {
        server.pk: len(SERVICES) for server in nodes
    }


@pytest.mark.parametrize("act", [stop_service, restart_service])
@pytest.mark.parametrize("name", [DATABASE, XCP_ROUTER, SRM])
def test_srm_looks_around_after_each_change(node: Server, act: Any, name: str) -> None:
    NodeRuntime.objects.update(due_at=300)
    act(server=node, name=name, actor="ann")
    runtime = NodeRuntime.objects.get(server=node)
    assert runtime.due_at == 0
    assert runtime.version > 0
