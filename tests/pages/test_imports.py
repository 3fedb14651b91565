"""*Bulk Administration*: import, jobs, export."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django.fixtures import Settings

from redundancy.imports import jobs as live
from redundancy.imports import writes as imports
from redundancy.models import NodeRuntime, PresenceUser, RedundancyGroup, UserImport
from redundancy.srm.states import State
from tests.pages.html import error_at, rows, soup, status, words

IMPORT, JOBS = reverse("user_import"), reverse("import_jobs")
GOOD = b"ann,Ann,ann@x,imp-pub\nbob,,bob@x,imp-sub\n"


class Queue:
    """Stands for the broker: what was queued, done on request."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, int, bool]] = []
        self.broken = False

    def delay(self, job_id: int, step: int, again: bool = False) -> None:
        if self.broken:
            raise OperationalError("away")
        self.waiting.append((job_id, step, again))

    def run(self, most: int = 1000) -> None:
        while self.waiting and most:
            live.import_users(*self.waiting.pop(0))
            most -= 1


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    made = Queue()
    monkeypatch.setattr(live.import_users, "delay", made.delay)
    return made


def upload(page: Client, data: bytes = GOOD, **more: Any) -> Any:
    file = SimpleUploadedFile("users.csv", data, content_type="text/csv")
    return page.post(IMPORT, {"file": file, **more})


def users() -> set[str]:
    return set(PresenceUser.objects.values_list("userid", flat=True))


def fragment(page: Client, url: str) -> tuple[int, Any]:
    """Ask for the live region with the version that the page has now."""
    region = soup(page.get(url)).select_one("#live")
    assert region is not None
    response = page.get(str(region["hx-get"]))
    return response.status_code, response


def test_check_look_and_import(page: Client, pair: RedundancyGroup, queue: Queue) -> None:
    job = upload(page)["Location"]
    shown = soup(page.get(job))
    assert "Checking" in words(shown.select_one("#live"))
    assert shown.select_one("progress")
    assert fragment(page, job)[0] == 204
    region = shown.select_one("#live")
    assert region is not None
    queue.run()
    response = page.get(str(region["hx-get"]))
    assert "No error was found. Nothing is imported yet." in response["HX-Trigger"]
    text = words(soup(response).select_one("#live"))
    assert "Checked" in text
    assert "Import 2 users" in text
    # There is nothing to wait for: it polls no more.
    assert not soup(response).select("#live[hx-get]")
    assert not soup(response).select("#live form")
    assert users() == set()
    link = soup(page.get(job)).select_one("#job-import")
    assert link is not None
    asked = words(soup(page.get(str(link["href"]))).select_one("form.confirm"))
    assert "2 users of users.csv are added, all or none" in asked
    assert page.post(str(link["href"]))["Location"] == job
    queue.run()
    assert users() == {"ann", "bob"}
    assert "Imported" in words(soup(page.get(job)).select_one("#live"))
    assert rows(page.get(JOBS))[0][4:] == ["2", "0", "Imported"]


def test_at_once(page: Client, pair: RedundancyGroup, queue: Queue) -> None:
    upload(page, at_once="on")
    queue.run()
    assert users() == {"ann", "bob"}


def test_errors_are_shown_and_can_be_downloaded(
    page: Client, pair: RedundancyGroup, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.imports.views.PROBLEMS", 2)
    job = upload(page, b"ann,,ann@x,imp-9\nbob\n,,=1+1@x\n", at_once="on")["Location"]
    queue.run()
    shown = page.get(job)
    text = words(soup(shown).select_one("#live"))
    assert "3 errors found. Nothing was imported." in text
    assert "The first 2 of 3." in text
    assert rows(shown) == [
        ["1", "4: Assigned Node", "Assigned Node 'imp-9' is no IM and Presence server."],
        ["2", "–", "A line must have 3 or 4 fields; this one has 1 field."],
    ]
    link = soup(shown).select_one("#live a[href$='errors.csv']")
    assert link is not None
    response = page.get(str(link["href"]))
    assert isinstance(response, StreamingHttpResponse)
    lines = response.getvalue().decode("utf-8-sig").splitlines()
    assert lines[0] == "Line,Column,Error"
    assert lines[3] == "3,User ID,User ID must be 1 to 128 printable characters."
    assert users() == set()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "The file is empty"),
        (b"x" * 2_000_000, "larger than 1 MB"),
        (None, "File is required"),
    ],
)
def test_a_file_that_is_not_taken(
    page: Client, settings: Settings, data: bytes | None, rule: str
) -> None:
    settings.MAX_IMPORT_MB = 1
    response = page.post(IMPORT) if data is None else upload(page, data)
    assert response.status_code == 422
    assert rule in error_at(response, "file")
    assert rule in status(response)
    assert not UserImport.objects.exists()


def test_cancel(page: Client, pair: RedundancyGroup, queue: Queue) -> None:
    job = upload(page)["Location"]
    response = page.post(f"{job}cancel/", follow=True)
    assert "Cancelled by ccmadmin. Nothing was imported." in words(
        soup(response).select_one("#live")
    )
    queue.run()
    assert users() == set()
    assert not UserImport.objects.get().kept
    again = page.post(f"{job}cancel/")
    assert again.status_code == 409
    assert "cannot be cancelled now" in status(again)
    assert page.get(f"{job}shuffle/").status_code == 404


def test_an_import_is_refused_while_a_node_is_failed_over(
    page: Client, pair: RedundancyGroup, queue: Queue
) -> None:
    job = upload(page)["Location"]
    queue.run()
    NodeRuntime.objects.update(state=State.IDLE)
    response = page.post(f"{job}import/")
    assert response.status_code == 409
    assert "imp-pub (Idle)" in status(response)
    assert users() == set()


def test_a_job_without_a_worker_says_so_and_goes_on(
    page: Client, pair: RedundancyGroup, queue: Queue
) -> None:
    job = upload(page, at_once="on")["Location"]
    queue.waiting.clear()
    UserImport.objects.update(touched_at=timezone.now() - timedelta(minutes=2))
    text = words(soup(page.get(job)).select_one("#live"))
    assert "Checking: interrupted" in text
    assert "It continues when a worker runs." in text
    assert "interrupted" in words(soup(page.get(JOBS)).select_one("table.list"))
    live.resume_imports()
    assert queue.waiting == [(UserImport.objects.get().pk, 0, True)]
    queue.run()
    assert users() == {"ann", "bob"}
    assert "Taken up again 1" in words(soup(page.get(job)).select_one("#live"))


def test_a_broker_that_is_away_loses_nothing(
    page: Client, pair: RedundancyGroup, queue: Queue
) -> None:
    queue.broken = True
    job = upload(page, at_once="on")["Location"]
    assert "Checking" in words(soup(page.get(job)).select_one("#live"))
    queue.broken = False
    live.resume_imports(at_once=True)
    queue.run()
    assert users() == {"ann", "bob"}


def test_an_unforeseen_end_is_told(
    page: Client, pair: RedundancyGroup, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: UserImport) -> None:
        raise ValueError("what?")

    monkeypatch.setattr(imports, "_compare", broken)
    job = upload(page, at_once="on")["Location"]
    queue.run()
    text = words(soup(page.get(job)).select_one("#live"))
    assert "The import failed; its log says why. Nothing was imported." in text
    assert users() == set()


def test_export(page: Client, pair: RedundancyGroup, queue: Queue) -> None:
    upload(page, GOOD, at_once="on")
    queue.run()
    assert "All 2 users" in words(soup(page.get(reverse("user_export"))).select_one("main"))
    response = page.get(reverse("user_export_file"))
    assert isinstance(response, StreamingHttpResponse)
    assert response["Content-Disposition"] == 'attachment; filename="users.csv"'
    data = response.getvalue()
    assert data.decode("utf-8-sig").splitlines() == [
        "User ID,Display Name,IM Address,Assigned Node",
        "ann,Ann,ann@x,imp-pub",
        "bob,,bob@x,imp-sub",
    ]
    PresenceUser.objects.all().delete()
    upload(page, data, at_once="on")
    queue.run()
    assert users() == {"ann", "bob"}


def test_a_reader_looks_and_imports_nothing(
    page: Client, read_only: Client, pair: RedundancyGroup, queue: Queue
) -> None:
    job = upload(page)["Location"]
    queue.run()
    assert not soup(read_only.get(job)).select("#live .button")
    assert not soup(read_only.get(JOBS)).select(".toolbar")
    assert "Import Users" not in words(soup(read_only.get(JOBS)).select_one(".menu-bar"))
    assert read_only.get(reverse("user_export_file")).status_code == 200
    assert read_only.get(IMPORT).status_code == 403
    assert upload(read_only).status_code == 403
    for act in ("import", "cancel"):
        for ask in (read_only.get, read_only.post):
            assert ask(f"{job}{act}/").status_code == 403
    assert UserImport.objects.count() == 1
    assert users() == set()


def test_what_does_not_exist(page: Client) -> None:
    for url in (f"{JOBS}999/", f"{JOBS}999/errors.csv", f"{JOBS}999/import/"):
        assert page.get(url).status_code == 404
