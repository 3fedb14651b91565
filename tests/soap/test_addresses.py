"""SOAP_NODES: which server is asked goes by the address that was dialled."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from lxml import etree

from redundancy.models import RedundancyGroup, Server, ServerType
from redundancy.operations.power import shut_down
from redundancy.operations.servers import add_server
from redundancy.origin import DIALLED
from redundancy.selectors.loopback import loopback_of
from redundancy.selectors.servers import ipv4_of, soap_servers
from redundancy.soap import addresses
from tests.soap.asking import Asking, fault
from tests.soap.conftest import PASSWORD
from tests.soap.test_control import AST, PROXY, status_of
from tests.soap.test_control import PRESENT as CONTROL
from tests.soap.test_epas import login


@pytest.fixture(autouse=True)
def by_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SOAP_NODES", True)


@pytest.fixture
def cucm(group: RedundancyGroup) -> Server:
    return add_server(name="cucm-pub", server_type=ServerType.CUCM, actor="")


def address(name: str) -> str:
    made = loopback_of(Server.objects.get(name=name).pk)
    assert made is not None
    return made


def at(name: str, host: str = "") -> dict[str, Any]:
    """What a request to the address of a server has besides; ``host``: what the client calls it."""
    return {DIALLED: address(name), "HTTP_HOST": host or f"{address(name)}:8443"}


def dialling(name: str, path: str, user: User) -> Asking:
    made = Asking(path, user.username, PASSWORD)
    made.http = Client(**at(name))
    return made


def test_control_center_means_the_node_that_was_dialled(
    group: RedundancyGroup, user: Callable[..., User]
) -> None:
    asking = dialling("imp-sub", CONTROL, user())
    request = (
        "<ControlServiceRequest><ControlType>Stop</ControlType>"
        f"<ServiceList>{PROXY}</ServiceList></ControlServiceRequest>"
    )
    asking.ask("soapDoControlServices", request, namespace=AST)
    assert (status_of(PROXY, "imp-sub"), status_of(PROXY, "imp-pub")) == ("Stopped", "Started")
    for path, status in ((CONTROL, "Stopped"), (f"{CONTROL}?node=imp-pub", "Started")):
        asking.path = path
        wanted = f"<ServiceStatus>{PROXY}</ServiceStatus>"
        told = asking.ask("soapGetServiceStatus", wanted, namespace=AST)
        assert told.findtext(".//{*}ServiceInfoList/{*}item/{*}ServiceStatus") == status


def test_clients_log_in_at_the_node_that_was_dialled(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_at(name: str, path: str = "") -> etree._Element:
        monkeypatch.setattr("tests.soap.test_epas.Client", lambda: Client(**at(name)))
        return login(path=path)

    assert ask_at("imp-pub").findtext("{*}success/{*}node") == "imp-pub"
    elsewhere = ask_at("imp-sub")
    assert elsewhere.findtext("{*}failure/{*}code") == "not-here"
    assert elsewhere.findtext("{*}failure/{*}node") == "imp-pub"
    named = ask_at("imp-sub", "/node/imp-pub/EPASSoap/service")
    assert named.findtext("{*}success/{*}node") == "imp-pub"


def test_axl_is_that_of_the_server_that_was_dialled(
    cucm: Server, user: Callable[..., User]
) -> None:
    someone = user()
    node, first = (dialling(name, "/axl/", someone) for name in ("imp-sub", "cucm-pub"))
    Server.objects.filter(name="imp-sub").update(version="14.0.1.99999-1")
    assert node.ask("getCUPVersion").findtext(".//version") == "14.0.1.99999-1"
    node.ask("getClusterInfo")
    assert first.ask("listProcessNode", "<searchCriteria/>") is not None
    for asking in (node, first):
        asking.ask("executeSQLQuery", "<sql>select count(*) from processnode</sql>")
    refused = node.ask("listProcessNode", "<searchCriteria/>", status=500)
    assert fault(refused) == ("-1", "listProcessNode is for CUCM; imp-sub is a node.")
    refused = first.ask("getClusterInfo", status=500)
    assert fault(refused) == ("-1", "getClusterInfo is for nodes; cucm-pub is CUCM's publisher.")
    # Where all answer at one address, so do all operations.
    everywhere = Asking("/axl/", someone.username, PASSWORD)
    everywhere.ask("getClusterInfo")


def test_cucm_has_neither_services_nor_clients(cucm: Server, user: Callable[..., User]) -> None:
    asking = dialling("cucm-pub", CONTROL, user())
    told = asking.ask("soapGetServiceStatus", namespace=AST, status=500)
    assert "cucm-pub" in str(told.findtext("faultstring"))
    body = "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><login xmlns='urn:cisco:epas:soap'/></e:Body></e:Envelope>"
    answer = Client(**at("cucm-pub")).post("/EPASSoap/service", body, content_type="text/xml")
    assert (answer.status_code, b"clients log in at one" in answer.content) == (400, True)


def test_a_description_names_the_address_that_was_dialled(group: RedundancyGroup) -> None:
    for host in ("", "IMP-SUB:8443"):
        meta = at("imp-sub", host)
        answer = Client(**meta).get(f"{CONTROL}?wsdl", secure=True)
        assert f'"https://{meta["HTTP_HOST"]}{CONTROL}"' in answer.content.decode()


@pytest.mark.parametrize("host", ["elsewhere.example", "127.64.9.9", "imp-pub"])
def test_no_other_name_is_taken(group: RedundancyGroup, host: str) -> None:
    assert Client(**at("imp-sub", host)).get(f"{CONTROL}?wsdl").status_code == 400


def test_there_is_nothing_but_soap(group: RedundancyGroup) -> None:
    for path in ("/", "/login/", "/ccmadmin/servers/", "/admin/"):
        answer = Client(**at("imp-sub")).get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "text/plain; charset=utf-8")


def test_a_server_that_is_not_there_does_not_answer(cucm: Server) -> None:
    add_server(name="cucm-sub", server_type=ServerType.CUCM, actor="")
    sub = at("imp-sub")
    shut_down(server=Server.objects.get(name="imp-sub"), actor="")
    gone = {DIALLED: "127.100.0.1", "HTTP_HOST": "127.100.0.1"}
    for meta, status, said in (
        (sub, 503, b"imp-sub has no power"),
        (at("cucm-sub"), 404, b"There is no such server."),
        (gone, 404, b"There is no such server."),
    ):
        answer = Client(**meta).get("/axl/")
        assert (answer.status_code, said in answer.content) == (status, True)
    assert [name for _, name in soap_servers(9)] == ["cucm-pub", "imp-pub"]
    assert [name for _, name in soap_servers(1)] == ["cucm-pub"]


def test_a_database_that_is_away_is_told(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OperationalError("away")

    meta = at("imp-sub")
    monkeypatch.setattr(addresses, "_server", fail)
    assert Client(**meta).get("/axl/").status_code == 503


def test_without_the_setting_an_address_says_nothing(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SOAP_NODES", False)
    meta = at("imp-sub", "testserver")
    assert Client(**meta).get("/login/").status_code == 200
    assert Client(**at("imp-sub")).get("/login/").status_code == 400


def test_programs_are_told_where_a_server_is_dialled(cucm: Server) -> None:
    other = add_server(name="cucm-sub", server_type=ServerType.CUCM, actor="")
    assert ipv4_of(Server.objects.get(name="imp-sub")) == address("imp-sub")
    assert ipv4_of(cucm) == address("cucm-pub")
    assert ipv4_of(other).startswith("10.")
