"""The audit of the live tables: quiet when all is well, and naming every breach planted."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cucm_admin.stack.run import BASE_DIR
from redundancy import bus, tasks
from redundancy.models import EventKind, PresenceSession, RedundancyGroup
from redundancy.monitor import audit as audits
from redundancy.monitor.audit import INVARIANTS, audit
from redundancy.operations import events
from redundancy.operations.groups import disable_ha, enable_ha
from redundancy.operations.servers import add_server
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind
from tests.audit.pair import found, lost, move, state, stray, without_cause

pytestmark = pytest.mark.django_db


def test_nothing_is_found_where_nothing_is_wrong(group: RedundancyGroup) -> None:
    assert found() == []
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    assert found() == []
    move(group, "imp-pub", MoveKind.HOME)
    move(group, "imp-pub", MoveKind.TAKE_OVER)
    disable_ha(group=group, actor="")
    assert found() == []


def test_of_one_invariant_so_many_breaches_are_named(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "NAMED", 2)
    for _ in range(3):
        state("imp-pub", State.NORMAL, Reason.NORMAL, cause="")
    stray(group)
    assert [invariant for invariant, _ in found()] == ["I1", "I6", "I6"]


def test_moves_of_many_moments_are_found_in_pieces(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "_CHUNK", 1)
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    moved = PresenceSession.objects.filter(user__home__name="imp-pub")
    # Another moment, of which no move tells, before and after that of the move.
    for session, seconds in zip(moved, (-60, 60), strict=False):
        since = session.since + timedelta(seconds=seconds)
        PresenceSession.objects.filter(pk=session.pk).update(since=since)
    assert [sentence[:40] for _, sentence in found()] == [
        "1 client(s) wait at imp-sub for a login "
    ] * 2


def test_the_command_says_so_and_ends_accordingly(group: RedundancyGroup) -> None:
    out = StringIO()
    call_command("audit", stdout=out)
    first, *checked = out.getvalue().splitlines()
    assert first == "Checked 1 group(s) and 10 session(s). It holds that"
    assert checked == [f"- {rule}" for rule in INVARIANTS.values()]
    stray(group)
    lost(group)
    with pytest.raises(
        CommandError, match=r"(?s)hold that a session .*hold that sessions are conserved.*2 breach"
    ) as error:
        call_command("audit")
    assert error.value.returncode == 1


def test_the_slow_lane_logs_breaches_of_the_last_events(
    group: RedundancyGroup,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    valkey: str,
) -> None:
    without_cause(group)
    stray(group)
    with caplog.at_level(logging.ERROR):
        tasks.audit()
    place, folds = (f"audit: It does not hold that {INVARIANTS[name]}: " for name in ("I1", "I6"))
    first, second = caplog.messages
    assert first.startswith(place)
    assert second.startswith(folds)
    caplog.clear()
    # An old breach of the history has been logged when it was new.
    monkeypatch.setattr(tasks, "RECENT_EVENTS", 1)
    events.record(kind=EventKind.LAB, sentence="something else")
    with caplog.at_level(logging.ERROR):
        tasks.audit()
    (first,) = caplog.messages
    assert first.startswith(place)


def test_the_slow_lane_comes_once_a_minute(valkey: str) -> None:
    bus.client().flushdb()
    assert [bus.mark_sweep() for _ in range(3)] == [True, False, False]
    assert 0 < int(bus.client().ttl(bus.SLOW_LANE)) <= timedelta(minutes=1).seconds
    bus.client().flushdb()


def test_it_asks_the_same_number_of_queries_whatever_the_size(
    group: RedundancyGroup, django_assert_num_queries: Callable
) -> None:
    with django_assert_num_queries(15):
        audit()


def test_an_empty_database_is_said_to_be_empty_and_does_not_pass() -> None:
    with pytest.raises(CommandError, match="no presence redundancy group and no session") as raised:
        call_command("audit")
    assert raised.value.returncode == 2


def test_groups_without_sessions_pass_and_say_so() -> None:
    add_server(name="imp-pub", server_type="imp", actor="")
    out = StringIO()
    call_command("audit", stdout=out)
    assert "There is no session" in out.getvalue()
    assert "Checked 1 group(s) and 0 session(s)" in out.getvalue()


@pytest.mark.process
def test_a_database_without_our_tables_is_said_to_be_unreadable(tmp_path: Path) -> None:
    # Its own process: there the database has not been migrated.
    ended = subprocess.run(
        [sys.executable, "manage.py", "audit"],
        cwd=BASE_DIR,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "The database has no tables of this product: run the release step"
    )
