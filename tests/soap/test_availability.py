"""High availability by AXL of IM and Presence."""

from typing import Any

import pytest
from lxml import etree

from redundancy import bus
from redundancy.catalog import PRESENCE_ENGINE, SERVICES, XCP_ROUTER
from redundancy.models import NodeService, RedundancyGroup, Server
from redundancy.operations.activation import set_activated
from redundancy.operations.groups import enable_ha
from redundancy.operations.services import stop_service
from redundancy.permissions import AXL_READ_ONLY
from redundancy.selectors import observing
from redundancy.soap.uuids import uuid_of
from tests.cli.conftest import settle
from tests.soap.asking import Asking, envelope, fault, fields
from tests.soap.conftest import PASSWORD


@pytest.fixture
def normal(group: RedundancyGroup, valkey: str) -> RedundancyGroup:
    """The sample cluster with both nodes Normal."""
    # Heartbeats of another test's nodes, which had the same keys.
    bus.client().flushdb()
    enable_ha(group=group, actor="")
    settle()
    return group


def of(element: etree._Element | None) -> dict[str, Any]:
    assert element is not None
    return {str(each.tag): each.text for each in element}


def status(axl: Asking, name: str = "DefaultCUPSubCluster") -> etree._Element:
    answer = axl.ask("getSubClusterHAStatus", fields(subClusterName=name))
    found = answer.find("return/SubClusterInfo")
    assert found is not None
    return found


def ask(
    axl: Asking, operation: str, node: str = "", status: int = 200, **more: Any
) -> etree._Element:
    values = {
        "subClusterName": "DefaultCUPSubCluster",
        "operationName": operation,
        "nodeName": node,
    }
    return axl.ask("processHAOperations", fields(**values | more), status)


def states(axl: Asking) -> list[str | None]:
    return [each.findtext("nodeState") for each in status(axl).iterfind("nodes/node")]


def test_the_state_of_a_group(axl: Asking, normal: RedundancyGroup) -> None:
    found = status(axl)
    told = of(found)
    assert told | {"nodes": None} == {
        "name": normal.name,
        "uuid": uuid_of(normal),
        "description": normal.description or None,
        "numUsers": "1000",
        "isHAEnabled": "true",
        "isHAAvailable": "true",
        "nodes": None,
    }
    server = Server.objects.get(name="imp-pub")
    assert of(found.find("nodes/node")) == {
        "count": "1",
        "uuid": uuid_of(server),
        "hostId": "imp-pub",
        "description": server.description or None,
        "numUsers": "500",
        "activeUsers": "500",
        "isPublisher": "true",
        "enterpriseNodeId": str(server.pk),
        "nodeState": "Normal",
        "nodeReason": "Normal",
    }


def test_nothing_is_known_while_nobody_looks(
    axl: Asking, normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "sees", lambda: False)
    assert states(axl) == ["Unknown", "Unknown"]
    assert status(axl).findtext("isHAAvailable") == "false"
    nodes = axl.ask("getClusterNodesAndCriticalServices")
    assert {each.text for each in nodes.iter("nodeStateString")} == {"Unknown"}


def test_without_high_availability(axl: Asking, group: RedundancyGroup) -> None:
    assert status(axl).findtext("isHAEnabled") == "false"
    assert status(axl).findtext(".//nodeReason") == "High Availability Not Enabled"
    refused = fault(ask(axl, "fail_over", "imp-pub", 500))
    assert "High Availability" in refused[1]


def test_a_failover_and_a_fallback(axl: Asking, normal: RedundancyGroup) -> None:
    assert ask(axl, "fail_over", "IMP-PUB").findtext("return/hasChanged") == "true"
    settle()
    assert states(axl) == ["Idle", "Running in Backup Mode"]
    assert status(axl).findtext("isHAAvailable") == "false"
    again = fault(ask(axl, "fail_over", "imp-pub", 500))
    assert "ailover" in again[1]
    both: dict[str, Any] = {"uuid": uuid_of(normal)}
    assert ask(axl, "fall_back", "imp-pub", **both).findtext("return/hasChanged") == "true"
    settle()
    assert states(axl) == ["Normal", "Normal"]


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        (
            {"operation": "explode", "node": "imp-pub"},
            "5000",
            "operationName: must be one of fall_back,",
        ),
        ({"operation": "fail_over", "node": "imp-9"}, "5007", "nodeName: there is no node 'imp-9'"),
        ({"operation": "fail_over"}, "5007", "nodeName: there is no node ''"),
        ({"operation": "recover"}, "5000", "Recover is offered only while both nodes are"),
        ({"operation": "fall_back", "node": "imp-pub"}, "5000", "allback"),
        (
            {"operation": "recover", "subClusterName": "Other"},
            "5007",
            "The specified subcluster was not found",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    axl: Asking, normal: RedundancyGroup, values: dict[str, Any], code: str, said: str
) -> None:
    told = fault(ask(axl, status=500, **values))
    assert told[0] == code
    assert said in told[1]
    assert states(axl) == ["Normal", "Normal"]


def test_who_may_only_read_asks_for_nothing(user: Any, normal: RedundancyGroup) -> None:
    reader = Asking("/axl/", user("reader", AXL_READ_ONLY).username, PASSWORD)
    content = fields(subClusterName=normal.name, operationName="fail_over", nodeName="imp-pub")
    assert reader.post(envelope("processHAOperations", content)).status_code == 403
    assert states(reader) == ["Normal", "Normal"]


def test_the_services_of_the_nodes(axl: Asking, normal: RedundancyGroup) -> None:
    sub = Server.objects.get(name="imp-sub")
    set_activated(server=sub, name="Cisco SIP Proxy", activated=False, actor="")
    stop_service(server=sub, name=PRESENCE_ENGINE, actor="")
    answer = axl.ask(
        "getClusterNodesAndCriticalServices", fields(nodeName="imp-sub", locale="en_US")
    )
    (node,) = answer.findall("return/nodes/node")
    assert node.findtext("nodeStateString") == "Normal"
    assert node.findtext("subClusterName") == normal.name
    rows = {row["serviceName"]: row for row in map(of, node.iterfind("criticalServices"))}
    assert set(rows) == {service.name for service in SERVICES}
    router = rows[XCP_ROUTER]
    assert int(router.pop("upTime")) >= 0
    assert router.pop("startTime")
    assert router == {
        "serviceName": XCP_ROUTER,
        "status": "Started",
        "isCritical": "true",
        "reasonCode": "-1",
        "reasonCodeStr": None,
    }
    assert rows["Cisco SIP Proxy"] == {
        "serviceName": "Cisco SIP Proxy",
        "status": "Stopped",
        "isCritical": "false",
        "reasonCode": "-1068",
        "reasonCodeStr": "Service Not Activated",
    }
    assert rows[PRESENCE_ENGINE]["reasonCode"] == "-1069"
    everyone = axl.ask("getClusterNodesAndCriticalServices")
    assert [each.text for each in everyone.iter("nodeName")] == ["imp-pub", "imp-sub"]
    assert len(list(everyone.iter("criticalServices"))) == NodeService.objects.count()
    nobody = axl.ask("getClusterNodesAndCriticalServices", fields(nodeName="x"), 500)
    assert fault(nobody)[0] == "5007"


def test_version_and_size_of_the_cluster(axl: Asking, group: RedundancyGroup) -> None:
    assert axl.ask("getCUPVersion").findtext("return/version") == "14.0.1"
    assert of(axl.ask("getClusterInfo").find("return/clusterInfo")) == {
        "publisher": "imp-pub",
        "version": "14.0.1",
        "numSubClusters": "1",
        "numNodes": "2",
        "numUsers": "1000",
    }


def test_without_a_cluster_there_is_no_version(axl: Asking, db: None) -> None:
    assert "no IM and Presence server yet" in fault(axl.ask("getCUPVersion", status=500))[1]
