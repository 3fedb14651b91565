"""Addresses of channels: kept secret, and sent to where it is allowed only."""

import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from cucm_admin import urls  # noqa: F401 - with the addresses the tables are registered
from redundancy.alarms import addresses, channels, delivery, sender
from redundancy.alarms import writes as alarms
from redundancy.errors import Refused
from redundancy.models import Alarm, AlarmChannel, AlarmNotice
from redundancy.models.fields import SecretField
from redundancy.permissions import READ_ONLY, SUPER
from tests.stacks import find_port

URL = "jsons://ann:s3cretword@hooks.example.com:8443/t0kenpart?key=s3cretkey"
LIST = reverse("admin:redundancy_alarmchannel_changelist")


def channel(name: str = "desk", url: str = URL) -> AlarmChannel:
    return alarms.save_channel(channel=None, name=name, url=url, enabled=True, actor="ann")


def staff(role: str) -> Client:
    user = User.objects.create_user(role.split()[-1].lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", [SUPER, READ_ONLY])
def test_scheme_and_host_are_all_that_anybody_sees(db: None, role: str) -> None:
    kept = channel()
    client = staff(role)
    change = reverse("admin:redundancy_alarmchannel_change", args=[kept.pk])
    for path in (LIST, change, reverse("alarm_list"), LIST + "?q=hooks"):
        body = client.get(path).content.decode()
        assert not [word for word in ("s3cret", "t0ken", "ann:") if word in body], path
    assert "jsons://hooks.example.com:8443" in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "slack://…"),
        ("mailto://ann:pw@example.com?smtp=mail.example.net", "mailto://mail.example.net:25"),
        ("rsyslog://logs.example.com", "rsyslog://logs.example.com"),
        ("json://user:p/ss@host/x", "not a known address"),
        ("windows://somewhere", "not a known address"),
        ("", "not a known address"),
    ],
)
def test_what_is_shown_of_an_address(url: str, shown: str) -> None:
    assert addresses.shown(url) == shown


@pytest.mark.process
def test_it_is_stored_encrypted_and_needs_the_key(db: None, settings: Settings) -> None:
    kept = channel()
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM redundancy_alarmchannel")
        (stored,) = cursor.fetchone()
    assert stored.startswith("fernet:")
    assert "example" not in stored
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    assert AlarmChannel.objects.get().url == ""
    assert channels.send("", "t", "x").startswith("its address cannot be read")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert AlarmChannel.objects.get(pk=kept.pk).url == URL


def test_what_an_earlier_version_stored_is_encrypted_one_address_a_channel(db: None) -> None:
    channel("desk (2)")
    kept = channel("desk")
    two = f"{URL}, rsyslog://logs.example.com/a,b"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE redundancy_alarmchannel SET url = %s WHERE id = %s", [two, kept.pk])
    migration = import_module("redundancy.migrations.0008_sign_ins_and_secrets")
    migration.seal_addresses(apps, SimpleNamespace(connection=connection))
    assert dict(AlarmChannel.objects.values_list("name", "url")) == {
        "desk": URL,
        "desk (2)": URL,
        "desk (3)": "rsyslog://logs.example.com/a,b",
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM redundancy_alarmchannel")
        assert all(url.startswith("fernet:") for (url,) in cursor.fetchall())


def test_an_empty_address_keeps_the_one_that_is_stored(db: None) -> None:
    kept = channel()
    client = staff(SUPER)
    change = reverse("admin:redundancy_alarmchannel_change", args=[kept.pk])
    assert (
        client.post(change, {"name": "front desk", "url": "", "enabled": "on"}).status_code == 302
    )
    changed = AlarmChannel.objects.get()
    assert (changed.name, changed.url) == ("front desk", URL)
    add = client.post(reverse("admin:redundancy_alarmchannel_add"), {"name": "new", "url": ""})
    assert b"must begin with one of these" in add.content


@pytest.mark.parametrize("how", ["", "__exact", "__regex", "__startswith", "__contains", "__lt"])
def test_no_condition_can_be_put_to_a_secret(db: None, how: str) -> None:
    with pytest.raises(FieldError):
        list(AlarmChannel.objects.filter(**{f"url{how}": "j"}))


def test_no_table_answers_conditions_but_those_of_its_filters() -> None:
    """Of any table: what is not shown cannot be guessed by conditions in the address."""
    tried = 0
    for model, page in admin.site._registry.items():
        request = RequestFactory().get("/")
        request.user = User(is_superuser=True, is_staff=True)
        for name in paths(model):
            for how in ("regex", "iregex", "startswith", "contains", "gt", "lte", "range", "in"):
                tried += 1
                assert not page.lookup_allowed(f"{name}__{how}", "1", request), (model, name, how)
    assert tried > 1000


def paths(model: type[Model]) -> Iterator[str]:
    """Every field of a table, and of those it leads to."""
    for field in model._meta.get_fields():
        yield field.name
        if isinstance(field.related_model, type):
            yield from (f"{field.name}__{far.name}" for far in field.related_model._meta.fields)


@pytest.mark.parametrize(
    "asked", ["url__regex=s3cret", "url=x", "notices__text__contains=a", "name__startswith=d"]
)
def test_a_condition_in_the_address_is_a_bad_request(db: None, asked: str) -> None:
    channel()
    assert staff(READ_ONLY).get(f"{LIST}?{asked}").status_code == 400


def test_users_and_groups_are_guarded_like_every_table(admin_client: Client) -> None:
    users = reverse("admin:auth_user_changelist")
    assert admin_client.get(users + "?password__startswith=pbkdf2").status_code == 400
    assert admin_client.get(users + "?email__startswith=a").status_code == 400
    body = admin_client.get(users).content.decode()
    filters = set(re.findall(r'href="(\?[^"]+=[^"]+)"', body))
    assert filters
    for query in filters:
        assert admin_client.get(users + query.replace("&amp;", "&")).status_code == 200, query


def test_no_table_shows_searches_or_filters_by_a_secret() -> None:
    for model, page in admin.site._registry.items():
        secrets = {each.name for each in model._meta.fields if isinstance(each, SecretField)}
        used = {str(each) for each in (*page.list_display, *page.search_fields, *page.list_filter)}
        assert not {name for name in used for secret in secrets if secret in name.split("__")}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "localhost", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0"],
)
def test_private_networks_are_refused_where_they_are_not_allowed(
    db: None, settings: Settings, host: str
) -> None:
    settings.ALARM_ALLOW_PRIVATE = False
    with pytest.raises(Refused, match="private network"):
        channel(url=f"json://{host}/x")
    assert channel(url="json://hooks.example.com/x").pk


class Answering(http.server.BaseHTTPRequestHandler):
    """Sends whoever asks for /elsewhere to the other address; drips for /drip."""

    asked: list[str] = []
    over = threading.Event()

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/drip"):
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            try:
                while not self.over.wait(0.1):
                    self.wfile.write(b".")
                    self.wfile.flush()
            except OSError:
                pass
            return
        self.send_response(302 if self.path.startswith("/elsewhere") else 200)
        self.send_header("Location", "/caught")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Answering.asked, Answering.over = [], threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{listening.server_port}"
        Answering.over.set()
        listening.shutdown()


@pytest.mark.process
def test_a_redirection_is_not_followed(server: str) -> None:
    assert channels.send(f"{server}/elsewhere", "t", "x") != ""
    assert Answering.asked == ["/elsewhere"]


@pytest.mark.process
@pytest.mark.parametrize("scheme", ["json", "rsyslog", "mailto"])
def test_a_name_of_a_private_network_is_found_out_when_it_is_called(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(addresses, "problem_of", lambda _: "")
    settings.ALARM_ALLOW_PRIVATE = False
    kind = socket.SOCK_DGRAM if scheme == "rsyslog" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as listening:
        listening.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            listening.listen()
        listening.settimeout(0.2)
        url = f"{scheme}://localhost:{listening.getsockname()[1]}"
        tail = "?from=a@example.com&to=b@example.com" if scheme == "mailto" else ""
        assert "ALARM_ALLOW_PRIVATE" in channels.send(url + tail, "t", "x")
        with pytest.raises(TimeoutError):
            listening.recv(1) if kind == socket.SOCK_DGRAM else listening.accept()


@pytest.mark.process
def test_what_went_wrong_is_told_without_the_secrets() -> None:
    url = f"json://ann:s3cretword@127.0.0.1:{find_port()}/t0kenpart?key=s3cretkey"
    error = channels.send(url, "t", "x")
    assert error
    assert not [word for word in ("s3cret", "t0ken") if word in error]


@pytest.mark.parametrize(
    "error",
    [
        "to json://ann:s3cretword@hooks/t0kenpart failed",
        "no route to t0kenpart",
        "s3cret%2Fkey",
        "s3cret/key",
    ],
)
def test_no_part_of_an_address_but_its_host_is_in_an_error(error: str) -> None:
    url = "json://ann:s3cretword@hooks/t0kenpart?key=s3cret%2Fkey"
    told = sender._without_secrets(error, url, "hooks")
    assert not [word for word in ("s3cret", "t0ken", "ann") if word in told]
    assert ("hooks" in told) == ("hooks" in error)


@pytest.mark.process
def test_one_that_drips_is_ended_and_delays_no_other(
    transactional_db: None, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "SECONDS", 6)
    dripping, quick = channel("drip", f"{server}/drip"), channel("quick", f"{server}/quick")
    alarm = Alarm.objects.create(kind="ServerDown", subject="node 1", sentence="x", raised_at=1)
    for to in (dripping, dripping, quick):
        AlarmNotice.objects.create(alarm=alarm, channel=to, text="x")
    delivery.deliver_beside()
    wait_until(lambda: "/drip" in Answering.asked)
    wait_until(lambda: AlarmNotice.objects.filter(channel=quick, delivered_at=None).count() == 0)
    # A notice that comes while the other hangs is not kept waiting either.
    AlarmNotice.objects.create(alarm=alarm, channel=quick, text="y")
    delivery.deliver_beside()
    wait_until(lambda: AlarmNotice.objects.filter(channel=quick, delivered_at=None).count() == 0)
    assert dripping.pk in delivery._at_work
    assert Answering.asked.count("/drip") == 1, "one round of a channel at a time"
    wait_until(lambda: not delivery._at_work)
    dripping.refresh_from_db()
    assert "not over after 6 seconds" in dripping.last_error
    # The second one of it waits for the next round instead of hanging, too.
    assert Answering.asked.count("/drip") == 1
    assert AlarmNotice.objects.filter(channel=dripping, due_at__lte=timezone.now()).count() == 1


def test_what_comes_while_a_round_ends_is_told_by_the_same_thread(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = channel("one", "json://127.0.0.1:9/")
    alarm = Alarm.objects.create(kind="ServerDown", subject="node 1", sentence="x", raised_at=1)
    AlarmNotice.objects.create(alarm=alarm, channel=told, text="x")
    rounds: list[int] = []

    def play(channel: int) -> tuple[int, bool]:
        rounds.append(channel)
        if len(rounds) == 1:
            # Another worker's task finds one that came too late for this round.
            delivery.deliver_beside()
        return 1, False

    monkeypatch.setattr(delivery, "_round", play)
    delivery.deliver_beside()
    wait_until(lambda: not delivery._at_work)
    assert rounds == [told.pk] * 2


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
