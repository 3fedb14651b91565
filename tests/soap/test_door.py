"""The door of every SOAP interface, tried at AXL: who gets in, and what is no message."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from lxml import etree

from redundancy import permissions
from redundancy.models import RedundancyGroup, ServiceStatus, SignIn
from redundancy.operations import authentication
from redundancy.soap.axl.service import AXL
from redundancy.soap.door import door
from redundancy.soap.envelope import DEEPEST
from redundancy.soap.fields import Field
from redundancy.soap.service import Operation
from tests.soap.asking import Asking, envelope, fields
from tests.soap.conftest import PASSWORD

GET = envelope("getPresenceRedundancyGroup", fields(name="DefaultCUPSubCluster"))


def test_a_group_is_read(axl: Asking, group: RedundancyGroup) -> None:
    found = axl.ask("getPresenceRedundancyGroup", fields(name=group.name))
    assert (
        etree.QName(found).text
        == "{http://www.cisco.com/AXL/API/14.0}getPresenceRedundancyGroupResponse"
    )
    inner = found.find("return/presenceRedundancyGroup")
    assert inner is not None
    assert [(each.tag, each.text) for each in inner][:3] == [
        ("name", group.name),
        ("description", group.description or None),
        ("server1", "imp-pub"),
    ]
    again = axl.ask("getPresenceRedundancyGroup", fields(uuid=str(inner.get("uuid"))))
    assert again.findtext(".//name") == group.name


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!", "Bearer x", "Basic cHJvZ3JhbQ=="])
def test_without_a_password_nobody_gets_in(axl: Asking, header: str) -> None:
    answer = axl.post(GET, HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic realm=")


def test_a_sign_in_on_the_pages_is_none_here(user: Callable[..., User]) -> None:
    client = Client()
    client.force_login(user())
    assert client.get("/axl/").status_code == 401


def test_a_wrong_password_waits_as_on_the_pages(axl: Asking, group: RedundancyGroup) -> None:
    wrong = Asking("/axl/", "program", "wrong")
    for _ in range(5):
        assert wrong.post(GET).status_code == 401
    answer = wrong.post(GET)
    assert (answer.status_code, b"Too many failed sign-ins" in answer.content) == (503, True)
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (permissions.SUPER, 200),
        (permissions.AXL, 200),
        (permissions.AXL_READ_ONLY, 200),
        (permissions.READ_ONLY, 403),
        ("", 403),
    ],
)
def test_roles_that_may_read(
    user: Callable[..., User], group: RedundancyGroup, role: str, status: int
) -> None:
    asking = Asking("/axl/", user("other", role).username, PASSWORD)
    assert asking.post(GET).status_code == status
    assert asking.http.get("/axl/", HTTP_AUTHORIZATION=asking.header).status_code == status


def test_a_password_is_compared_once_and_recorded(
    axl: Asking, group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert axl.post(GET).status_code == 200
    monkeypatch.setattr(authentication.Throttled, "authenticate", lambda *_, **__: None)
    assert axl.post(GET).status_code == 200
    assert SignIn.objects.filter(username="program", ok=True).count() == 1
    # A later one is compared again.
    monkeypatch.setattr(time, "monotonic", lambda: 10.0**9)
    assert axl.post(GET).status_code == 401


@pytest.mark.parametrize("change", ["password", "inactive", "gone", "role"])
def test_what_is_remembered_ends_with_the_password_the_user_and_the_role(
    axl: Asking, group: RedundancyGroup, change: str
) -> None:
    assert axl.post(GET).status_code == 200
    someone = User.objects.get(username="program")
    if change == "password":
        someone.set_password("Another-horse-9")
        someone.save()
    elif change == "inactive":
        User.objects.update(is_active=False)
    elif change == "gone":
        someone.delete()
    else:
        someone.groups.clear()
    assert axl.post(GET).status_code == (403 if change == "role" else 401)


def test_a_browser_that_remembers_the_password_is_no_program(axl: Asking) -> None:
    assert axl.post(GET, HTTP_ORIGIN="https://elsewhere.example").status_code == 403


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    + envelope("getCCMVersion", "<processNodeName>&c;</processNodeName>")
)
SECRET = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + envelope(
    "getCCMVersion", "<processNodeName>&f;</processNodeName>"
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "no well-formed XML"),
        ("hello", "no well-formed XML"),
        (GET[:-20], "no well-formed XML"),
        ("<a/>", "no SOAP envelope"),
        (GET.replace("<soapenv:Body>", "<soapenv:Body><x/>"), "one Body with one operation"),
        (LAUGHS, "DOCTYPE"),
        (SECRET, "DOCTYPE"),
        (LAUGHS.encode("utf-16"), "DOCTYPE"),
        (envelope("getCCMVersion", "<a>" * DEEPEST + "</a>" * DEEPEST), "nested deeper"),
        (envelope("getCCMVersion", "<a>" * 9999 + "</a>" * 9999), "no well-formed XML"),
        (envelope("getNothing"), "There is no operation 'getNothing' here."),
        (envelope("getCCMVersion", namespace="urn:x"), "There is no operation"),
    ],
)
def test_what_is_no_message_is_told(axl: Asking, body: str | bytes, said: str) -> None:
    answer = axl.post(body)
    assert answer.status_code == 500
    fault = etree.fromstring(answer.content).find(".//{*}Fault")
    assert fault is not None
    assert fault.findtext("faultcode") == "soapenv:Client"
    assert said in str(fault.findtext("faultstring"))


def test_a_body_that_is_too_large_is_not_read(axl: Asking) -> None:
    assert axl.post(" " * 10_000_000).status_code == 413


def test_an_unknown_version_names_the_known_ones(axl: Asking) -> None:
    answer = axl.post(envelope("getCCMVersion", namespace="http://www.cisco.com/AXL/API/9.1"))
    assert answer.status_code == 599
    assert b"Incorrect axl version. Supported axl versions are 10.5, 11.0," in answer.content


def test_the_page_says_that_it_works(axl: Asking) -> None:
    for path in ("/axl/", "/axl"):
        answer = axl.http.get(path, HTTP_AUTHORIZATION=axl.header)
        assert b"The AXL Web Service is working and accepting requests." in answer.content
        etree.fromstring(answer.content.replace(b"<!DOCTYPE html>", b""))
    assert axl.http.put("/axl/", HTTP_AUTHORIZATION=axl.header).status_code == 405


def test_what_is_made_while_it_is_sent_is_in_english(axl: Asking) -> None:
    with translation.override("pt-br"):
        assert str(ServiceStatus.STOPPED.label) != "Stopped"
    operation = Operation(
        "getSlowly",
        (),
        (Field("label", many=True),),
        lambda _call: {"label": (str(each) for each in (ServiceStatus.STOPPED.label,))},
        streams=True,
    )
    view = door(replace(AXL, operations={"getSlowly": operation}))
    request = RequestFactory().post(
        "/", envelope("getSlowly"), content_type="text/xml", HTTP_AUTHORIZATION=axl.header
    )
    with translation.override("pt-br"):
        answer = view(request)
        assert isinstance(answer, StreamingHttpResponse)
        text = b"".join(cast(Iterator[bytes], answer.streaming_content))
    assert b"<label>Stopped</label>" in text


def test_an_error_of_ours_is_a_fault_too(
    axl: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("redundancy.soap.axl.versions.cucm_publisher", lambda: 1 / 0)
    found = axl.ask("getCCMVersion", status=500)
    assert found.findtext("faultstring") == "The server failed; its log says how."
    assert "ZeroDivisionError" in caplog.text
