"""Snapshots are drafts when they were read, and kept when somebody says so, within limits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from redundancy.cluster import reads, writes
from redundancy.errors import Refused
from redundancy.models import ClusterSnapshot, HaEvent
from redundancy.srm.words import english
from tests.cluster.inputs import HA_GUIDE, STATUS, draft_of, reading_of

pytestmark = pytest.mark.django_db
DATED = HA_GUIDE + STATUS.format(date="Sun Nov 29, 2026 01:20:00")


def test_a_draft_is_kept_with_name_and_note() -> None:
    rows = draft_of(DATED)
    assert list(reads.snapshots()) == []
    (kept,) = writes.keep(rows=rows, name=" Lisbon ", note="before the patch", actor="ann")
    row = reads.snapshots().get()
    assert row == kept
    assert (row.name, row.note, row.taken_at) == (
        "Lisbon",
        "before the patch",
        "2026-11-29 01:20:00",
    )
    assert (row.groups, row.nodes, row.users, row.all_read) == (1, 2, 0, True)
    assert reads.whole(ClusterSnapshot.objects.get()) == reading_of(DATED)[1][0]
    assert english(HaEvent.objects.latest("pk").sentence) == (
        "1 snapshot of the cluster Lisbon was kept."
    )
    with pytest.raises(Refused, match="nothing to keep"):
        writes.keep(rows=rows, actor="ann")


def test_without_a_name_it_is_called_as_its_first_node() -> None:
    assert [row.name for row in draft_of(HA_GUIDE)] == ["imp-pub"]


@pytest.mark.parametrize(
    ("name", "note", "field"),
    [("x" * 101, "", "name"), ("", "x" * 2001, "note"), ("\x00", "", "name"), ("", "\x00", "note")],
)
def test_texts_have_limits(name: str, note: str, field: str) -> None:
    rows = draft_of(HA_GUIDE)
    with pytest.raises(Refused) as caught:
        writes.keep(rows=rows, name=name, note=note, actor="ann")
    assert [where for _, where in caught.value.rules] == [field]


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "MOST_SNAPSHOTS", 1)
    writes.keep(rows=draft_of(HA_GUIDE), actor="ann")
    with pytest.raises(Refused, match="At most 1 snapshots are kept"):
        writes.keep(rows=draft_of(HA_GUIDE), actor="ann")


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "LARGEST", 100)
    with pytest.raises(Refused, match="must not be larger"):
        draft_of(HA_GUIDE)
    monkeypatch.setattr(writes, "MOST_AT_ONCE", 0)
    with pytest.raises(Refused, match="0 are taken at once"):
        draft_of(HA_GUIDE)
    assert not ClusterSnapshot.objects.exists()


def test_drafts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    (old,), (kept,) = draft_of(HA_GUIDE), draft_of(HA_GUIDE)
    writes.keep(rows=[kept], actor="ann")
    ClusterSnapshot.objects.update(made_at=timezone.now() - writes.DRAFT - timedelta(seconds=1))
    (new,) = draft_of(HA_GUIDE)
    assert set(ClusterSnapshot.objects.values_list("pk", flat=True)) == {kept.pk, new.pk}
    assert old.pk is not None
    monkeypatch.setattr(writes, "MOST_DRAFTS", 1)
    (last,) = draft_of(HA_GUIDE)
    assert set(ClusterSnapshot.objects.values_list("pk", flat=True)) == {kept.pk, last.pk}


def test_a_cluster_has_one_baseline() -> None:
    one, two, other = (
        writes.keep(rows=draft_of(HA_GUIDE, name), actor="ann")[0] for name in ("a", "a", "b")
    )
    for row in (one, other, two):
        writes.describe(snapshot=row, name=row.name, note="", baseline=True, actor="ann")
    marked = ClusterSnapshot.objects.filter(baseline=True).values_list("pk", flat=True)
    assert set(marked) == {two.pk, other.pk}
    with pytest.raises(Refused, match="Cluster is required"):
        writes.describe(snapshot=two, name=" ", note="", baseline=True, actor="ann")


def test_one_is_deleted() -> None:
    (row,) = writes.keep(rows=draft_of(DATED, "a"), actor="ann")
    writes.delete_snapshot(snapshot=row, actor="ann")
    assert not ClusterSnapshot.objects.exists()
    sentence = english(HaEvent.objects.latest("pk").sentence)
    assert sentence == "The snapshot a, taken 2026-11-29 01:20:00 was deleted."
