"""The pages of an administrator's own cluster."""

import io
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from redundancy.cluster import document, reads, writes
from redundancy.cluster.views import importing
from redundancy.models import ClusterSnapshot
from tests.cluster.inputs import CLUSTER, HA_GUIDE, STATUS, draft_of
from tests.pages.html import error_at, rows, soup, status, words

pytestmark = pytest.mark.django_db
IMPORT, LIST, COMPARE = (
    reverse(name) for name in ("cluster_import", "cluster_snapshots", "cluster_compare")
)


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann"))
    return client


def kept(text: str = CLUSTER, name: str = "Lisbon") -> ClusterSnapshot:
    (row,) = writes.keep(rows=draft_of(text, name), note="before", actor="ann")
    return row


def file(data: bytes, name: str = "log.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def text(answer: Any) -> str:
    return words(soup(answer).select_one("main"))


# --- import --------------------------------------------------------------------------------------


def test_files_are_read_shown_and_kept(page: Client) -> None:
    answer = page.post(IMPORT, {"file": [file(CLUSTER.encode())], "name": "Lisbon"}, follow=True)
    ((where, _),) = answer.redirect_chain
    (row,) = rows(answer)
    assert row == ["Lisbon, taken 2026-11-29 01:20:00", "1", "2", "3", "5", "No"]
    assert "Lines understood or empty: 48; not understood: 1." in text(answer)
    assert list(reads.snapshots()) == []
    answer = page.post(where, {"name": "Lisbon", "note": "before the patch"}, follow=True)
    assert status(answer) == "1 snapshot kept"
    assert "before the patch" in text(answer)
    assert reads.snapshots().get().kept
    # Nothing is left to be kept.
    assert page.post(where, {"name": "x"}).status_code == 422


def test_a_pasted_output_and_a_zip_file_are_read(page: Client) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as zipped:
        zipped.writestr("inner/ha.txt", HA_GUIDE)
    dated = STATUS.format(date="Sun Nov 29, 2026 01:20:00")
    answer = page.post(IMPORT, {"file": file(whole.getvalue(), "a.zip"), "pasted": dated})
    assert answer.status_code == 302
    row = ClusterSnapshot.objects.get()
    assert row.taken_at == "2026-11-29 01:20:00"
    assert set(reads.whole(row).files) == {"a.zip/inner/ha.txt", "pasted.txt"}


def test_several_collections_are_several_snapshots(page: Client) -> None:
    early, late = (
        HA_GUIDE + STATUS.format(date=f"Sun Nov 29, 2026 {hour}:20:00") for hour in ("01", "09")
    )
    answer = page.post(IMPORT, {"pasted": early + late}, follow=True)
    assert [row[0] for row in rows(answer)] == [
        "imp-pub, taken 2026-11-29 01:20:00",
        "imp-pub, taken 2026-11-29 09:20:00",
    ]
    answer = page.post(answer.redirect_chain[0][0], {"name": "", "note": ""}, follow=True)
    assert status(answer).startswith("2 snapshots kept")


def test_what_tells_of_no_cluster_is_shown_line_by_line(page: Client) -> None:
    answer = page.post(IMPORT, {"pasted": "hello\nworld\n"})
    assert answer.status_code == 422
    assert status(answer) == "Files: nothing in them tells of a cluster."
    assert "not understood: 2." in text(answer)
    assert "world pasted.txt:2" in text(answer)
    assert not ClusterSnapshot.objects.exists()


def test_nothing_and_too_much_are_refused(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = page.post(IMPORT, {"pasted": "  "})
    assert error_at(answer, "file") == "Files: choose files, or paste an output."
    monkeypatch.setattr("redundancy.cluster.forms.MOST_FILES", 1)
    answer = page.post(IMPORT, {"file": [file(b"x"), file(b"x")]})
    assert "at most 1 are taken at once" in error_at(answer, "file")
    answer = page.post(IMPORT, {"pasted": HA_GUIDE, "name": "x" * 101})
    assert "Cluster: at most 100 characters" in error_at(answer, "name")


def test_all_files_together_have_one_limit(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.cluster.reader.sources.LARGEST", 1024)
    data = HA_GUIDE.encode() * 4
    assert 512 < len(data) < 1024
    whole = [file(data, "a.txt"), file(data, "b.txt")]
    answer = page.post(IMPORT, {"file": whole})
    assert answer.status_code == 422
    assert error_at(answer, "file").startswith("Files: b.txt: It must not be larger than")


def test_one_reading_at_a_time(page: Client) -> None:
    with importing._reading:
        answer = page.post(IMPORT, {"pasted": HA_GUIDE})
    assert answer.status_code == 422
    assert "another cluster is being read now" in status(answer)
    assert page.post(IMPORT, {"pasted": HA_GUIDE}).status_code == 302


def test_a_reading_that_is_not_there(page: Client) -> None:
    for batch in ("x", "y" * 200):
        assert page.get(reverse("cluster_reading", args=[batch])).status_code == 404


# --- a snapshot ----------------------------------------------------------------------------------


def test_a_snapshot_shows_values_with_their_places(page: Client) -> None:
    shown = text(page.get(reverse("cluster_snapshot", args=[kept().pk])))
    for part in (
        "Findings (5)",
        "Cisco XCP Router on imp-pub: STOPPED Commanded Out of Service. Nobody can log in there. log.txt:19",
        "imp-sub has all users; imp-pub is healthy again.",
        "Whether automatic fallback is enabled is not told.",
        "May imp-pub be restarted now? It should not be restarted now",
        "imp-pub is healthy again. Press Fallback on imp-pub when you are ready.",
        "imp-pub serves nobody now: no user notices.",
        "2 users of imp-sub and imp-pub are without service from the restart on.",
        "Not told version of imp-sub services of imp-sub clusterwide parameters",
        "Critical Service Delay: 90 s, the vendor's default",
        "Client Re-Login Upper Limit 900 log.txt:31 537 log.txt:33",
        "Assigned to imp-sub 1 Assigned to no node 1",
    ):
        assert part in shown


def test_a_snapshot_is_described_and_becomes_the_baseline(page: Client) -> None:
    row = kept()
    url = reverse("cluster_snapshot", args=[row.pk])
    answer = page.post(url, {"name": "Porto", "note": "n", "baseline": "on"}, follow=True)
    assert status(answer) == "Update successful"
    row.refresh_from_db()
    assert (row.name, row.note, row.baseline) == ("Porto", "n", True)
    assert error_at(page.post(url, {"name": ""}), "name") == "Cluster is required."


def test_a_draft_is_not_described(page: Client) -> None:
    (row,) = draft_of(HA_GUIDE)
    url = reverse("cluster_snapshot", args=[row.pk])
    assert "This snapshot is not kept yet." in text(page.get(url))
    assert page.post(url, {"name": "x"}).status_code == 404
    assert str(row) not in text(page.get(LIST))


def test_a_damaged_snapshot_says_so(page: Client) -> None:
    row = kept()
    later = document.pack({"version": 2})
    ClusterSnapshot.objects.update(document=later, people=later, rest=b"x")
    answer = page.get(reverse("cluster_snapshot", args=[row.pk]))
    assert answer.status_code == 200
    assert "This snapshot cannot be shown: It is of version 2" in status(answer)
    answer = page.get(reverse("cluster_snapshot_rest", args=[row.pk]))
    assert "It cannot be shown" in status(answer)
    answer = page.get(COMPARE, {"before": row.pk, "after": row.pk})
    assert answer.status_code == 409
    assert "They cannot be compared" in status(answer)


def test_what_was_not_understood_is_shown_in_pages(page: Client) -> None:
    row = kept(HA_GUIDE + "".join(f"hello {number}\n" for number in range(150)))
    url = reverse("cluster_snapshot_rest", args=[row.pk])
    assert rows(page.get(url))[0] == ["log.txt:5", "hello 0"]
    second = page.get(url, {"page": 2})
    assert len(rows(second)) == 50
    assert "Page 2 of 2" in text(second)


def test_snapshots_are_listed_and_deleted(page: Client) -> None:
    one, two = kept(name="a"), kept(name="b")
    assert [row[1] for row in rows(page.get(LIST))] == ["b", "a"]
    assert [row[1] for row in rows(page.get(LIST, {"sort": "name"}))] == ["a", "b"]
    asked = page.get(reverse("cluster_snapshot_delete", args=[one.pk]))
    assert "Delete a, taken 2026-11-29 01:20:00? This cannot be undone." in text(asked)
    page.post(reverse("cluster_snapshot_delete_selected"), {"pk": [one.pk, two.pk]})
    assert not ClusterSnapshot.objects.exists()


# --- compare -------------------------------------------------------------------------------------


def test_two_are_compared_on_a_page_and_as_text(page: Client) -> None:
    before, after = kept(), kept(CLUSTER.replace("Peer Down", "Peer Reboot"))
    asked = {"before": str(before.pk), "after": str(after.pk)}
    shown = text(page.get(COMPARE, asked))
    assert "Not back as it was." in shown
    assert "Reason of imp-sub: Peer Down, then Peer Reboot. log.txt:4 log.txt:4" in shown
    answer = page.get(COMPARE, asked | {"format": "text"})
    assert answer["Content-Type"].startswith("text/plain")
    assert "  - Reason of imp-sub: Peer Down, then Peer Reboot. (log.txt:4, log.txt:4)\n" in (
        answer.content.decode()
    )


def test_what_is_not_told_is_not_green(page: Client) -> None:
    before, after = kept(), kept(HA_GUIDE)
    answer = page.get(COMPARE, {"before": before.pk, "after": after.pk})
    verdict = soup(answer).select_one(".verdict .tone")
    assert "tone-ok" not in str(verdict)


def test_one_is_compared_with_the_lab(page: Client) -> None:
    shown = text(page.get(COMPARE, {"before": str(kept().pk), "after": "lab"}))
    assert "It cannot be told whether it is back as it was." in shown


def test_both_are_to_be_chosen_and_there(page: Client) -> None:
    assert "Choose both" in status(page.get(COMPARE, {"before": "lab"}))
    (draft,) = draft_of(HA_GUIDE)
    for key in ("1x", "9" * 30, str(draft.pk)):
        assert page.get(COMPARE, {"before": key, "after": "lab"}).status_code == 404


def test_a_later_snapshot_offers_the_one_before_and_the_baseline(page: Client) -> None:
    base, middle, last = kept(), kept(), kept()
    writes.describe(snapshot=base, name="Lisbon", note="", baseline=True, actor="ann")
    links = soup(page.get(reverse("cluster_snapshot", args=[last.pk]))).select("option")
    urls = [str(link.get("value")) for link in links]
    assert f"{COMPARE}?before={middle.pk}&after={last.pk}" in urls
    assert f"{COMPARE}?before={base.pk}&after={last.pk}" in urls
    assert f"{COMPARE}?before={last.pk}&after=lab" in urls
