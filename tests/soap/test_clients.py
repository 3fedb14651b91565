"""Clients that people use: zeep with our WSDL and without, and what is typed into curl."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import zeep
from django.contrib.auth.models import User
from lxml import etree
from pytest_django.live_server_helper import LiveServer
from requests import Session
from zeep import xsd

from redundancy.models import RedundancyGroup
from redundancy.operations.sample import load_sample_cluster
from redundancy.soap.axl.service import AXL
from redundancy.soap.uuids import uuid_of
from tests.soap.asking import NAMESPACE, Asking, basic, envelope, fault, fields
from tests.soap.conftest import PASSWORD

BINDING = "{http://www.cisco.com/AXLAPIService/}AXLAPIBinding"


@pytest.fixture
def address(live_server: LiveServer) -> str:
    return f"{live_server.url}/axl/"


@pytest.fixture
def cluster(live_server: LiveServer) -> RedundancyGroup:
    return load_sample_cluster(actor="")


@pytest.fixture
def client(address: str, cluster: RedundancyGroup, user: Callable[..., User]) -> zeep.Client:
    session = Session()
    session.auth = (user().username, PASSWORD)
    # Proxies of the environment lead elsewhere.
    session.trust_env = False
    return zeep.Client(f"{address}?wsdl", transport=zeep.Transport(session=session, timeout=60))


@pytest.fixture
def service(client: zeep.Client, address: str) -> Any:
    """The operations, as scripts take them: by the name of the vendor's binding."""
    return client.create_service(BINDING, address)


def test_zeep_works_with_groups(service: Any, cluster: RedundancyGroup) -> None:
    group = {"name": "Second", "server1": "imp-3", "haEnabled": False}
    node = {"name": "imp-3", "processNodeRole": "CUCM IM and Presence"}
    assert service.addProcessNode(node)["return"].startswith("{")
    uuid = service.addPresenceRedundancyGroup(group)["return"]
    got = service.getPresenceRedundancyGroup(uuid=uuid, sequence=7)
    assert got["sequence"] == 7
    found = got["return"]["presenceRedundancyGroup"]
    assert (found["name"], found["haEnabled"], found["numUsers"]) == ("Second", False, 0)
    assert found["server1"]["_value_1"] == "imp-3"
    assert found["uuid"] == uuid
    service.updatePresenceRedundancyGroup(name="Second", newName="Third", server2=xsd.Nil)
    listed = service.listPresenceRedundancyGroup({"name": "%"}, returnedTags={"name": ""})
    assert [each["name"] for each in listed["return"]["presenceRedundancyGroup"]] == [
        cluster.name,
        "Third",
    ]
    service.removePresenceRedundancyGroup(name="Third")
    assert service.listPresenceRedundancyGroup({"name": "Third"}, {"name": ""})["return"] is None
    with pytest.raises(zeep.exceptions.Fault) as told:
        service.getPresenceRedundancyGroup(name="Third")
    assert (
        told.value.message
        == "Item not valid: The specified Presence Redundancy Group was not found"
    )
    assert told.value.detail.findtext(".//axlcode") == "5007"


def test_zeep_reads_users_rows_parameters_and_states(
    service: Any, cluster: RedundancyGroup
) -> None:
    users = service.listAssignedPresenceUsers({"server": "imp-sub"}, {"userid": "", "server": ""})
    assert len(users["return"]["assignedPresenceUsers"]) == 500
    userid = users["return"]["assignedPresenceUsers"][0]["userid"]
    service.assignPresenceUser(userid=userid, server="imp-pub")
    sql = f"select count(*), primarynodeid from enduser where userid = '{userid}' group by primarynodeid"
    (row,) = service.executeSQLQuery(sql)["return"]["row"]
    home = next(each.text for each in row if each.tag == "primarynodeid")
    assert int(home) == cluster.servers.get(name="imp-pub").pk
    assert service.executeSQLQuery(sql="select name from processnode where 1 = 0")["return"] is None
    nodes = service.listProcessNode({"name": "%"}, returnedTags={"name": ""})["return"][
        "processNode"
    ]
    assert [node["name"] for node in nodes] == ["EnterpriseWideData", "imp-pub", "imp-sub"]
    values = service.listServiceParameter({"service": "Enterprise Wide"}, {"name": "", "value": ""})
    assert values["return"]["serviceParameter"][0]["value"] == "Balanced"
    status = service.getSubClusterHAStatus(subClusterName=cluster.name)["return"]["SubClusterInfo"]
    assert [node["hostId"] for node in status["nodes"]["node"]] == ["imp-pub", "imp-sub"]
    version = service.getCCMVersion()["return"]["componentVersion"]["version"]
    assert version.startswith("14.")


def test_every_operation_of_the_description_can_be_called(
    client: zeep.Client, service: Any
) -> None:
    """Its empty request is a message that the door understands: an answer, or a fault that says what is missing."""
    operations = client.wsdl.bindings[BINDING]._operations
    assert len(operations) > 30
    said: dict[str, str] = {}
    for name in operations:
        try:
            service[name]()
        except zeep.exceptions.ValidationError as error:
            said[name] = f"zeep: {error}"
        except zeep.exceptions.Fault as told:
            said[name] = told.message
    # Of all others the empty request is answered.
    assert {"getCCMVersion", "listUser", "getCUPVersion", "listChange"} & said.keys() == set()
    assert not [name for name, text in said.items() if "its log says" in text]
    assert all("Missing element" in text for text in said.values() if text.startswith("zeep:"))


def test_zeep_with_operations_built_by_hand(
    client: zeep.Client, address: str, cluster: RedundancyGroup
) -> None:
    namespace = NAMESPACE.format("12.5")
    request = xsd.Element(
        f"{{{namespace}}}getPresenceRedundancyGroup",
        xsd.ComplexType([xsd.Element("name", xsd.String())]),
    )
    body = etree.Element("{http://schemas.xmlsoap.org/soap/envelope/}Body")
    request.render(body, request(name=cluster.name))
    message = etree.Element("{http://schemas.xmlsoap.org/soap/envelope/}Envelope")
    message.append(body)
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"CUCM:DB ver=12.5"'}
    answer = client.transport.post_xml(address, message, headers)
    found = etree.fromstring(answer.content).find(
        f".//{{{namespace}}}getPresenceRedundancyGroupResponse"
    )
    assert found is not None
    assert found.findtext("return/presenceRedundancyGroup/name") == cluster.name


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (envelope("getCCMVersion"), {"HTTP_SOAPACTION": "CUCM:DB ver=8.5 listPhone"}),
        (envelope("getCCMVersion"), {"content_type": "application/x-www-form-urlencoded"}),
        (envelope("getCCMVersion").replace('"', "'"), {}),
        ("\n  \n" + envelope("getCCMVersion"), {}),
        ("\ufeff" + envelope("getCCMVersion"), {}),
        (
            envelope("getCCMVersion").replace("soapenv:", "S:").replace("xmlns:soapenv", "xmlns:S"),
            {},
        ),
        (
            envelope(
                "getCCMVersion",
                "<!-- who? --><?x y?><ns:processNodeName>imp-pub</ns:processNodeName>",
            ),
            {},
        ),
        (
            envelope("getCCMVersion", "<processNodeName><![CDATA[imp-pub]]></processNodeName>\r\n"),
            {},
        ),
        (envelope("getCCMVersion", namespace=NAMESPACE.format("10.5")), {}),
    ],
)
def test_what_is_typed_into_curl_is_understood(
    axl: Asking, group: RedundancyGroup, body: str, headers: dict[str, Any]
) -> None:
    kind = headers.pop("content_type", "text/xml")
    answer = axl.http.post(
        "/axl", body.encode(), content_type=kind, HTTP_AUTHORIZATION=axl.header, **headers
    )
    assert answer.status_code == 200, answer.content
    assert b"<version>14." in answer.content


CRITERIA = [
    (name, criterion.name)
    for name, operation in AXL.operations.items()
    for field in operation.request
    if field.name == "searchCriteria"
    for criterion in field.fields
]


@pytest.mark.parametrize(("operation", "criterion"), CRITERIA)
def test_every_list_is_searched_by_each_of_its_criteria(
    axl: Asking, group: RedundancyGroup, operation: str, criterion: str
) -> None:
    for text in ("qq", "%qq%", "q%q", "2001:db8::%", "\\_'"):
        answer = axl.ask(
            operation, f"<searchCriteria>{fields(**{criterion: text})}</searchCriteria>"
        )
        assert len(answer[0]) == 0, text
    many = f"<searchCriteria>{fields(**{criterion: '%q' * 9})}</searchCriteria>"
    assert "may have 8 wildcards" in fault(axl.ask(operation, many, 500))[1]


def test_other_namespaces_are_no_version(axl: Asking, group: RedundancyGroup) -> None:
    wrong = axl.ask("getCCMVersion", status=500, namespace="http://www.cisco.com/AXL/1.0")
    assert "There is no operation" in fault(wrong)[1]
    for version in ("7.1", "16.0", ""):
        body = envelope("getCCMVersion", namespace=NAMESPACE.format(version))
        assert axl.post(body).status_code == 599


def test_a_client_that_stops_in_the_middle_changes_nothing(
    address: str, cluster: RedundancyGroup, user: Callable[..., User]
) -> None:
    body = envelope("removePresenceRedundancyGroup", fields(uuid=uuid_of(cluster))).encode()
    url = urlsplit(address)
    head = (
        f"POST /axl/ HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: text/xml\r\n"
        f"Authorization: {basic(user().username, PASSWORD)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    assert url.hostname is not None
    with socket.create_connection((url.hostname, url.port or 80), timeout=60) as one:
        one.sendall(head.encode() + body[:-40])
        one.shutdown(socket.SHUT_WR)
        answer = one.makefile("rb").read()
    assert b" 200 " not in answer[:20]
    assert RedundancyGroup.objects.filter(pk=cluster.pk).exists()
    # The others are served as before.
    session = Session()
    session.trust_env = False
    assert session.get(address, auth=("program", PASSWORD), timeout=60).status_code == 200
