"""Control Center Services: what programs read and do with services, by a client and by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import zeep
from django.contrib.auth.models import User
from lxml import etree
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from zeep.transports import Transport

from redundancy import bus, permissions
from redundancy.catalog import CONNECTION_MANAGER, SERVICES, XCP_ROUTER
from redundancy.models import HaEvent, Machine, RedundancyGroup, Server
from redundancy.operations import groups
from redundancy.selectors.services import services_of
from tests.soap.asking import Asking, envelope, fields
from tests.soap.conftest import PASSWORD

AST = "http://schemas.cisco.com/ast/soap"
PRESENT = "/controlcenterservice2/services/ControlCenterServices"
OLDER = "/controlcenterservice/services/ControlCenterServicesPort"
PROXY = "Cisco SIP Proxy"
ARCHIVER = "Cisco XCP Message Archiver"


@pytest.fixture
def client(
    live_server: LiveServer, group: RedundancyGroup, user: Callable[..., User]
) -> Iterator[Callable[..., Any]]:
    """A client that was made from the description of an address."""
    with requests.Session() as session:
        session.auth = (user().username, PASSWORD)

        def make(path: str = PRESENT, query: str = "") -> Any:
            address = f"{live_server.url}{path}"
            made = zeep.Client(f"{address}?wsdl", transport=Transport(session=session))
            (binding,) = made.wsdl.bindings
            return made.create_service(binding, address + query)

        yield make


@pytest.fixture
def asking(group: RedundancyGroup, user: Callable[..., User]) -> Asking:
    return Asking(PRESENT, user().username, PASSWORD)


def wanted(kind: str, word: str, *names: str, node: str | None = None) -> str:
    request = {"Control": "ControlServiceRequest", "Deploy": "DeploymentServiceRequest"}[kind]
    named = fields(NodeName=node) if node is not None else ""
    items = "".join(fields(item=name) for name in names)
    inner = f"{named}<{kind}Type>{word}</{kind}Type><ServiceList>{items}</ServiceList>"
    return f"<{request}>{inner}</{request}>"


def status_of(name: str, node: str = "imp-pub") -> str:
    rows = services_of(Server.objects.get(name=node))
    return next(row.status for row in rows if row.name == name)


def test_a_client_reads_the_status_of_all_services_and_of_some(client: Callable[..., Any]) -> None:
    service = client()
    answer = service.soapGetServiceStatus("")
    assert (answer["ReturnCode"], answer["ReasonString"]) == ("0", None)
    items = answer["ServiceInfoList"]["item"]
    assert [each["ServiceName"] for each in items] == [each.name for each in SERVICES]
    by_name = {each["ServiceName"]: each for each in items}
    started = by_name[PROXY]
    assert (started["ServiceStatus"], started["ReasonCode"]) == ("Started", -1)
    assert started["UpTime"] >= 0
    assert started["StartTime"]
    off = by_name[ARCHIVER]
    assert (off["ServiceStatus"], off["ReasonCode"], off["ReasonCodeString"], off["UpTime"]) == (
        "Stopped",
        -1068,
        "Service Not Activated",
        -1,
    )
    (one,) = service.soapGetServiceStatus(PROXY)["ServiceInfoList"]["item"]
    assert one["ServiceName"] == PROXY


def test_a_client_stops_starts_and_restarts_and_asks_what_became_of_it(
    client: Callable[..., Any],
) -> None:
    service = client()

    def control(word: str) -> str:
        request = {"NodeName": None, "ControlType": word, "ServiceList": {"item": [PROXY]}}
        (item,) = service.soapDoControlServices(request)["ServiceInfoList"]["item"]
        return str(item["ServiceStatus"])

    def status() -> tuple[str, int]:
        (item,) = service.soapGetServiceStatus(PROXY)["ServiceInfoList"]["item"]
        return item["ServiceStatus"], item["ReasonCode"]

    assert control("Stop") == "Stopping"
    assert status() == ("Stopped", -1069)
    assert control("Stop") == "Stopped"
    assert control("Start") == "Starting"
    assert status() == ("Started", -1)
    assert control("Start") == "Started"
    assert control("Restart") == "Starting"
    assert HaEvent.objects.filter(actor="program", node_name="imp-pub").count() == 3


def test_a_client_activates_and_deactivates(client: Callable[..., Any]) -> None:
    service = client()
    request = {"NodeName": "imp-sub", "DeployType": "Deploy", "ServiceList": {"item": [ARCHIVER]}}
    (item,) = service.soapDoServiceDeployment(request)["ServiceInfoList"]["item"]
    assert (item["ServiceName"], item["ServiceStatus"]) == (ARCHIVER, "Started")
    assert (status_of(ARCHIVER, "imp-sub"), status_of(ARCHIVER)) == ("Started", "Not Activated")
    (item,) = service.soapDoServiceDeployment(request | {"DeployType": "UnDeploy"})[
        "ServiceInfoList"
    ]["item"]
    assert item["ReasonCode"] == -1068


def test_a_client_reads_what_there_is(client: Callable[..., Any]) -> None:
    listed = client().soapGetStaticServiceList("")["item"]
    assert [each["ServiceName"] for each in listed] == [each.name for each in SERVICES]
    manager = next(each for each in listed if each["ServiceName"] == CONNECTION_MANAGER)
    assert manager["DependentServices"]["Service"] == [XCP_ROUTER]
    assert manager["Deployable"] is True
    extended = client(f"{PRESENT}Ex").getStaticServiceListExtended("")
    assert extended["Services"]["item"][0]["ProductID"] == "Cup"
    product = client().getProductInformationList("")
    assert (product["ActiveServerVersion"], product["PrimaryNode"]) == ("14.0.1", "imp-pub")
    assert product["Products"]["item"][0]["ShortName"] == "CUP"


def test_the_address_says_which_node_is_meant(client: Callable[..., Any]) -> None:
    Machine.objects.filter(server__name="imp-sub").update(powered=False)
    service = client(query="?node=imp-sub")
    (item,) = service.soapGetServiceStatus(PROXY)["ServiceInfoList"]["item"]
    assert (item["ServiceStatus"], item["ReasonCodeString"]) == ("Unknown", "Node Powered Off")


def test_with_high_availability_on_it_is_done_and_the_history_says_so(
    asking: Asking, group: RedundancyGroup
) -> None:
    groups.enable_ha(group=group, actor="")
    content = wanted("Control", "Stop", XCP_ROUTER, PROXY)
    asking.ask("soapDoControlServices", content, namespace=AST)
    assert status_of(XCP_ROUTER) == "Stopped"
    said = [str(event.sentence) for event in HaEvent.objects.filter(actor="program")]
    # Of the proxy SRM knows nothing.
    assert sum("by a program while High Availability" in each for each in said) == 1


def test_services_are_named_in_either_way(asking: Asking) -> None:
    for content in (
        f"<ServiceStatus>{PROXY}</ServiceStatus>",
        f"<ServiceStatus><ServiceName>{PROXY}</ServiceName></ServiceStatus>",
    ):
        answer = asking.ask("soapGetServiceStatus", content, namespace=AST)
        assert [each.text for each in answer.iter("{*}ServiceName")] == [PROXY]
    content = (
        "<ControlServiceRequest><NodeName/><ControlType>Stop</ControlType>"
        f"<ServiceList>{PROXY}</ServiceList><ServiceList>{ARCHIVER}</ServiceList>"
        "</ControlServiceRequest>"
    )
    refused = asking.ask("soapDoControlServices", content, 500, namespace=AST)
    assert f"{ARCHIVER} is not activated on imp-pub." in str(refused.findtext("faultstring"))
    # All or nothing.
    assert status_of(PROXY) == "Started"


@pytest.mark.parametrize(
    ("operation", "content", "rule"),
    [
        ("soapGetServiceStatus", fields(ServiceStatus="Nothing"), "imp-pub has no service named"),
        ("soapDoControlServices", wanted("Control", "Stop", "Nothing"), "no service named"),
        ("soapDoControlServices", wanted("Control", "Kill", PROXY), "Start, Stop or Restart"),
        ("soapDoControlServices", wanted("Control", "Stop"), "ServiceList: must name a service"),
        (
            "soapDoControlServices",
            wanted("Control", "Stop", PROXY, node="other"),
            "There is no IM and Presence node 'other'.",
        ),
        (
            "soapDoControlServices",
            wanted("Control", "Stop", *(f"s{n}" for n in range(101))),
            "must not name more than 100",
        ),
        ("soapDoServiceDeployment", wanted("Deploy", "Undo", ARCHIVER), "Deploy or UnDeploy"),
        (
            "soapDoServiceDeployment",
            wanted("Deploy", "UnDeploy", XCP_ROUTER),
            "is a network service; it is always activated.",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    asking: Asking, operation: str, content: str, rule: str
) -> None:
    before = [services_of(server) for server in Server.objects.filter(server_type="imp")]
    refused = asking.ask(operation, content, 500, namespace=AST)
    assert rule in str(refused.findtext("faultstring"))
    after = [services_of(server) for server in Server.objects.filter(server_type="imp")]
    assert [[row.status for row in rows] for rows in after] == [
        [row.status for row in rows] for rows in before
    ]


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        (permissions.SUPER, 200, 200),
        (permissions.READ_ONLY, 200, 403),
        (permissions.AXL, 403, 403),
        ("", 403, 403),
    ],
)
def test_roles_are_those_of_the_pages(
    group: RedundancyGroup, user: Callable[..., User], role: str, reads: int, writes: int
) -> None:
    asking = Asking(PRESENT, user("other", role).username, PASSWORD)
    assert asking.post(envelope("soapGetServiceStatus", namespace=AST)).status_code == reads
    stop = envelope("soapDoControlServices", wanted("Control", "Stop", PROXY), namespace=AST)
    assert asking.post(stop).status_code == writes
    assert status_of(PROXY) == ("Stopped" if writes == 200 else "Started")


def test_too_many_requests_are_told_as_scripts_expect_it(
    asking: Asking, valkey: str, settings: Settings
) -> None:
    settings.AXL_THROTTLE = 1
    bus.client().flushdb()
    asking.ask("soapGetServiceStatus", namespace=AST)
    refused = asking.ask("soapGetServiceStatus", status=500, namespace=AST)
    assert "Exceeded allowed rate" in str(refused.findtext("faultstring"))


BARE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    "<{0}>{1}</{0}></e:Body></e:Envelope>"
)
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def test_older_clients_ask_without_a_namespace_and_read_types(asking: Asking) -> None:
    asking.path = OLDER
    answer = asking.post(BARE.format("soapGetServiceStatus", fields(ServiceStatus=PROXY)))
    assert answer.status_code == 200
    returned = etree.fromstring(answer.content).find(".//ServiceInformationResponse")
    assert returned is not None
    assert returned.get(TYPE) == "ast:ServiceInformationResponse"
    listed = returned.find("ServiceInfoList")
    assert listed is not None
    assert listed.get(TYPE) == "ast:ArrayOfServiceInformation"
    (item,) = listed
    assert item.get(TYPE) == "ast:ServiceInformation"
    assert [(each.tag, each.get(TYPE)) for each in item][:3] == [
        ("ServiceName", "xsd:string"),
        ("ServiceStatus", "xsd:string"),
        ("ReasonCode", "xsd:integer"),
    ]


def test_an_older_client_is_made_from_the_description_there(client: Callable[..., Any]) -> None:
    service = client(OLDER)
    (one,) = service.soapGetServiceStatus(PROXY)["ServiceInfoList"]["item"]
    assert (one["ServiceName"], one["ServiceStatus"]) == (PROXY, "Started")
    product = service.getProductInformationList("")
    assert product["Products"]["item"][0]["ShortName"] == "CUP"
    assert service.soapGetStaticServiceList("")["item"][0]["ServiceName"] == SERVICES[0].name


def test_older_clients_ask_for_the_product_by_its_older_name(asking: Asking) -> None:
    asking.path = OLDER
    text = asking.post(BARE.format("GetProductInformationList", fields(ServiceInfo="?"))).content
    assert b'<ActiveServerVersion xsi:type="xsd:string">14.0.1</ActiveServerVersion>' in text
    etree.fromstring(text)


def test_older_clients_control_services_too(asking: Asking) -> None:
    asking.path = OLDER
    answer = asking.post(BARE.format("soapDoControlServices", wanted("Control", "Stop", PROXY)))
    assert b">Stopping</ServiceStatus>" in answer.content
    assert status_of(PROXY) == "Stopped"
