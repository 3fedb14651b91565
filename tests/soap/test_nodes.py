"""Process nodes and their services by AXL."""

from typing import Any

import pytest
from lxml import etree

from redundancy.catalog import PRESENCE_ENGINE, SERVICES, SRM, XCP_ROUTER
from redundancy.models import HaEvent, NodeService, RedundancyGroup, Server, ServerType
from redundancy.operations.servers import add_server
from redundancy.soap.uuids import uuid_of
from tests.soap.asking import Asking, fault, fields

NODE_FIELDS = [
    "name",
    "description",
    "mac",
    "ipv6Name",
    "nodeUsage",
    "lbmHubGroup",
    "processNodeRole",
    "cupDomain",
]


@pytest.fixture
def cucm(group: RedundancyGroup) -> Server:
    return add_server(
        server_type=ServerType.CUCM, name="cucm-pub", mac_address="00:11:22:33:44:55", actor=""
    )


def rows(answer: etree._Element) -> list[dict[str, Any]]:
    return [{str(child.tag): child.text for child in each} for each in answer.iterfind("return/*")]


def names(answer: etree._Element) -> list[str]:
    return [row["name"] for row in rows(answer)]


def search(**criteria: str) -> str:
    return f"<searchCriteria>{fields(**criteria)}</searchCriteria>"


def node(axl: Asking, name: str) -> dict[str, Any]:
    (row,) = rows(axl.ask("getProcessNode", fields(name=name)))
    return row


def add(axl: Asking, status: int = 200, **values: str) -> etree._Element:
    return axl.ask("addProcessNode", f"<processNode>{fields(**values)}</processNode>", status)


def test_all_servers_are_listed_behind_the_one_that_stands_for_all(
    axl: Asking, cucm: Server
) -> None:
    answer = axl.ask("listProcessNode", search(name="%"))
    assert names(answer) == ["EnterpriseWideData", "cucm-pub", "imp-pub", "imp-sub"]
    assert all(list(row) == NODE_FIELDS for row in rows(answer))
    first = answer.find("return/processNode")
    assert first is not None
    assert first.get("uuid") == "{00000000-1111-0000-0000-000000000000}"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (search(processNodeRole="CUCM Voice/Video"), ["EnterpriseWideData", "cucm-pub"]),
        (search(name="%", processNodeRole="%presence"), ["imp-pub", "imp-sub"]),
        (search(nodeUsage="publisher"), ["cucm-pub", "imp-pub"]),
        (search(nodeUsage="Sub%"), ["EnterpriseWideData", "imp-sub"]),
        (search(nodeUsage="Nothing"), []),
        (search(name="IMP-%"), ["imp-pub", "imp-sub"]),
        (search(mac="0011%"), ["cucm-pub"]),
        (search(ipv6Name="2001:db8%"), ["imp-sub"]),
        (search(ipv6Name="%"), ["EnterpriseWideData", "cucm-pub", "imp-pub", "imp-sub"]),
        (fields(first="2"), ["EnterpriseWideData", "cucm-pub"]),
        (fields(skip="1", first="2"), ["cucm-pub", "imp-pub"]),
        (fields(skip="3"), ["imp-sub"]),
        (search(name="imp%") + fields(skip="1"), ["imp-sub"]),
    ],
)
def test_servers_are_found(axl: Asking, cucm: Server, content: str, found: list[str]) -> None:
    Server.objects.filter(name="imp-sub").update(ipv6_address="2001:db8::2")
    assert names(axl.ask("listProcessNode", content)) == found


def test_a_server_is_added_changed_and_removed(axl: Asking, cucm: Server) -> None:
    answer = add(
        axl,
        name="imp-3",
        description="third",
        nodeUsage="Subscriber",
        processNodeRole="cucm im and presence",
        cupDomain="example.com",
    )
    server = Server.objects.get(name="imp-3")
    assert answer.findtext("return") == uuid_of(server)
    assert server.runtime is not None
    axl.ask(
        "updateProcessNode",
        fields(name="IMP-3", newName="imp-03", ipv6Name="2001:DB8::3", description=""),
    )
    assert node(axl, "imp-03") == {
        "name": "imp-03",
        "description": None,
        "mac": None,
        "ipv6Name": "2001:db8::3",
        "nodeUsage": "Subscriber",
        "lbmHubGroup": None,
        "processNodeRole": "CUCM IM and Presence",
        "cupDomain": "example.com",
    }
    axl.ask("removeProcessNode", fields(uuid=uuid_of(server)))
    assert not Server.objects.filter(pk=server.pk).exists()
    assert fault(axl.ask("getProcessNode", fields(name="imp-03"), 500))[0] == "5007"


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        (
            {"name": "imp-pub", "processNodeRole": "CUCM IM and Presence"},
            "-239",
            "name: A server named imp-pub",
        ),
        ({"name": "_"}, "5000", "name: Host Name/IP Address must be"),
        (
            {"name": "x1", "processNodeRole": "Gateway"},
            "5000",
            "processNodeRole: must be CUCM Voice",
        ),
        ({"name": "x1", "mac": "xyz"}, "5000", "mac: MAC Address must be 12"),
        ({"name": "x1", "lbmHubGroup": "Hub"}, "5000", "lbmHubGroup: is not modelled here"),
        ({"name": "x1", "nodeUsage": "Publisher"}, "5000", "nodeUsage: x1 is a subscriber"),
        (
            {"name": "x1", "description": "<>", "ipv6Name": "y"},
            "5000",
            "ipv6Name: IPv6 Address must",
        ),
    ],
)
def test_a_server_that_cannot_be_is_not_added(
    axl: Asking, cucm: Server, values: dict[str, str], code: str, said: str
) -> None:
    told = fault(add(axl, 500, **values))
    assert told[0] == code
    assert said in told[1]
    assert Server.objects.count() == 3


def test_what_follows_from_other_things_cannot_be_changed(axl: Asking, cucm: Server) -> None:
    for values, said in (
        ({"name": "imp-sub", "nodeUsage": "Publisher"}, "nodeUsage: imp-sub is a subscriber"),
        ({"name": "imp-sub", "processNodeRole": "CUCM Voice/Video"}, "processNodeRole: imp-sub is"),
        ({"name": "EnterpriseWideData", "description": "x"}, "stands for the cluster"),
    ):
        assert said in fault(axl.ask("updateProcessNode", fields(**values), 500))[1]
    assert "imp-pub" in fault(axl.ask("removeProcessNode", fields(name="imp-pub"), 500))[1]
    answer = axl.ask("removeProcessNode", fields(name="EnterpriseWideData"), 500)
    assert "cannot be removed" in fault(answer)[1]


def service(axl: Asking, name: str, node_name: str = "imp-pub") -> dict[str, Any]:
    (row,) = rows(axl.ask("getProcessNodeService", fields(processNodeName=node_name, service=name)))
    return row


def test_the_services_of_a_node(axl: Asking, cucm: Server) -> None:
    answer = axl.ask("listProcessNodeService", search(processNodeName="imp-pub"))
    assert {row["service"] for row in rows(answer)} == {each.name for each in SERVICES}
    assert service(axl, SRM.lower()) == {
        "processNodeName": "imp-pub",
        "service": SRM,
        "traceLevel": "3",
        "enable": "true",
        "isActive": "true",
    }
    found = answer.find("return/processNodeService")
    assert found is not None
    by_uuid = axl.ask("getProcessNodeService", fields(uuid=str(found.get("uuid"))))
    assert rows(by_uuid) == rows(answer)[:1]
    some = axl.ask("listProcessNodeService", search(service="%SIP Proxy") + fields(first="1"))
    assert [row["processNodeName"] for row in rows(some)] == ["imp-pub"]


def test_a_service_is_deactivated_and_its_trace_level_set(axl: Asking, cucm: Server) -> None:
    key = fields(processNodeName="imp-sub", service=PRESENCE_ENGINE)
    axl.ask("updateProcessNodeService", key + fields(isActive="f"))
    assert service(axl, PRESENCE_ENGINE, "imp-sub")["isActive"] == "false"
    events = HaEvent.objects.count()
    axl.ask("updateProcessNodeService", key + fields(isActive="f", enable="true"))
    assert HaEvent.objects.count() == events
    key = fields(processNodeName="imp-sub", service=SRM)
    axl.ask("updateProcessNodeService", key + fields(traceLevel="Debug", isActive="t"))
    assert service(axl, SRM, "imp-sub")["traceLevel"] == "4"
    axl.ask("updateProcessNodeService", key + fields(traceLevel="1"))
    assert service(axl, SRM, "imp-sub")["traceLevel"] == "1"


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        (XCP_ROUTER, {"isActive": "false"}, "Cisco XCP Router is a network service"),
        (XCP_ROUTER, {"traceLevel": "Debug"}, "traceLevel: only Cisco Server Recovery Manager"),
        (XCP_ROUTER, {"numFiles": "5"}, "numFiles: is not modelled here"),
        (XCP_ROUTER, {"enable": "0"}, "enable: is not modelled here"),
        (SRM, {"traceLevel": "Loud"}, "traceLevel: Trace level must be one of"),
        ("Cisco Nothing", {"isActive": "false"}, "The specified ProcessNodeService was not found"),
        ("", {"isActive": "false"}, "processNodeName and service, or uuid: must be given."),
    ],
)
def test_a_service_that_cannot_be_so_stays(
    axl: Asking, cucm: Server, name: str, values: dict[str, str], said: str
) -> None:
    before = list(NodeService.objects.order_by("pk").values())
    content = fields(processNodeName="imp-pub", service=name, **values)
    assert said in fault(axl.ask("updateProcessNodeService", content, 500))[1]
    assert list(NodeService.objects.order_by("pk").values()) == before
