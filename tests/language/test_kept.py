"""A day in Portuguese: all that is kept, and all that leaves the pages, is in English."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import settings as project
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from pytest_django.fixtures import Settings

from redundancy.alarms import writes as alarms
from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.history import writes as retention
from redundancy.imports import jobs as importing
from redundancy.models import (
    Alarm,
    AlarmNotice,
    HaEvent,
    LogCollection,
    PresenceUser,
    RedundancyGroup,
    Server,
    SrmMessage,
    UserImport,
)
from redundancy.models.fields import SentenceField
from redundancy.operations import actions, groups, power, servers, services, users
from redundancy.parameters.writes import parameters
from redundancy.planned import writes as planned
from redundancy.srm.words import english
from redundancy.traces import collecting
from redundancy.traces.writes import set_trace_level
from tests.language.marking import OPEN, marking, untranslated
from tests.language.names import proper_names
from tests.live.conftest import pair
from tests.live.pair import ROUTER, Pair, server

__all__ = ["pair"]

# What JSON makes of the bracket, too.
BRACKETS = (OPEN, OPEN.encode("unicode_escape").decode())


@pytest.fixture(autouse=True)
def lab(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Fault Lab is on, and queued steps are done at once."""
    settings.FAULT_LAB = True
    monkeypatch.setattr(importing.import_users, "delay", importing.import_users)
    monkeypatch.setattr(collecting.collect, "delay", collecting.collect)


@pytest.fixture(autouse=True)
def portuguese() -> Iterator[None]:
    """Everything of the test is done in Portuguese, in which each translated text has brackets."""
    with marking(), translation.override("pt-br"):
        yield


@pytest.fixture
def browser(pair: Pair) -> Client:
    """A browser in Portuguese of somebody who may do everything."""
    client = Client()
    client.cookies[project.LANGUAGE_COOKIE_NAME] = "pt-br"
    client.force_login(User.objects.create_superuser("ann"))
    return client


def send(browser: Client, page: str, /, *args: object, **data: object) -> None:
    """Send a form, which is accepted."""
    answer = browser.post(reverse(page, args=args), data)
    assert answer.status_code in {200, 204, 302}, page
    assert translation.get_language() == "pt-br"


def by_the_pages(browser: Client, pair: Pair) -> None:
    """Administer the cluster with a browser."""
    for name in ("one", "two", "three"):
        send(browser, "server_add", type="imp", name=name)
    send(browser, "server_edit", server("three").pk, name="third", version="12.5.1")
    send(browser, "server_delete", server("third").pk)
    one, two = server("one"), server("two")
    send(browser, "group_add", name="Other", first=one.pk, second=two.pk)
    other = RedundancyGroup.objects.get(name="Other")
    typed = {"name": "Another", "description": "x", "first": one.pk, "second": two.pk}
    send(browser, "group_edit", other.pk, ha_enabled="on", **typed)
    send(browser, "group_edit", other.pk, **typed)
    send(browser, "group_edit", other.pk, **{**typed, "second": ""})
    send(browser, "group_delete", other.pk)
    for data in (b"userid,home\n,nowhere\n", b"zoe,Zoe,zoe@example.com,imp-pub\n"):
        send(browser, "user_import", file=SimpleUploadedFile("users.csv", data))
    send(browser, "import_act", UserImport.objects.latest("pk").pk, "import")
    zoe = PresenceUser.objects.get(userid="zoe")
    send(browser, "user_assign", pk=zoe.pk, node=server("imp-sub").pk)
    kind = ["feature", server("imp-pub").pk]
    send(browser, "control_center_service", *kind, action="stop", service="Cisco SIP Proxy")
    send(browser, "control_center_service", *kind, action="start", service="Cisco SIP Proxy")
    pub = server("imp-pub")
    serial = pub.runtime.serial
    send(browser, "group_action", pub.group_id, pub.pk, "failover", serial=serial)
    pair.run(5)
    assert pair.states() == ("Idle", "Running in Backup Mode")
    serial = server("imp-pub").runtime.serial
    send(browser, "group_action", pub.group_id, pub.pk, "fallback", serial=serial)
    pair.run(5)
    assert pair.states() == ("Normal", "Normal")
    send(browser, "alarm_acknowledge", alarm="all")
    since, until = "2027-01-15 00:00:00", "2027-01-15 23:00:00"
    send(browser, "log_collection", group=pub.group_id, since=since, until=until)


def by_operations(pair: Pair) -> None:
    """Do the rest without forms."""
    pub, sub = server("imp-pub"), server("imp-sub")
    group = pub.group
    assert group is not None
    parameters.set_parameters(values={"heartbeat_timeout": "90"}, actor="ann")
    parameters.set_parameters(values={"relogin_lower": "60"}, server=pub, actor="ann")
    alarms.save_channel(
        channel=None, name="desk", url="json://127.0.0.1/x", enabled=True, actor="ann"
    )
    set_trace_level(server=pub, level="DEBUG", actor="ann")
    services.stop_service(server=pub, name=ROUTER, actor="ann")
    pair.run(95)
    alarms.reconcile()
    services.start_service(server=pub, name=ROUTER, actor="ann")
    pair.run(3)
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(5)
    # SRM itself refuses what is not offered any more when it hears of it.
    SrmMessage.objects.create(node=pub, kind="fallback", actor="ann")
    pair.run(1)
    faults.cut_link(group=group, actor="ann")
    faults.delay_link(group=group, seconds=2, actor="ann")
    faults.fail_next_start(node=sub, actor="ann")
    faults.clear(group=None, actor="ann")
    power.power_off(server=pub, actor="ann")
    pair.run(100)
    alarms.reconcile()
    power.power_on(server=pub, actor="ann")
    power.reboot(server=sub, actor="ann")
    pair.run(130)
    groups.disable_ha(group=RedundancyGroup.objects.get(), actor="ann")
    planned.begin(server=server("imp-sub"), service=ROUTER, actor="ann")
    users.delete_users(users=list(PresenceUser.objects.all()[:2]), actor="ann")
    alarms.reconcile()
    retention.prune(days=0)


def rows() -> Iterator[tuple[str, str]]:
    """Yield every text of the database, with its table."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    if isinstance(value, str):
                        yield table, value
                    elif isinstance(value, bytes | memoryview):
                        yield table, bytes(value).decode(errors="replace")


def is_english(text: str) -> bool:
    return not any(bracket in text for bracket in BRACKETS)


def content(answer: HttpResponseBase) -> bytes:
    if isinstance(answer, StreamingHttpResponse):
        return b"".join(answer)
    return answer.content  # type: ignore[attr-defined,no-any-return]


def test_what_is_kept_is_english_and_shown_translated(browser: Client, pair: Pair) -> None:
    by_the_pages(browser, pair)
    by_operations(pair)
    assert {f"{table}: {text[:300]}" for table, text in rows() if not is_english(text)} == set()
    assert HaEvent.objects.count() > 60
    names = proper_names() | {
        "three",
        "third",
        "Failover",
        "Fallback",
        "Other",
        "Another",
        "zoe",
        "users.csv",
        "desk",
        "DEBUG",
    }
    unsaid = {
        f"{model.__name__}.{field.name}: {english(text)}"
        for model in apps.get_app_config("redundancy").get_models()
        for field in model._meta.local_fields
        if isinstance(field, SentenceField)
        for text in model._default_manager.values_list(field.name, flat=True)
        if untranslated(f"<p>{escape(text)}</p>", names)
    }
    assert unsaid == set()


def test_what_is_refused_is_kept_in_its_parts(pair: Pair) -> None:
    with pytest.raises(Refused) as caught:
        servers.delete_server(server=server("imp-pub"), actor="ann")
    text = english(caught.value.rule)
    assert is_english(text)
    assert " Delete that group: the publisher leaves it no other way. " in text
    assert untranslated(f"<p>{escape(caught.value.rule)}</p>", proper_names()) == []


def test_files_are_english_in_a_portuguese_browser(browser: Client, pair: Pair) -> None:
    by_the_pages(browser, pair)
    by_operations(pair)
    job = UserImport.objects.earliest("pk")
    user = PresenceUser.objects.latest("pk")
    addresses = [
        reverse("event_history") + "?export=csv",
        reverse("event_history") + "?export=json",
        reverse("user_history") + f"?userid={user.userid}&format=csv",
        reverse("user_history") + f"?userid={user.userid}&format=json",
        reverse("import_problems", args=[job.pk]),
        reverse("user_export_file"),
        reverse("srm_trace_download", args=[server("imp-pub").pk]),
        reverse("metrics"),
        reverse("healthz"),
    ]
    for address in addresses:
        answer = browser.get(address)
        text = content(answer).decode()
        assert answer.status_code in {200, 503}, address
        assert [line for line in text.splitlines() if not is_english(line)] == [], address
    assert AlarmNotice.objects.exists()
    assert Alarm.objects.exists()
    collection = LogCollection.objects.latest("pk")
    address = reverse("log_collection_download", args=[collection.pk])
    with zipfile.ZipFile(io.BytesIO(content(browser.get(address)))) as file:
        for name in file.namelist():
            assert is_english(name)
            lines = file.read(name).decode().splitlines()
            assert [line for line in lines if not is_english(line)] == [], name
    assert not Server.objects.filter(name="third").exists()
