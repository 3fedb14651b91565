"""Looks at a real cluster: what is kept of them, how they fail, and that one looks at a time."""

import logging
import threading
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from redundancy.cluster import reads as clusters
from redundancy.cluster import writes as cluster_writes
from redundancy.models import ClusterSnapshot, ClusterWatch, HaEvent
from redundancy.pull.sources import Source
from redundancy.srm.words import english
from redundancy.watch import reads, watching, writes
from tests.cluster.inputs import HA_GUIDE, draft_of
from tests.watch.inputs import BEGIN, FAILED_OVER, NORMAL, PASSWORD, Real, at, dated

pytestmark = pytest.mark.django_db


def kept() -> list[int]:
    return list(
        ClusterSnapshot.objects.filter(kept=True).order_by("pk").values_list("pk", flat=True)
    )


def row() -> ClusterWatch:
    return ClusterWatch.objects.get()


def test_what_is_the_same_is_seen_and_kept_once() -> None:
    real = Real()
    assert real.look() is not None
    (one,) = kept()
    assert (row().snapshot_id, row().seen_at, row().name) == (one, real.now, "Lisbon")
    real.look()
    assert kept() == [one]
    assert (row().snapshot_id, row().seen_at) == (one, real.now)
    real.look(FAILED_OVER)
    assert len(kept()) == 2
    assert row().snapshot_id == kept()[-1]
    assert [each.pk for each in row().snapshots.order_by("pk")] == kept()
    assert not ClusterSnapshot.objects.filter(kept=False).exists()
    sentence = english(HaEvent.objects.latest("pk").sentence)
    assert sentence == "1 snapshot of the cluster Lisbon was kept."


def test_time_that_passes_and_clients_that_come_are_no_difference() -> None:
    counters = (
        'admin:show perf query counter "Cisco XCP CM" CmConnectedSockets\n'
        "- Perf class (Cisco XCP CM) has instances and values:\n"
        "                    -> CmConnectedSockets     = {number}\n\n"
    )
    one = dated(NORMAL) + counters.format(number=7)
    two = dated(NORMAL, "Sun Nov 29, 2026 01:25:00").replace("2:07", "2:12").replace(
        "01:20:00 up", "01:25:00 up"
    ) + counters.format(number=9)
    real = Real(one)
    real.look()
    told = clusters.whole(ClusterSnapshot.objects.get())
    assert any(node.counters and node.clock and node.up for node in told.nodes.values())
    real.look(two)
    assert len(kept()) == 1


def test_a_node_that_was_restarted_is_a_difference() -> None:
    real = Real(dated(NORMAL))
    real.look()
    later = dated(NORMAL, "Sun Nov 29, 2026 01:40:00").replace(
        "up 3 days,  2:07", "up 0 days,  0:06"
    )
    real.look(later, after=20)
    assert len(kept()) == 2
    # It ran for longer than before when it was seen again; it was another start all the same.
    again = dated(NORMAL, "Mon Nov 30, 2026 09:40:00").replace(
        "up 3 days,  2:07", "up 0 days,  3:06"
    )
    real.look(again)
    assert len(kept()) == 3


def test_a_failure_is_told_since_its_beginning_until_it_is_over() -> None:
    real = Real()
    real.look()
    seen = real.now
    real.look(why="host: it does not answer")
    began = real.now
    real.look(why="user: the password is wrong")
    assert (row().failing_since, english(row().failure)) == (began, "user: the password is wrong")
    assert (row().seen_at, row().snapshot_id, len(kept())) == (seen, kept()[0], 1)
    real.look()
    assert (row().failing_since, row().failure, row().seen_at) == (None, "", real.now)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello\n", "no presence redundancy group"),
        (dated("", "Sun Nov 29, 2026 01:20:00"), "no presence redundancy group"),
        (dated(NORMAL) + dated(NORMAL, "Sun Nov 29, 2026 09:20:00"), "of 2 moments"),
        ("\x00\x01" * 50, "Not all of the answers could be read"),
    ],
)
def test_answers_that_are_not_one_whole_cluster_are_a_failure(text: str, why: str) -> None:
    Real(text).look()
    assert why in english(row().failure)
    assert (row().seen_at, kept()) == (None, [])


def test_what_breaks_tells_no_password(caplog: pytest.LogCaptureFixture) -> None:
    def pull(_source: Source, password: str) -> list[tuple[str, bytes]]:
        raise ValueError(f"cannot log in with {password}")

    with caplog.at_level(logging.DEBUG):
        watching.look(at(), pull=pull, now=lambda: BEGIN)
    assert english(row().failure) == "The look broke off: ValueError."
    assert "broke off: ValueError" in caplog.text
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(at())


def test_a_look_is_due_when_the_interval_is_over() -> None:
    real = Real()
    assert real.look(due_only=True) is not None
    assert real.look(due_only=True, after=4) is None
    assert real.asked == 1
    # Beat asks once a minute, and not to the second.
    assert real.look(due_only=True, after=0.95) is not None
    assert real.look(after=0) is not None
    # A clock that was set back does not stop the looks.
    assert real.look(due_only=True, after=-600) is not None


def test_of_two_who_begin_one_looks() -> None:
    writes.begin_look(at(), BEGIN, due_only=True)
    one, two = row(), row()
    assert writes._claim(one, at(), BEGIN + timedelta(minutes=5))
    assert not writes._claim(two, at(), BEGIN + timedelta(minutes=5, seconds=1))


def test_a_look_that_another_one_overtook_says_nothing() -> None:
    real = Real()

    def slow(source: Source, password: str) -> list[tuple[str, bytes]]:
        real.look(FAILED_OVER, after=1)
        return [("ha.txt", NORMAL.encode())]

    watching.look(at(), pull=slow, now=lambda: BEGIN)
    assert row().seen_at == real.now
    assert len(kept()) == 1
    last = reads.last_seen(row())
    assert last is not None
    assert last.nodes["imp-pub"].state is not None
    assert last.nodes["imp-pub"].state.text == "Failed Over"

    def fails(source: Source, password: str) -> list[tuple[str, bytes]]:
        real.look(after=1)
        raise ValueError

    watching.look(at(), pull=fails, now=lambda: BEGIN)
    assert row().failure == ""


def test_a_watch_that_is_forgotten_meanwhile_stays_so() -> None:
    def forgotten(source: Source, password: str) -> list[tuple[str, bytes]]:
        writes.forget(row=row(), actor="ann")
        return [("ha.txt", NORMAL.encode())]

    assert watching.look(at(), pull=forgotten, now=lambda: BEGIN) is None
    assert not ClusterWatch.objects.exists()
    assert kept() == []


def test_forgetting_keeps_the_snapshots() -> None:
    Real().look()
    writes.forget(row=row(), actor="ann")
    assert len(kept()) == 1
    sentence = english(HaEvent.objects.latest("pk").sentence)
    assert sentence == ("The watched cluster Lisbon (ssh://ann@cucm.example.com:22) was forgotten.")


def test_only_so_many_are_kept_and_no_baseline_and_nobody_elses_go() -> None:
    (own,) = cluster_writes.keep(rows=draft_of(HA_GUIDE, "Lisbon"), actor="ann")
    real = Real(watched=at(keep=2))
    real.look()
    base = ClusterSnapshot.objects.get(pk=kept()[-1])
    cluster_writes.describe(snapshot=base, name=base.name, note="", baseline=True, actor="ann")
    for text in (FAILED_OVER, NORMAL, FAILED_OVER, NORMAL):
        real.look(text)
    assert kept()[:2] == [own.pk, base.pk]
    assert len(kept()) == 4
    assert row().snapshot_id == kept()[-1]


def test_where_nothing_more_can_be_kept_it_fails_and_nothing_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = Real(watched=at(keep=2))
    for text in (NORMAL, FAILED_OVER):
        real.look(text)
    before, seen = kept(), real.now
    monkeypatch.setattr(cluster_writes, "MOST_SNAPSHOTS", 1)
    real.look(NORMAL)
    assert "At most 1 snapshots are kept" in english(row().failure)
    assert (kept(), row().seen_at, row().snapshot_id) == (before, seen, before[-1])


def test_a_snapshot_that_is_deleted_is_kept_anew() -> None:
    real = Real()
    real.look()
    ClusterSnapshot.objects.all().delete()
    assert row().snapshot_id is None
    real.look()
    assert row().snapshot_id == kept()[0]


def test_another_source_is_another_watch() -> None:
    Real().look()
    Real(watched=at(host="other.example.com", name="")).look()
    assert [each.name for each in reads.watches()] == ["Lisbon", "imp-pub"]


# --- how old it may be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "age", "fresh"),
    [
        (5, 0, True),
        (5, 12.5, True),
        (5, 12.6, False),
        (0, 25, True),
        (0, 26, False),
        (5, -2, False),
    ],
)
def test_what_is_older_than_two_and_a_half_intervals_is_not_known(
    minutes: float, age: float, fresh: bool
) -> None:
    found = ClusterWatch(minutes=minutes, seen_at=BEGIN)
    standing = reads.standing(found, BEGIN + timedelta(minutes=age))
    assert standing.fresh is fresh
    assert standing.age == (None if age < 0 else int(age))


def test_what_was_never_seen_is_not_known() -> None:
    standing = reads.standing(ClusterWatch(minutes=5), BEGIN)
    assert (standing.fresh, standing.age) == (False, None)


# --- beside a worker -------------------------------------------------------------------------------


def test_nothing_is_watched_where_the_settings_name_nothing() -> None:
    assert watching.look_beside() is None


@pytest.mark.django_db(transaction=True)
def test_a_worker_looks_in_a_thread_of_its_own_one_at_a_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WATCH_HOST, settings.WATCH_USER, settings.WATCH_MINUTES = "cucm", "ann", 5.0
    monkeypatch.setenv("WATCH_PASSWORD", PASSWORD)
    go, asked = threading.Event(), threading.Event()

    def pull(source: Source, password: str) -> list[tuple[str, bytes]]:
        assert (source.kind, source.port, password) == ("axl", 8443, PASSWORD)
        asked.set()
        assert go.wait(60)
        return [("ha.txt", NORMAL.encode())]

    monkeypatch.setattr(watching, "pull_texts", pull)
    thread = watching.look_beside()
    assert thread is not None
    assert asked.wait(60)
    assert watching.look_beside() is None
    go.set()
    thread.join(60)
    assert row().snapshot_id is not None
    # It is not due again, and nothing is held.
    asked.clear()
    again = watching.look_beside()
    assert again is not None
    again.join(60)
    assert not asked.is_set()
