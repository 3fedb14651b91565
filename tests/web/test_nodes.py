"""SOAP_NODES: a real server by TLS, and addresses of servers beside its own."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from django.db import DatabaseError

from cucm_admin import joining
from cucm_admin.web import certificate, nodes
from cucm_admin.web.tls import Follow
from redundancy.selectors.loopback import loopback_of
from tests.web.test_tls import HOST, Site, ask, serving

SUB = 70_007
ADDRESS = str(loopback_of(SUB))
Beside = Callable[..., AbstractContextManager[Site]]


class Cluster:
    """The servers that there are; ``away``: nobody can ask."""

    def __init__(self) -> None:
        self.servers = [(SUB, "imp-sub")]
        self.away = False
        self.looks = 0

    def seen(self, _most: int) -> list[tuple[int, str]]:
        self.looks += 1
        if self.away:
            raise DatabaseError
        return self.servers

    def looked(self) -> None:
        """Wait until what is now was seen."""
        before, deadline = self.looks, time.monotonic() + 20
        while self.looks < before + 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(nodes, "_servers", made.seen)
    monkeypatch.setattr(joining, "LOOK_SECONDS", 0.02)
    return made


@pytest.fixture
def beside(tmp_path: Path, cluster: Cluster) -> Beside:
    """Serve with the addresses of the cluster; ``given``: with a certificate that somebody gave."""

    @contextmanager
    def serve(bind: str = HOST, given: str = "") -> Iterator[Site]:
        def follow(listening: socket.socket, folder: Path) -> Follow:
            certify = partial(certificate.for_server, folder, given, given)
            return partial(nodes.follow, listening, certify)

        with serving(tmp_path / "tls", bind=bind, follow=follow) as site:
            cluster.looked()
            yield site

    return serve


def names(site: Site, host: str) -> set[str]:
    """The names in the certificate that is shown there, to a client that is strict about it."""
    site.context.verify_flags |= ssl.VERIFY_X509_STRICT
    client = site.client(host)
    assert ask(client, "/dialled").decode() == host
    shown = x509.load_der_x509_certificate(client.sock.getpeercert(True) or b"")
    client.close()
    listed = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(each.value) for each in listed}


@pytest.mark.parametrize("bind", [HOST, "0.0.0.0"])
def test_each_address_shows_a_certificate_of_its_own(
    beside: Beside, bind: str, tmp_path: Path
) -> None:
    with beside(bind) as site:
        assert names(site, ADDRESS) == {"imp-sub", ADDRESS}
        assert HOST in names(site, HOST)
    assert [each.name for each in (tmp_path / "tls").iterdir()] == ["certificate.pem"]


def test_a_client_may_call_the_server_by_its_name(beside: Beside) -> None:
    with beside() as site, socket.create_connection((ADDRESS, site.port)) as plain:
        site.context.wrap_socket(plain, server_hostname="imp-sub").close()


def test_a_certificate_that_was_given_is_shown_everywhere(beside: Beside, tmp_path: Path) -> None:
    certificate.context(tmp_path / "given")
    given = tmp_path / "given" / "certificate.pem"
    with beside(given=str(given)) as site:
        site.context = ssl.create_default_context(cafile=given)
        site.context.check_hostname = False
        assert HOST in names(site, ADDRESS)


def test_an_address_is_there_while_its_node_has_power(
    beside: Beside,
    cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with beside() as site:
        client, other = site.client(ADDRESS), site.client()
        for each in (client, other):
            ask(each)
        sock = client.sock
        cluster.away, cluster.servers = True, []
        cluster.looked()
        assert ask(client).endswith(b"https 0")
        cluster.away = False
        cluster.looked()
        sock.settimeout(20)
        assert sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            ask(site.client(ADDRESS))
        assert ask(other).endswith(b"https 0")
        cluster.servers = [(SUB, "imp-sub")]
        cluster.looked()
        assert ask(site.client(ADDRESS)).endswith(b"https 0")
    line = f"SOAP reaches imp-sub at {ADDRESS} port {site.port}\n"
    assert capsys.readouterr().out == 2 * line


def test_a_name_that_is_none_of_dns_is_left_out(beside: Beside, cluster: Cluster) -> None:
    cluster.servers = [(SUB, "2001:db8::7")]
    with beside() as site:
        assert names(site, ADDRESS) == {ADDRESS}
