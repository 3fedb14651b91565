"""*Import Cluster*: a server that is asked from the page."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from redundancy.cluster import reads
from redundancy.cluster.views import importing
from redundancy.models import ClusterSnapshot, EventKind, HaEvent
from redundancy.permissions import READ_ONLY
from redundancy.pull.sources import PullFailed, Source
from tests.cluster.inputs import HA_GUIDE
from tests.pages.html import error_at, soup, status, words
from tests.pull.cucm import HOST, PASSWORD, USER, Cucm, serving, well
from tests.pull.prompt import PASSWORD as SSH_PASSWORD
from tests.pull.prompt import Process, shell
from tests.pull.prompt import serving as ssh_serving

pytestmark = pytest.mark.django_db
IMPORT = reverse("cluster_import")


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.fixture
def fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What is typed to ask a CUCM that runs."""
    monkeypatch.setattr("redundancy.pull.axl.APART", 0.0)
    with serving(well(Cucm()), tmp_path) as (port, ca):
        yield {
            "host": HOST,
            "port": str(port),
            "user": USER,
            "password": PASSWORD,
            "ca": Path(ca).read_text(),
        }


def test_a_cluster_is_asked_shown_and_kept(page: Client, fields: dict[str, str]) -> None:
    answer = page.post(IMPORT, {**fields, "name": "Lisbon"}, follow=True)
    ((where, _),) = answer.redirect_chain
    assert status(answer) == "The certificate of 127.0.0.1 was verified by the given CA."
    assert PASSWORD not in answer.content.decode()
    page.post(where, {"name": "Lisbon", "note": "by AXL"})
    row = reads.snapshots().get()
    assert (row.kept, row.name, row.groups, row.users) == (True, "Lisbon", 1, 3)
    assert reads.whole(row).files == ("127.0.0.1.axl.txt",)
    told = HaEvent.objects.order_by("pk").first()
    assert told is not None
    assert (told.kind, told.actor) == (EventKind.ADMIN, "ann")
    assert told.sentence.startswith(
        "Import Cluster: 127.0.0.1, by AXL as reader. "
        "The certificate of 127.0.0.1 was verified by the given CA. It answered: "
    )
    # So it stands in the audit trail, without the password.
    shown = page.get(reverse("audit_trail")).content.decode()
    assert "Import Cluster: 127.0.0.1, by AXL as reader." in shown
    assert PASSWORD not in shown


def test_a_certificate_that_was_not_verified_is_said_for_good(
    page: Client, fields: dict[str, str]
) -> None:
    answer = page.post(IMPORT, {**fields, "ca": "", "unverified": "on"}, follow=True)
    said = soup(answer).select_one(".status .tone-warn")
    assert words(said) == "The certificate of 127.0.0.1 was not verified, as was chosen."
    assert reads.whole(ClusterSnapshot.objects.get()).files == ("127.0.0.1.axl-not-verified.txt",)


def test_what_fails_is_said_at_the_host_and_nothing_is_stored(
    page: Client, fields: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = page.post(IMPORT, {**fields, "ca": ""})
    assert answer.status_code == 422
    assert "Certificate: that of 127.0.0.1 is not trusted" in error_at(answer, "host")
    # What was typed stays, but for the password.
    assert soup(answer).select_one("#id_user")["value"] == USER  # type: ignore[index]
    assert PASSWORD not in answer.content.decode()
    assert PASSWORD not in caplog.text
    assert "ann lets 127.0.0.1 be asked by axl, as reader" in caplog.text
    (event,) = HaEvent.objects.all()
    assert (event.kind, event.actor) == (EventKind.ADMIN, "ann")
    assert event.sentence.startswith(
        "Import Cluster: 127.0.0.1, by AXL as reader. Certificate: that of 127.0.0.1 is not trusted"
    )
    assert not ClusterSnapshot.objects.exists()


@pytest.mark.parametrize(
    ("change", "at", "rule"),
    [
        ({"user": ""}, "user", "User is required."),
        ({"password": ""}, "password", "Password is required."),
        ({"port": "x"}, "port", "Port: must be from 1 to 65535."),
        ({"port": "0"}, "host", "Port: must be from 1 to 65535."),
        ({"host": "a/b"}, "host", "Host: must be a host name or an IP address"),
        ({"pasted": HA_GUIDE}, "host", "Host: ask a server, or give files or an output, not both."),
        (
            {"file": SimpleUploadedFile("a.txt", b"x")},
            "host",
            "Host: ask a server, or give files or an output, not both.",
        ),
        # No file of this machine is opened for it.
        ({"ca": "/etc/passwd"}, "ca", "CA: must be certificates in the format PEM"),
        ({"ca": "-----BEGIN CERTIFICATE-----\nx"}, "host", "CA: what is given cannot be used"),
        ({"unverified": "on"}, "ca", "CA: give one, or choose not to verify the certificate"),
        ({"ca": "-----BEGIN " + "x" * 70_000}, "ca", "CA: at most 65,536 characters."),
        ({"kind": "telnet"}, "kind", "By: choose one of the list."),
        ({"kind": "ssh", "host_key": "MD5:00"}, "host", "Host key: must be a fingerprint"),
        ({"host": "169.254.169.254"}, "host", "169.254.169.254, an address of no server"),
    ],
)
def test_fields_and_their_rules(
    page: Client, fields: dict[str, str], change: dict[str, Any], at: str, rule: str
) -> None:
    answer = page.post(IMPORT, {**fields, **change})
    assert answer.status_code == 422
    assert rule in error_at(answer, at)
    assert not ClusterSnapshot.objects.exists()


def test_ssh_is_asked_by_the_fingerprint_of_its_key(
    page: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(command: str, _: Process) -> bytes:
        return HA_GUIDE.partition("\n")[2].encode() if command == "utils ha status" else b""

    monkeypatch.setenv("HOME", str(tmp_path))
    with ssh_serving(shell(answer), tmp_path) as source:
        asked = {"kind": "ssh", "host": HOST, "port": source.port, "user": "admin"}
        asked["password"] = SSH_PASSWORD
        refused = error_at(page.post(IMPORT, asked), "host")
        assert refused.startswith("Host key: 127.0.0.1 shows SHA256:")
        fingerprint = refused.split()[4]
        shown = page.post(IMPORT, {**asked, "host_key": fingerprint}, follow=True)
        other = fingerprint[:-1] + ("A" if fingerprint[-1] != "A" else "B")
        assert "Host key" in error_at(page.post(IMPORT, {**asked, "host_key": other}), "host")
    assert status(shown) == "The host key of 127.0.0.1 is the one that was given."
    assert reads.whole(ClusterSnapshot.objects.get()).files == ("127.0.0.1.ssh.txt",)


def test_one_at_a_time(page: Client, fields: dict[str, str]) -> None:
    with importing._asking:
        answer = page.post(IMPORT, fields)
    assert answer.status_code == 422
    assert "another cluster is being asked now" in error_at(answer, "host")
    assert page.post(IMPORT, fields).status_code == 302


def test_the_turn_is_given_back_where_it_fails(
    page: Client, fields: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: list[float] = []

    def fail(_source: Source, _password: str, **limits: float) -> Any:
        seconds.append(limits["seconds"])
        raise PullFailed("no")

    monkeypatch.setattr(importing, "pull", fail)
    for _ in range(2):
        assert error_at(page.post(IMPORT, fields), "host") == "no"
    # A request is over within a minute.
    assert max(seconds) <= 60
    assert not importing._asking.locked()


def test_who_may_only_look_asks_nobody(
    client: Client, fields: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "pull", lambda *_, **__: pytest.fail("it is asked"))
    user = User.objects.create_user("reader")
    user.groups.add(Group.objects.get_or_create(name=READ_ONLY)[0])
    client.force_login(user)
    assert client.post(IMPORT, fields).status_code == 403


def test_a_slow_cluster_holds_nobody_for_longer_than_the_time(
    page: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_SECONDS", 1.0)
    began = time.monotonic()
    with serving(lambda handler: time.sleep(30), tmp_path) as (port, ca):
        asked = {"host": HOST, "port": port, "user": USER, "password": PASSWORD}
        answer = page.post(IMPORT, {**asked, "ca": Path(ca).read_text()})
        took = time.monotonic() - began
    assert "it was not over after 1 seconds" in error_at(answer, "host")
    assert took < 25
