"""Alarms of a pair that is swept: raised, changed, cleared, told, acknowledged."""

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from bs4 import Tag
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from redundancy import bus
from redundancy.alarms import channels
from redundancy.alarms import delivery as notify
from redundancy.alarms import writes as alarms
from redundancy.alarms.banner import BY_URGENCY, CALM_FOR
from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.live import sweep as sweeping
from redundancy.models import Alarm, AlarmChannel, AlarmKind, AlarmNotice, HaEvent
from redundancy.operations import power, services
from redundancy.operations.activation import set_activations, start_login_services
from tests.live.pair import ROUTER, Pair, server
from tests.pages.html import rows, soup, status, words
from tests.stacks import find_port

NOWHERE = "json://127.0.0.1:9/nobody-listens"


def open_alarms() -> list[tuple[str, str]]:
    found = Alarm.objects.filter(cleared_at=None).order_by("pk")
    return [(alarm.kind, alarm.node_name or alarm.group_name) for alarm in found]


def fail(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(95)
    alarms.reconcile()


def deliver() -> int:
    return sum(map(notify.deliver_to, alarms.channels_due(timezone.now())))


def claim(now: datetime) -> AlarmNotice | None:
    return alarms.claim(now, AlarmChannel.objects.get().pk)


def test_one_failover_is_one_thread_from_raising_to_clearing(pair: Pair) -> None:
    channel = alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    assert open_alarms() == [
        ("CriticalServiceDown", "imp-pub"),
        ("SRMFailover", "DefaultCUPSubCluster"),
    ]
    assert alarms.reconcile() == 0, "nothing has changed"
    began = Alarm.objects.get(kind="SRMFailover").raised_at
    services.start_service(server=server("imp-pub"), name=ROUTER, actor="")
    # What stopped with it; without it nobody logs in after the fallback, which is an alarm, too.
    start_login_services(server=server("imp-pub"), actor="")
    pair.run(5)
    alarms.reconcile()
    thread = Alarm.objects.get(kind="SRMFailover")
    assert (thread.changes, thread.raised_at, thread.cleared_at) == (1, began, None)
    assert open_alarms() == [("SRMFailover", "DefaultCUPSubCluster")]
    from redundancy.operations import actions

    actions.request_fallback(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(20)
    alarms.reconcile()
    assert open_alarms() == []
    said = AlarmNotice.objects.filter(alarm=thread, channel=channel).order_by("pk")
    assert [notice.text.partition(" ")[0] for notice in said] == ["Raised:", "Changed:", "Cleared"]
    assert "Cleared after 25 s (lab time)" in said[2].text


def test_a_node_without_power_and_its_peer(pair: Pair) -> None:
    power.power_off(server=server("imp-sub"), actor="")
    alarms.reconcile()
    assert open_alarms() == [("ServerDown", "imp-sub")]
    pair.run(70)
    alarms.reconcile()
    assert open_alarms() == [
        ("ServerDown", "imp-sub"),
        ("PEPeerNodeFailure", "imp-pub"),
        ("SRMFailover", "DefaultCUPSubCluster"),
    ]


def test_a_switched_off_channel_is_told_nothing(pair: Pair) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=False, actor="ann")
    fail(pair)
    assert not AlarmNotice.objects.exists()


class Hook(http.server.BaseHTTPRequestHandler):
    heard: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.heard = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"json://127.0.0.1:{listening.server_port}/alarm"
        listening.shutdown()
        thread.join()


def test_a_webhook_is_told(pair: Pair, hook: str) -> None:
    channel = alarms.save_channel(channel=None, name="hook", url=hook, enabled=True, actor="ann")
    fail(pair)
    assert deliver() == 2
    assert deliver() == 0
    titles = [heard["title"] for heard in Hook.heard]
    assert titles == ["[CriticalServiceDown] imp-pub", "[SRMFailover] DefaultCUPSubCluster"]
    assert "Running in Backup Mode" in Hook.heard[1]["message"]
    channel.refresh_from_db()
    assert channel.last_success is not None
    assert not channel.fails


@pytest.mark.process
def test_a_mail_server_is_told() -> None:
    class Mailbox:
        seen: list[str] = []

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            self.seen.append(envelope.content.decode())
            return "250 OK"

    port = find_port()
    controller = Controller(Mailbox(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        url = f"mailto://127.0.0.1:{port}?from=lab@example.com&to=ann@example.com"
        assert channels.send(url, "[SRMFailover] pair", "Raised: it failed over.") == ""
    finally:
        controller.stop()
    assert "Subject: [SRMFailover] pair" in Mailbox.seen[0]


@pytest.mark.process
def test_syslog_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        url = f"rsyslog://127.0.0.1:{listening.getsockname()[1]}"
        assert channels.send(url, "[SRMFailed] imp-pub", "Raised: it failed.") == ""
        assert b"it failed." in listening.recv(2000)


def test_a_channel_that_fails_is_tried_again_later_and_later(pair: Pair) -> None:
    channel = alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    AlarmNotice.objects.filter(alarm__kind="SRMFailover").delete()
    assert deliver() == 1
    waits = []
    for _ in range(4):
        notice = AlarmNotice.objects.get()
        waits.append((notice.due_at - timezone.now()).total_seconds())
        assert deliver() == 0, "not before its time"
        AlarmNotice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert deliver() == 1
    assert [round(wait / 30) for wait in waits] == [1, 2, 4, 8]
    channel.refresh_from_db()
    assert channel.fails
    assert channel.last_error


def test_a_notice_is_given_up_in_the_end_and_a_new_one_is_not(pair: Pair) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    AlarmNotice.objects.update(tries=alarms.TRIES - 1)
    assert deliver() == 2
    assert AlarmNotice.objects.filter(given_up=True).count() == 2
    AlarmNotice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert deliver() == 0


@pytest.mark.parametrize(
    ("tries", "minutes", "given_up"),
    [(1, 0.5, False), (7, 32, False), (8, 60, False), (29, 60, False), (30, 60, True)],
)
def test_waits_grow_to_an_hour_and_end_after_thirty_tries(
    pair: Pair, tries: int, minutes: float, given_up: bool
) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    notice = AlarmNotice.objects.all()[0]
    notice.tries = tries
    now = timezone.now()
    alarms.note_failure(notice, "refused", now)
    notice.refresh_from_db()
    assert notice.due_at - now == timedelta(minutes=minutes)
    assert notice.given_up == given_up


def test_a_notice_is_due_from_its_moment_on(pair: Pair) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    due = timezone.now() + timedelta(hours=1)
    AlarmNotice.objects.update(due_at=due)
    assert claim(due - timedelta(milliseconds=1)) is None
    assert claim(due) is not None


def test_a_channel_that_was_switched_off_gets_what_waited_when_it_is_on_again(pair: Pair) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    AlarmChannel.objects.update(enabled=False)
    assert claim(timezone.now()) is None
    AlarmChannel.objects.update(enabled=True)
    assert claim(timezone.now()) is not None


def test_a_notice_is_claimed_by_one(pair: Pair) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    now = timezone.now()
    claimed = [claim(now) for _ in range(3)]
    assert len({notice.pk for notice in claimed if notice}) == 2
    assert claimed[2] is None
    # One whose deliverer was killed is due again after the lease.
    assert claim(now + timedelta(seconds=alarms.LEASE + 1)) is not None


def test_of_two_who_find_the_same_notice_due_one_claims_it(pair: Pair) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    fail(pair)
    now = timezone.now()
    faster: list[AlarmNotice | None] = []

    def somebody_is_faster(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and not faster:
            faster.append(None)
            faster[0] = claim(now)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(somebody_is_faster):
        slower = claim(now)
    assert faster[0] is not None
    assert slower is not None
    assert slower.pk != faster[0].pk
    assert not AlarmNotice.objects.filter(tries__gt=1).exists()


@pytest.mark.parametrize(
    ("name", "url", "field", "rule"),
    [
        ("", NOWHERE, "name", "Name is required."),
        ("x", "nonsense", "url", "must begin with one of these"),
        ("x", "file:///etc/passwd", "url", "must begin with one of these"),
        ("x", "json://", "url", "not one that Apprise knows"),
        ("x", f"{NOWHERE}, json://127.0.0.1/y", "url", "must be one address"),
        ("x", f"{NOWHERE} json://127.0.0.1/y", "url", "must be one address"),
        ("x", "json://127.0.0.1/" + "x" * 500, "url", "at most 500 characters"),
        ("DESK", NOWHERE, "name", "A channel named DESK exists already."),
    ],
)
def test_a_bad_channel_is_refused(db: None, name: str, url: str, field: str, rule: str) -> None:
    alarms.save_channel(channel=None, name="desk", url=NOWHERE, enabled=True, actor="ann")
    with pytest.raises(Refused, match=rule) as refused:
        alarms.save_channel(channel=None, name=name, url=url, enabled=True, actor="ann")
    assert refused.value.field == field
    assert AlarmChannel.objects.count() == 1


def test_every_page_shows_it_until_it_is_acknowledged(
    page: Client, read_only: Client, pair: Pair
) -> None:
    home = reverse("home")
    assert not soup(page.get(home)).select(".alarm-line")
    region = soup(page.get(home)).select_one("#alarms")
    assert region is not None
    assert page.get(str(region["hx-get"])).status_code == 204
    fail(pair)
    assert "CriticalServiceDown" in words(soup(page.get(str(region["hx-get"]))))
    assert len(banner(page)) == 1
    address = reverse("alarm_acknowledge")
    assert read_only.post(address, {"alarm": "all"}).status_code == 403
    assert page.post(address, {"alarm": "x"}).status_code == 400
    done = page.post(address, {"alarm": "all"}, follow=True)
    assert status(done) == "Update successful"
    assert [row[1] for row in rows(done)] == ["Raised", "Raised"]
    assert [row[-1] for row in rows(done)] == ["ccmadmin", "ccmadmin"]
    assert not soup(page.get(home)).select(".alarm-line")
    assert HaEvent.objects.filter(sentence__startswith="2 alarms were acknowledged.").exists()
    again = page.post(address, {"alarm": str(Alarm.objects.all()[0].pk)}, follow=True)
    assert "nothing was done" in status(again)


def banner(page: Client) -> list[Tag]:
    return list(soup(page.get(reverse("home"))).select(".alarm-line"))


def test_one_line_tells_the_worst_alarm_and_how_many_more_hold(page: Client, pair: Pair) -> None:
    fail(pair)
    (line,) = banner(page)
    assert "alarm-bad" in line["class"]
    assert words(line).startswith("CriticalServiceDown: imp-pub: ")
    assert words(line).endswith("1 more alarm")
    Alarm.objects.filter(kind="CriticalServiceDown").update(cleared_at=1.0)
    (line,) = banner(page)
    assert words(line).startswith("SRMFailover: ")
    assert words(line).endswith("Alarms")


def test_the_sweep_after_a_change_by_hand_has_the_alarms_looked_at(
    pair: Pair, django_capture_on_commit_callbacks: Any
) -> None:
    node, peer = server("imp-pub"), server("imp-sub")
    manager = "Cisco XCP Connection Manager"
    deeds: dict[str, Callable[[], object]] = {
        "stop": lambda: services.stop_service(server=node, name=manager, actor="ann"),
        "start": lambda: services.start_service(server=node, name=manager, actor="ann"),
        "deactivate": lambda: set_activations(server=node, activated={manager: False}, actor="ann"),
        "power off": lambda: power.power_off(server=peer, actor="ann"),
    }
    looked: list[str] = []

    def sweeps_tell(deed: str) -> None:
        for _ in range(2):
            sweeping.sweep(pair.wanted.extend, changed=lambda: looked.append(deed))

    sweeps_tell("nothing")
    assert not looked
    for name, deed in deeds.items():
        with django_capture_on_commit_callbacks(execute=True):
            deed()
        sweeps_tell(name)
    # Once each: the sweep after that one knows of nothing new.
    assert looked == list(deeds)


def test_every_kind_of_alarm_has_its_urgency() -> None:
    assert sorted(BY_URGENCY) == sorted(AlarmKind)


def test_cleared_alarms_are_calm_and_fold_away_by_themselves(
    page: Client, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(pair)
    now = lab_now()
    Alarm.objects.update(cleared_at=now - CALM_FOR + 60)
    # Nobody knows that all is well while nobody looks.
    monkeypatch.setattr(bus, "sweep_age", lambda: 60.0)
    assert not banner(page)
    monkeypatch.setattr(bus, "sweep_age", lambda: 0.0)
    (line,) = banner(page)
    assert "alarm-ok" in line["class"]
    assert words(line).startswith("All alarms are cleared. The last was ")
    Alarm.objects.update(cleared_at=now - CALM_FOR)
    assert not banner(page)


def test_it_is_not_calm_while_an_acknowledged_alarm_holds(page: Client, pair: Pair) -> None:
    fail(pair)
    Alarm.objects.filter(kind="SRMFailover").update(cleared_at=lab_now())
    assert page.post(
        reverse("alarm_acknowledge"), {"alarm": str(Alarm.objects.get(cleared_at=None).pk)}
    )
    assert not banner(page)


@pytest.fixture
def staff(admin: User, page: Client) -> Client:
    admin.is_staff = True
    admin.save()
    return page


@pytest.mark.process
def test_channels_are_configured_and_tried_in_the_django_admin(
    staff: Client, db: None, hook: str
) -> None:
    add = reverse("admin:redundancy_alarmchannel_add")
    bad = staff.post(add, {"name": "hook", "url": "nonsense", "enabled": "on"})
    assert b"must begin with one of these" in bad.content
    staff.post(add, {"name": "hook", "url": hook.replace("://", "://u:s3cret@"), "enabled": "on"})
    channel = AlarmChannel.objects.get()
    listed = reverse("admin:redundancy_alarmchannel_changelist")
    assert b"s3cret" not in staff.get(listed).content
    tried = staff.post(
        listed, {"action": "send_test", "_selected_action": [channel.pk]}, follow=True
    )
    assert b"the test was sent" in tried.content
    assert [heard["title"] for heard in Hook.heard] == ["[Test] cucm-admin"]
    assert not HaEvent.objects.filter(sentence__contains="s3cret").exists()
