"""The Control Center: services, the XCP Router and those that live in it."""

from typing import Any

import pytest
from django.utils import timezone

from redundancy.catalog import DATABASE, PRESENCE_ENGINE, SERVICES, SRM, XCP_ROUTER, ServiceKind
from redundancy.drivers import get_driver
from redundancy.errors import Refused
from redundancy.models import Machine, NodeRuntime, Server, ServiceStatus
from redundancy.operations import power
from redundancy.operations.activation import set_activated
from redundancy.operations.servers import add_server
from redundancy.operations.services import (
    Restart,
    restart_critical,
    restart_service,
    start_again,
    start_service,
    stop_service,
)
from redundancy.selectors.services import services_of
from tests.deeds import deeds

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
    return list(deeds().values_list("sentence", flat=True))


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
    told = deeds().order_by("pk")
    names = [set(services) for services in told.values_list("inputs__services", flat=True)]
    assert names == [XCP, XCP, {SRM}, {SRM}, {SRM}, {WEB}]
    kinds = list(told.values_list("kind", flat=True))
    # What SRM started again nobody has asked for.
    assert kinds == ["admin", "lab", "admin", "admin", "admin", "admin"]


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


@pytest.mark.parametrize("stopped", [DATABASE, XCP_ROUTER, PRESENCE_ENGINE])
def test_srm_leaves_no_critical_service_stopped_and_touches_no_running_database(
    node: Server, stopped: str
) -> None:
    stop_service(server=node, name=stopped, actor="ann")
    before = {name: since(node, name) for name in DEFAULTS}
    critical = [DATABASE, XCP_ROUTER, PRESENCE_ENGINE]
    restart_critical([Restart(node, critical, "")])
    assert running(node) == DEFAULTS
    again = {name for name in DEFAULTS if since(node, name) > before[name]}
    database = {DATABASE} if stopped == DATABASE else set()
    assert again == XCP | {PRESENCE_ENGINE} | database
    # What the history names as restarted is what was.
    where, named = deeds().order_by("-pk").values_list("node", "inputs__services")[0]
    assert (where, set(named)) == (node.pk, XCP | {PRESENCE_ENGINE})


def test_with_a_running_router_srm_restarts_the_xcp_services_that_run(node: Server) -> None:
    stop_service(server=node, name=WEB, actor="ann")
    restart_critical([Restart(node, [XCP_ROUTER], "")])
    assert running(node) == DEFAULTS - {WEB}
    assert WEB not in sentences()[0]
    assert CONNECTION in sentences()[0]


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
    driver.stop({node.pk: [DATABASE, XCP_ROUTER, PRESENCE_ENGINE]})
    assert running(node) == DEFAULTS - XCP - {DATABASE, PRESENCE_ENGINE}
    driver.start({node.pk: [DATABASE, XCP_ROUTER, PRESENCE_ENGINE]})
    assert running(node) == DEFAULTS
    assert ARCHIVER not in running(node)


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
