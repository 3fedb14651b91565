"""Log collection: one ZIP file with everything a case needs, and no secrets."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from redundancy import trace_store
from redundancy.alarms.writes import save_channel
from redundancy.clock import lab_datetime
from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader import reading
from redundancy.errors import Refused
from redundancy.models import (
    CollectionPiece,
    CollectionState,
    EventKind,
    LogCollection,
    RedundancyGroup,
    Server,
)
from redundancy.operations import events, groups, services
from redundancy.srm.states import State
from redundancy.traces import collecting, writes
from redundancy.traces.reads import file_of
from tests.live.pair import ROUTER, Pair, server
from tests.pages.html import rows, soup, status
from tests.trace.collected import FILES, collect, zipped


@pytest.fixture
def job(pair: Pair) -> LogCollection:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(95)
    save_channel(
        channel=None, name="desk", url="json://u:s3cret@127.0.0.1/x", enabled=True, actor="ann"
    )
    group = server("imp-pub").group
    assert group is not None
    now = pair.clock.now
    return writes.begin_collection(group=group, since=now - 200, until=now, actor="ann")


def test_everything_is_in_the_file_and_no_secret(
    job: LogCollection, queued: list[tuple[int, int, int]]
) -> None:
    queued.append((job.pk, 0, 0))
    collect(queued)
    job.refresh_from_db()
    assert (job.state, job.size) == (CollectionState.DONE, len(b"".join(file_of(job))))
    with zipped(job) as file:
        assert set(file.namelist()) == FILES
        texts = {name: file.read(name).decode() for name in FILES}
    assert "peer states vector changed" in texts["traces/imp-sub-srm.log"]
    assert "Running in Backup Mode" in texts["events/system.csv"]
    assert "Log collection of DefaultCUPSubCluster was begun." in texts["events/application.csv"]
    assert "was stopped" in texts["services/imp-pub-Cisco_XCP_Router.log"]
    assert "Subcluster Name: DefaultCUPSubCluster" in texts["cli/utils-ha-status.txt"]
    assert "Keep Alive (Heartbeat) Timeout = 60" in texts["parameters.txt"]
    assert not any("s3cret" in text for text in texts.values())


def test_only_the_span_and_its_margin_are_collected(
    pair: Pair, job: LogCollection, queued: list[tuple[int, int, int]]
) -> None:
    pub = server("imp-pub").pk
    lines = ["2020-01-01 00:00:00,000 INFO long ago", "2099-01-01 00:00:00,000 INFO later"]
    trace_store.append({pub: lines})
    queued.append((job.pk, 0, 0))
    collect(queued)
    with zipped(job) as file:
        told = file.read("traces/imp-pub-srm.log").decode()
    assert "is not running" in told
    assert "long ago" not in told
    assert "later" not in told


def test_a_killed_worker_s_job_begins_anew(
    job: LogCollection, queued: list[tuple[int, int, int]]
) -> None:
    collecting.collect(job.pk, 0, 0)
    assert queued.pop() == (job.pk, 1, 0)
    collecting.resume_collections()
    assert queued == [], "somebody may still be at it"
    LogCollection.objects.update(touched_at=timezone.now() - timedelta(minutes=3))
    collecting.resume_collections()
    assert queued == [(job.pk, 0, 1)]
    # The step of before, should it come after all, does nothing.
    collecting.collect(job.pk, 1, 0)
    collect(queued)
    job.refresh_from_db()
    assert job.state == CollectionState.DONE
    with zipped(job) as file:
        assert sorted(file.namelist()) == sorted(FILES)


def test_one_that_cannot_be_queued_is_taken_up_later(
    pair: Pair, queued: list[tuple[int, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise BrokerError

    group = server("imp-pub").group
    assert group is not None
    with monkeypatch.context() as broken:
        broken.setattr(collecting.collect, "delay", away)
        job = collecting.begin(group=group, since=0, until=1, actor="ann")
    LogCollection.objects.update(touched_at=timezone.now() - timedelta(minutes=3))
    collecting.resume_collections()
    assert queued == [(job.pk, 0, 1)]


def test_one_that_kills_its_worker_is_given_up(
    job: LogCollection, queued: list[tuple[int, int, int]]
) -> None:
    LogCollection.objects.update(
        touched_at=timezone.now() - timedelta(minutes=3), turn=writes.MOST_TURNS - 1
    )
    collecting.resume_collections()
    assert queued.pop() == (job.pk, 0, writes.MOST_TURNS)
    LogCollection.objects.update(touched_at=timezone.now() - timedelta(minutes=3))
    collecting.resume_collections()
    job.refresh_from_db()
    assert job.state == CollectionState.FAILED
    assert queued == []


def test_what_goes_wrong_is_told(
    job: LogCollection, queued: list[tuple[int, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_job: LogCollection) -> list[tuple[str, str]]:
        raise OSError("no space left")

    monkeypatch.setattr(collecting, "PIECES", (("Readme", broken),))
    collecting.collect(job.pk, 0, 0)
    job.refresh_from_db()
    assert (job.state, job.sentence) == (
        CollectionState.FAILED,
        "Readme: OSError. The log says more.",
    )
    assert not CollectionPiece.objects.exists()


def test_old_collections_go_with_their_files(
    job: LogCollection, queued: list[tuple[int, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued.append((job.pk, 0, 0))
    collect(queued)
    collecting.resume_collections()
    assert CollectionPiece.objects.exists()
    monkeypatch.setattr(writes, "KEPT", 0)
    collecting.resume_collections()
    assert not LogCollection.objects.exists()
    assert not CollectionPiece.objects.exists()


def test_the_file_is_read_as_a_cluster(
    job: LogCollection, queued: list[tuple[int, int, int]], tmp_path: Path
) -> None:
    queued.append((job.pk, 0, 0))
    collect(queued)
    path = tmp_path / "case.zip"
    path.write_bytes(b"".join(file_of(job)))
    told = reading.read([path])
    (snapshot,) = assemble(told)
    (group,) = snapshot.groups.values()
    states = [node.state.text if node.state else None for node in snapshot.pair(group)]
    assert group.nodes == ("imp-pub", "imp-sub")
    assert states == [State.FAILED_OVER_DOWN, State.BACKUP]
    assert snapshot.parameters["Keep Alive (Heartbeat) Timeout"].text == "60"
    assert snapshot.nodes["imp-sub"].parameters["Client Re-Login Upper Limit"].text == "537"
    assert any(event.what == "vector" for event in told.events)
    # Sentences for people, and tables of another kind.
    kinds = {each.place.file.removeprefix(f"{path}/").partition("/")[0] for each in told.missed}
    assert kinds <= {"README.txt", "events", "services", "versions.txt", "parameters.txt"}


@pytest.mark.parametrize(
    ("since", "until", "rule"),
    [(10, 10, "To must be later than From."), (0, 7 * 86400 + 1, "not be longer than 7 days")],
)
def test_a_bad_span_is_refused(pair: Pair, since: float, until: float, rule: str) -> None:
    group = server("imp-pub").group
    assert group is not None
    with pytest.raises(Refused, match=rule):
        writes.begin_collection(group=group, since=since, until=until, actor="ann")


def test_a_whole_week_may_be_collected(pair: Pair) -> None:
    group = server("imp-pub").group
    assert group is not None
    job = writes.begin_collection(group=group, since=0, until=7 * 86400, actor="ann")
    assert job.state == CollectionState.WORKING


def test_the_ends_of_the_span_belong_to_it(
    job: LogCollection, queued: list[tuple[int, int, int]]
) -> None:
    LogCollection.objects.update(since=1_700_000_000, until=1_700_000_100)
    job.refresh_from_db()
    for at in (-1, 0, 100, 101):
        events.record(
            kind=EventKind.LAB, sentence=f"at {at}", group=job.group, at=1_700_000_000 + at
        )
    margin = collecting.MARGIN
    moments = (-margin - 1, -margin, 100 + margin, 101 + margin)
    lines = [
        f"{lab_datetime(1_700_000_000 + at):%Y-%m-%d %H:%M:%S},500 INFO at {at}" for at in moments
    ]
    node = server("imp-pub").pk
    trace_store.forget(node)
    trace_store.append({node: lines})
    queued.append((job.pk, 0, 0))
    collect(queued)
    with zipped(job) as file:
        history = file.read("events/system.csv").decode()
        trace = file.read("traces/imp-pub-srm.log").decode()
    assert [row.split(",")[-1] for row in history.split("\r\n")[1:-1]] == ["at 0", "at 100"]
    assert trace.splitlines() == lines[1:3]


def test_a_step_that_is_over_or_of_another_turn_is_not_claimed(job: LogCollection) -> None:
    for step, turn in ((1, 0), (0, 1)):
        assert writes.claim_step(pk=job.pk, step=step, turn=turn) is None
    held = writes.claim_step(pk=job.pk, step=0, turn=0)
    assert held is not None
    LogCollection.objects.update(turn=1)
    # The worker was taken for gone: what it ends late is nobody's step any more.
    assert not writes.end_step(job=held, file=b"late", last=True)
    job.refresh_from_db()
    assert (job.step, job.state) == (0, CollectionState.WORKING)
    assert not CollectionPiece.objects.exists()


def test_a_file_of_many_pieces_is_sent_whole_and_one_too_large_is_refused(
    page: Client,
    job: LogCollection,
    queued: list[tuple[int, int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writes, "PIECE_BYTES", 500)
    queued.append((job.pk, 0, 0))
    collect(queued)
    assert CollectionPiece.objects.count() > 4
    answer = page.get(reverse("log_collection_download", args=[job.pk]))
    body = b"".join(answer)
    assert answer["Content-Length"] == str(len(body))
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        assert file.testzip() is None
    monkeypatch.setattr(writes, "MAX_BYTES", 100)
    LogCollection.objects.update(state=CollectionState.WORKING, step=0)
    collecting.collect(job.pk, 0, 0)
    job.refresh_from_db()
    assert (job.state, job.sentence) == (
        CollectionState.FAILED,
        "The file would be larger than 64 MB; collect a shorter span.",
    )
    assert not CollectionPiece.objects.exists()


def test_the_page_begins_shows_and_sends_it(
    page: Client, read_only: Client, pair: Pair, queued: list[tuple[int, int, int]]
) -> None:
    address = reverse("log_collection")
    group = server("imp-pub").group_id
    bad = page.post(address, {"group": group, "since": "yesterday", "until": ""})
    assert bad.status_code == 422
    assert "From (lab time, UTC) must be a moment such as" in status(bad)
    assert "To (lab time, UTC) is required." in status(bad)
    sent = {"group": group, "since": "2027-01-15 00:00:00", "until": "2027-01-15 23:00:00"}
    assert read_only.post(address, sent).status_code == 403
    begun = page.post(address, sent, follow=True)
    assert "Collecting" in rows(begun)[0][4]
    live = soup(begun).select_one("#live")
    assert live is not None
    assert page.get(str(live["hx-get"])).status_code == 204
    collect(queued)
    done = soup(page.get(str(live["hx-get"])))
    link = done.find("a", string="Download")
    assert link is not None
    answer = read_only.get(str(link["href"]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as file:
        assert "README.txt" in file.namelist()
    assert page.get(reverse("log_collection_download", args=[999])).status_code == 404


def read(job: LogCollection, name: str) -> str:
    with zipped(job) as file:
        return file.read(name).decode()


def test_a_group_that_is_renamed_meanwhile_is_collected_under_its_new_name(
    job: LogCollection, queued: list[tuple[int, int, int]]
) -> None:
    collecting.collect(job.pk, 0, 0)
    assert job.group is not None
    first, second = server("imp-pub"), server("imp-sub")
    groups.edit_group(
        group=job.group, name="oslo", description="", first=first, second=second, actor="ann"
    )
    collect(queued)
    job.refresh_from_db()
    assert job.state == CollectionState.DONE
    assert "Subcluster Name: oslo" in read(job, "cli/utils-ha-status.txt")


def test_of_a_group_that_is_deleted_meanwhile_the_rest_is_collected(
    job: LogCollection, queued: list[tuple[int, int, int]]
) -> None:
    other = events.record(kind=EventKind.ADMIN, sentence="of nobody's group", actor="ann")
    collecting.collect(job.pk, 0, 0)
    Server.objects.update(group=None, slot=None)
    RedundancyGroup.objects.all().delete()
    collect(queued)
    job.refresh_from_db()
    assert job.state == CollectionState.DONE
    told = read(job, "cli/utils-ha-status.txt")
    assert "DefaultCUPSubCluster" in told
    assert "There is no" in told
    collected = read(job, "events/application.csv")
    assert "was begun" in collected
    assert str(other.sentence) not in collected
