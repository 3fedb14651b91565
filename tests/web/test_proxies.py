"""Whose word about the client counts."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings

from cucm_admin import env
from cucm_admin.web import proxies
from redundancy.models import SignIn

PROXIES = [ip_network("127.0.0.1"), ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "192.0.2.7",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "cucm.example.com",
}


@pytest.fixture(autouse=True)
def behind(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    settings.ALLOWED_HOSTS = ["testserver", "cucm.example.com"]


def seen(**meta: Any) -> HttpRequest:
    """The request as the next middleware sees it."""
    requests: list[HttpRequest] = []

    def keep(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    assert proxies.TrustedProxies(keep)(RequestFactory(**meta).get("/")).status_code == 200
    return requests[0]


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "fd00::1", "::ffff:127.0.0.1"])
def test_a_trusted_proxy_is_believed(peer: str) -> None:
    request = seen(REMOTE_ADDR=peer, **FORWARDED)
    assert request.META["REMOTE_ADDR"] == "192.0.2.7"
    assert request.is_secure()
    assert request.get_host() == "cucm.example.com"


@pytest.mark.parametrize("peer", ["127.0.0.2", "10.2.0.1", "fe80::1", "", "unix"])
def test_nobody_else_is(peer: str) -> None:
    request = seen(REMOTE_ADDR=peer, **FORWARDED)
    assert request.META["REMOTE_ADDR"] == peer
    assert not request.is_secure()
    assert request.get_host() == "testserver"
    assert not [name for name in request.META if "FORWARDED" in name]


def test_without_https_a_trusted_proxy_says_so() -> None:
    assert not seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="http").is_secure()
    assert not seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="gopher").is_secure()
    # What stands before the proxy's own word came from the client.
    assert not seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="https, http").is_secure()
    assert seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="http, https").is_secure()


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        # The last one that is no proxy; what stands before was sent by the client.
        ("198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("127.0.0.1, 192.0.2.7, 10.1.0.9", "192.0.2.7"),
        ("192.0.2.7, junk", "127.0.0.1"),
        ("192.0.2.7, junk, 10.1.0.9", "10.1.0.9"),
        ("10.1.0.8, 10.1.0.9", "10.1.0.8"),
        (", ".join(["192.0.2.7"] + ["10.1.0.9"] * 5000), "10.1.0.9"),
    ],
)
def test_the_client_is_who_called_the_first_trusted_proxy(forwarded: str, client: str) -> None:
    assert proxies.client_address("127.0.0.1", forwarded, PROXIES) == client


def test_the_audit_trail_keeps_the_browsers_address(client: Client, db: None) -> None:
    User.objects.create_user("ccmadmin", password="correct horse")
    form = {"username": "ccmadmin", "password": "correct horse"}
    client.post(reverse("login"), form, REMOTE_ADDR="10.1.0.9", HTTP_X_FORWARDED_FOR="192.0.2.7")
    assert SignIn.objects.get().address == "192.0.2.7"
    client.logout()
    client.post(reverse("login"), form, REMOTE_ADDR="192.0.2.8", HTTP_X_FORWARDED_FOR="192.0.2.9")
    assert set(SignIn.objects.values_list("address", flat=True)) == {"192.0.2.7", "192.0.2.8"}


def test_an_unknown_proxy_is_named_once_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.HTTPS = True

    def answer(peer: str, **meta: Any) -> int:
        request = RequestFactory(REMOTE_ADDR=peer, **meta).get("/")
        return proxies.TrustedProxies(lambda _: HttpResponse())(request).status_code

    assert [answer("192.0.2.99", **FORWARDED) for _ in range(3)] == [403] * 3
    assert caplog.text.count("TRUSTED_PROXIES does not name 192.0.2.99") == 1
    # A browser that comes by itself is led to HTTPS by Django.
    assert answer("192.0.2.99") == 200
    assert answer("127.0.0.1", **FORWARDED) == 200


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("proxy.example.com", "must be addresses or networks like 127.0.0.1 or 10.1.0.0/24"),
        ("10.1.0.1/24", "must be addresses or networks"),
        ("", "must name the proxy's address when HTTPS is on"),
    ],
)
def test_bad_proxies(raw: str, rule: str) -> None:
    with pytest.raises(SystemExit, match=f"^TRUSTED_PROXIES: {rule}"):
        env.networks("TRUSTED_PROXIES", True, {"TRUSTED_PROXIES": raw})


def test_proxies() -> None:
    assert env.networks("TRUSTED_PROXIES", False, {}) == []
    given = {"TRUSTED_PROXIES": "127.0.0.1, 10.1.0.0/16"}
    assert env.networks("TRUSTED_PROXIES", True, given) == PROXIES[:2]


@pytest.mark.parametrize("raw", ["https://a", "a:443", "a/b", "a b"])
def test_bad_host_names(raw: str) -> None:
    with pytest.raises(SystemExit, match=r"^ALLOWED_HOSTS: must be names without https://"):
        env.host_names("ALLOWED_HOSTS", "", {"ALLOWED_HOSTS": f"good.example.com,{raw}"})


def test_host_names() -> None:
    names = "localhost,127.0.0.1,[::1],.example.com,*"
    assert env.host_names("ALLOWED_HOSTS", names, {}) == names.split(",")


def test_origins() -> None:
    given = {"CSRF_TRUSTED_ORIGINS": "https://a.example.com, http://b:8000"}
    assert env.origins("CSRF_TRUSTED_ORIGINS", given) == ["https://a.example.com", "http://b:8000"]
    for raw in ("a.example.com", "https://a/"):
        with pytest.raises(SystemExit, match=r"^CSRF_TRUSTED_ORIGINS: must be like https://name"):
            env.origins("CSRF_TRUSTED_ORIGINS", {"CSRF_TRUSTED_ORIGINS": raw})
