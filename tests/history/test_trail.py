"""The audit trail: sign-ins and changes by wall time, with the address they came from."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from redundancy import origin
from redundancy.history.reads import trail
from redundancy.models import EventKind, HaEvent, SignIn
from redundancy.operations.signins import Outcome, record_sign_in
from tests.history.conftest import Tell
from tests.pages.html import rows, soup

URL = reverse("audit_trail")


@pytest.fixture
def acted(tell: Tell, page: Client, read_only: Client) -> datetime:
    """What two people did, a minute each; the system's own part is not theirs."""
    # The test's own.
    SignIn.objects.all().delete()
    now = timezone.now()
    record_sign_in(username="ccmadmin", outcome=Outcome.OK, address="192.0.2.1")
    record_sign_in(username="viewer", outcome=Outcome.FAILED, address="192.0.2.2")
    with origin.coming_from("192.0.2.1"):
        tell("The delay was changed.", EventKind.PARAMETER, actor="ccmadmin")
        tell("Normal again.", EventKind.STATE, actor="ccmadmin", new_state="Normal")
        tell("Somebody moved.", EventKind.MOVE)
    tell("A service was stopped.", EventKind.LAB, actor="cli")
    for number, row in enumerate(SignIn.objects.order_by("pk")):
        SignIn.objects.filter(pk=row.pk).update(at=now + timedelta(minutes=number))
    for number, event in enumerate(HaEvent.objects.order_by("pk"), 2):
        HaEvent.objects.filter(pk=event.pk).update(recorded_at=now + timedelta(minutes=number))
    return now


def test_who_did_what_from_where(acted: datetime, page: Client, read_only: Client) -> None:
    for client in (page, read_only):
        assert [row[1:] for row in rows(client.get(URL))][:4] == [
            ["cli", "–", "Lab", "A service was stopped."],
            ["ccmadmin", "192.0.2.1", "Parameter change", "The delay was changed."],
            ["viewer", "192.0.2.2", "Sign-in", "Sign-in failed."],
            ["ccmadmin", "192.0.2.1", "Sign-in", "Signed in."],
        ]
    mine = [row[4] for row in rows(page.get(URL, {"who": "ccmadmin"}))]
    assert mine == ["The delay was changed.", "Signed in."]
    assert rows(page.get(URL, {"who": "nobody"})) == [["Nothing found."]]


def test_what_failed_is_a_failed_sign_in(acted: datetime) -> None:
    found = trail.trail_page()
    assert found is not None
    assert [entry.what for entry in found[0] if entry.failed] == ["Sign-in failed."]


def test_pages_follow_each_other_without_a_gap(acted: datetime, page: Client) -> None:
    # All at one moment: order and places must tell them apart nevertheless.
    HaEvent.objects.update(recorded_at=acted)
    SignIn.objects.update(at=acted)
    seen, before = [], ""
    for _ in range(4):
        found = trail.trail_page(before=before, rows=1)
        assert found is not None
        (entry,), before = found
        seen.append(entry.what)
    # The last page was full, and led no further.
    assert before == ""
    assert sorted(seen) == [
        "A service was stopped.",
        "Sign-in failed.",
        "Signed in.",
        "The delay was changed.",
    ]


def test_links_lead_on(acted: datetime, tell: Tell, page: Client) -> None:
    for number in range(60):
        tell(f"change {number}", EventKind.ADMIN, actor="ccmadmin")
    first = soup(page.get(URL, {"who": "ccmadmin"}))
    (older,) = first.select(".pager a")
    second = page.get(URL + str(older["href"]))
    assert len(rows(second)) == 62 - trail.ROWS
    assert [tag.text for tag in soup(second).select(".pager a")] == ["Newest"]


@pytest.mark.parametrize("query", ["before=x", "before=s-1", "before=z-1-1", "who=a%00b"])
def test_an_address_made_up_is_refused(page: Client, query: str) -> None:
    assert page.get(f"{URL}?{query}").status_code == 400
