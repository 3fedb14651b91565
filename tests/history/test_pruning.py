"""What else grows with the years is let go of, and nothing that is open or still needed."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.utils import timezone

from redundancy import bus, clock, tasks
from redundancy.history import pruning
from redundancy.history.pruning import prune_others
from redundancy.keys import pack
from redundancy.models import (
    Alarm,
    AlarmChannel,
    AlarmNotice,
    ImportProblem,
    LabClock,
    PlannedRestart,
    PresenceUser,
    RecordKind,
    UserImport,
    UserRecord,
)

pytestmark = pytest.mark.django_db

DAYS = 90
# Since when the lab clock ran at 60, and how fast.
TURNED, RATE = 200, 60


@pytest.fixture(autouse=True)
def fast_clock() -> None:
    """The lab clock has run at 60 for 200 days: what is 91 days old is far back in lab time."""
    real_at = time.time() - TURNED * 86400
    LabClock.objects.create(real_at=real_at, lab_at=real_at, rate=RATE)


def lab(days: float) -> float:
    """Return the lab time of so many days ago."""
    return clock.lab_at(time.time() - days * 86400)


def alarm(days: float | None) -> None:
    number = Alarm.objects.count()
    Alarm.objects.create(
        kind="ServerDown",
        subject=f"node {number}",
        sentence="x",
        raised_at=lab(199),
        cleared_at=None if days is None else lab(days),
    )
    channel, _ = AlarmChannel.objects.get_or_create(
        name="desk", defaults={"url": "json://127.0.0.1/x"}
    )
    AlarmNotice.objects.create(alarm=Alarm.objects.latest("pk"), channel=channel, text="x")


def planned(days: float | None) -> None:
    ended_at = None if days is None else lab(days)
    PlannedRestart.objects.create(server_name="a", begun_at=lab(199), ended_at=ended_at)


def imported(days: float | None) -> None:
    ended_at = None if days is None else timezone.now() - timedelta(days=days)
    job = UserImport.objects.create(file_name="x", size=1, ended_at=ended_at)
    ImportProblem.objects.create(job=job, line=1, column=1, rule="x")


def logged(days: float | None) -> None:
    user, _ = User.objects.get_or_create(username="ann")
    LogEntry.objects.create(user=user, action_flag=1, action_time=timezone.now())
    if days is not None:
        at = timezone.now() - timedelta(days=days)
        LogEntry.objects.filter(pk=LogEntry.objects.latest("pk").pk).update(action_time=at)


@pytest.mark.parametrize(
    ("model", "make"),
    [(Alarm, alarm), (PlannedRestart, planned), (UserImport, imported), (LogEntry, logged)],
)
def test_what_ended_long_ago_goes_and_what_is_open_stays(
    model: type[Model], make: Callable[[float | None], None]
) -> None:
    for days in (None, 92, 91, 89, 0.1):
        make(days)
    keys = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
    assert prune_others(days=0) == ({}, False)
    assert prune_others(days=DAYS) == ({model._meta.model_name: 2}, False)
    kept = model._default_manager.order_by("pk").values_list("pk", flat=True)
    assert list(kept) == [keys[0], keys[3], keys[4]]


def test_what_belongs_to_it_goes_with_it() -> None:
    alarm(100)
    imported(100)
    prune_others(days=DAYS)
    assert not AlarmNotice.objects.exists()
    assert not ImportProblem.objects.exists()


def test_expired_sign_in_sessions_go_whatever_the_days() -> None:
    for hours in (-1, 1):
        until = timezone.now() + timedelta(hours=hours)
        Session.objects.create(session_key=f"key{hours}", session_data="x", expire_date=until)
    assert prune_others(days=0) == ({"session": 1}, False)
    assert list(Session.objects.values_list("session_key", flat=True)) == ["key1"]


def test_it_is_done_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "CHUNK", 2)
    monkeypatch.setattr(pruning, "CHUNKS", 2)
    for _ in range(5):
        alarm(100)
    assert prune_others(days=DAYS) == ({"alarm": 4}, True)
    assert prune_others(days=DAYS) == ({"alarm": 1}, False)


def record(kind: RecordKind, days: float, *users: int) -> int:
    return UserRecord.objects.create(
        at=lab(days),
        kind=kind,
        number=len(users),
        first=min(users),
        last=max(users),
        keys=pack(users),
    ).pk


def test_of_each_user_the_last_records_stay() -> None:
    ann, bob = (
        PresenceUser.objects.create(userid=name, im_address=f"{name}@example.com").pk
        for name in ("ann", "bob")
    )
    gone = bob + 1
    spare = {
        record(RecordKind.ASSIGNED, 150, ann),
        record(RecordKind.SIGNED_OUT, 149, ann),
        # Of nobody who is still there.
        record(RecordKind.ASSIGNED, 100, gone),
    }
    needed = {
        # Bob's last one, of an assignment that was another's, too.
        record(RecordKind.ASSIGNED, 140, ann, bob),
        record(RecordKind.SIGNED_IN, 130, ann),
        record(RecordKind.UNASSIGNED, 120, ann),
        record(RecordKind.ASSIGNED, 10, ann),
    }
    assert prune_others(days=DAYS) == ({"userrecord": 3}, False)
    assert spare.isdisjoint(UserRecord.objects.values_list("pk", flat=True))
    assert set(UserRecord.objects.values_list("pk", flat=True)) == needed
    assert prune_others(days=DAYS) == ({}, False)


def test_the_task_does_it_too(valkey: str) -> None:
    bus.client().flushdb()
    alarm(100)
    tasks.tidy()
    assert not Alarm.objects.exists()
    bus.client().flushdb()
