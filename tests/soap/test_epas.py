"""The Client Profile Agent as clients ask it, by SOAP 1.2 and without authentication by HTTP."""

import time
from threading import BoundedSemaphore
from typing import Any
from xml.sax.saxutils import escape

import pytest
import requests
import zeep
from django.conf import settings
from django.test import Client
from lxml import etree
from pytest_django.live_server_helper import LiveServer

from redundancy.clock import lab_now
from redundancy.models import HaEvent, PresenceSession, PresenceUser, RedundancyGroup, SignIn
from redundancy.operations import presence
from redundancy.operations.sample import load_sample_cluster
from redundancy.soap.epas import waiting
from redundancy.soap.epas.service import EPAS

URN = "urn:cisco:epas:soap"
ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:cisco="urn:cisco">'
    "<soap:Header/><soap:Body>{}</soap:Body></soap:Envelope>"
)


def post(body: str, path: str = "/EPASSoap/service", **headers: str) -> Any:
    kind = "application/soap+xml; charset=utf-8"
    return Client().post(path, ENVELOPE.format(body), content_type=kind, **headers)  # type: ignore[arg-type]


def ask(operation: str, content: str, *, attributes: str = "", path: str = "") -> etree._Element:
    body = f"<{operation} {attributes} xmlns='{URN}'>{content}</{operation}>"
    answer = post(body, path or "/EPASSoap/service")
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/soap+xml; charset=utf-8"
    found = etree.fromstring(answer.content).find("{*}Body")
    assert found is not None
    assert found[0].tag == f"{{{URN}}}{operation}-resp"
    return found[0]


def login(
    userid: str = "", password: str = "", attributes: str = "force='true'", path: str = ""
) -> etree._Element:
    userid = userid or someone().userid
    password = password or settings.JABBER_PASSWORD
    content = f"<username>{escape(userid)}</username><password>{escape(password)}</password>"
    return ask("login", content, attributes=attributes, path=path)


def key_of(found: etree._Element) -> str:
    key = found.findtext("{*}success/{*}session-key")
    assert key, etree.tostring(found)
    return key


def someone(home: str = "imp-pub") -> PresenceUser:
    user = PresenceUser.objects.filter(home__name=home).order_by("pk").first()
    assert user is not None
    return user


def by_key(operation: str, key: str) -> etree._Element:
    return ask(operation, f"<session-key>{escape(key)}</session-key>")


@pytest.mark.parametrize(
    "path",
    [
        "/EPASSoap/service",
        "/EPASSoap/service/v70",
        "/EPASSoap/service/v105",
        "/EPASSoap/service/latest",
        "/node/imp-pub/EPASSoap/service",
        "/node/IMP-PUB/EPASSoap/service/v120",
    ],
)
def test_a_client_logs_in_at_every_address(group: RedundancyGroup, path: str) -> None:
    found = login(path=path, attributes="cisco:force='true' client-type='jabber-win' cisco:x='1'")
    assert len(key_of(found)) >= 32
    assert found.findtext("{*}success/{*}node") == "imp-pub"
    assert PresenceSession.objects.get(by_client=True).user == someone()


def test_a_client_learns_limits_and_backup_and_logs_out(group: RedundancyGroup) -> None:
    key = key_of(login())
    told = by_key("get-all-config", key)[0]
    values = {etree.QName(each).localname: each.text for each in told}
    assert next(iter(values)) == "username"
    assert values["home-node"] == values["node"] == "imp-pub"
    assert values["backup-node"] == "imp-sub"
    assert values["client-relogin-lower-limit"] == "120"
    assert values["client-relogin-upper-limit"] == "537"
    once = by_key("get-onetime-password", key)
    assert len(once.findtext("{*}success/{*}onetime-password") or "") >= 32
    assert by_key("logout", key).find("{*}success") is not None
    assert someone().signed_out
    again = by_key("get-all-config", key)
    assert again.findtext("{*}failure/{*}code") == "session-over"


def test_a_failure_says_why(group: RedundancyGroup) -> None:
    wrong = login(password="wrong-one")
    assert wrong.findtext("{*}failure/{*}code") == "wrong-password"
    assert wrong.findtext("{*}failure/{*}reason") == "The user ID or the password is wrong."
    elsewhere = login(path="/node/imp-sub/EPASSoap/service")
    assert elsewhere.findtext("{*}failure/{*}node") == "imp-pub"
    # Presence users are not those of the pages: their sign-ins are not in the audit trail.
    assert not SignIn.objects.exists()


def test_nobody_is_logged_in_twice_without_force(group: RedundancyGroup) -> None:
    login(attributes="force='false'")
    assert login(attributes="force='0'").findtext("{*}failure/{*}code") == "already-logged-in"
    for attributes in ("", "force=''", "force='true'"):
        key_of(login(attributes=attributes))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("", 400, "one Body with one operation"),
        ("<login xmlns='urn:x'/>", 400, "There is no operation 'login' here."),
        (f"<login xmlns='{URN}'><username>x</username></login>", 400, "password: must be given."),
        (
            f"<login xmlns='{URN}'><username>{'x' * 129}</username></login>",
            400,
            "username: must not be longer than 128 characters.",
        ),
        (f"<login xmlns='{URN}'><user>x</user></login>", 400, "user: there is no such field"),
        (
            f"<login xmlns='{URN}' force='maybe'><username>x</username></login>",
            400,
            "force: must be true or false",
        ),
        (f"<await-event xmlns='{URN}'/>", 400, "session-key: must be given."),
        (
            f"<await-event xmlns='{URN}'><session-key>x</session-key><wait>21</wait></await-event>",
            400,
            "wait: must not be more than 20 seconds.",
        ),
        (
            f"<await-event xmlns='{URN}'>{'<session-key>x</session-key>' * 5001}</await-event>",
            400,
            "session-key: there must not be more than 5000.",
        ),
    ],
)
def test_what_is_no_message_is_a_fault_of_the_sender(
    group: RedundancyGroup, body: str, status: int, said: str
) -> None:
    answer = post(body)
    assert answer.status_code == status
    fault = etree.fromstring(answer.content).find(".//{*}Fault")
    assert fault is not None
    assert fault.findtext("{*}Code/{*}Value") == "soapenv:Sender"
    assert said in str(fault.findtext("{*}Reason/{*}Text"))


def test_an_unknown_node_is_a_fault(group: RedundancyGroup) -> None:
    body = f"<login xmlns='{URN}'><username>x</username><password>y</password></login>"
    answer = post(body, "/node/elsewhere/EPASSoap/service")
    assert (answer.status_code, b"no IM and Presence server" in answer.content) == (400, True)


def test_pages_of_other_sites_cannot_ask(group: RedundancyGroup) -> None:
    assert post("", HTTP_ORIGIN="https://elsewhere.example").status_code == 403


def test_its_description_names_its_operations() -> None:
    answer = Client().get("/EPASSoap/service?wsdl")
    names = etree.fromstring(answer.content).xpath("//*[local-name()='portType']/*/@name")
    assert set(names) == set(EPAS.operations)
    assert b"working" in Client().get("/EPASSoap/service").content


@pytest.mark.parametrize(
    ("binding", "kind"),
    [("EPASSoapBinding", "text/xml"), ("EPASSoapBinding12", "application/soap+xml")],
)
def test_a_client_made_of_its_description_speaks_either_version(
    live_server: LiveServer, binding: str, kind: str
) -> None:
    load_sample_cluster(actor="")
    address = f"{live_server.url}/EPASSoap/service"
    with requests.Session() as session:
        session.trust_env = False
        sent: list[Any] = []
        session.hooks["response"].append(lambda answer, **_: sent.append(answer))
        client = zeep.Client(f"{address}?wsdl", transport=zeep.Transport(session=session))
        service = client.create_service(f"{{{URN}}}{binding}", address)
        who = {"username": someone().userid, "password": settings.JABBER_PASSWORD}
        key = service.login(**who, force=True)["success"]["session-key"]
        told = service["get-all-config"](**{"session-key": key})
        assert told["success"]["backup-node"] == "imp-sub"
        failed = service.login(username="x", password="y")
        assert failed["failure"]["code"] == "wrong-password"
    for answer in sent[1:]:
        assert answer.request.headers["Content-Type"].startswith(kind)
        assert answer.headers["Content-Type"].startswith(kind)


def test_it_hears_at_once_who_is_not_connected(group: RedundancyGroup) -> None:
    key = key_of(login())
    presence.sign(users=PresenceUser.objects.filter(pk=someone().pk), out=True, actor="ann")
    body = f"<session-key>{key}</session-key><wait>20</wait>"
    begun = time.monotonic()
    (event,) = ask("await-event", body).iterfind("{*}success/{*}event")
    assert time.monotonic() - begun < 15
    assert [event.findtext("{*}session-key"), event.findtext("{*}why")] == [key, "over"]


def test_it_waits_until_something_happens(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(login())
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            PresenceSession.objects.filter(by_client=True).update(by_client=False)
            HaEvent.objects.create(kind="lab", sentence="x", at="2027-01-01T00:00Z")

    monkeypatch.setattr(time, "sleep", sleep)
    body = f"<session-key>{key}</session-key><wait>20</wait>"
    assert len(list(ask("await-event", body).iterfind("{*}success/{*}event"))) == 1
    assert len(slept) == 3


def test_so_many_wait_and_no_more(group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_of(login())
    monkeypatch.setattr(waiting, "_places", BoundedSemaphore(1))
    assert waiting._places.acquire(blocking=False)
    told = ask("await-event", f"<session-key>{key}</session-key><wait>20</wait>")
    assert told.find("{*}success/{*}event") is None
    assert told.findtext("{*}success/{*}again-after") == str(waiting.BUSY_SECONDS)


def test_logs_tell_neither_password_nor_key(
    group: RedundancyGroup, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(login())
    monkeypatch.setattr("redundancy.operations.clients.access_of", lambda _: 1 / 0)
    body = f"<get-all-config xmlns='{URN}'><session-key>{key}</session-key></get-all-config>"
    assert post(body).status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert key not in caplog.text
    assert settings.JABBER_PASSWORD not in caplog.text
    assert lab_now() > 0
