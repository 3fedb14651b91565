"""*Watched Cluster*: what was seen, how long ago, and never green where nobody knows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy import own_clock
from redundancy.clock import set_rate
from redundancy.cluster import document
from redundancy.models import ClusterSnapshot, ClusterWatch
from redundancy.times import wall_time
from tests.alarms.conftest import admin, page, read_only, reader
from tests.pages.html import soup, status, words
from tests.watch.inputs import FAILED_OVER, NORMAL, Real, at

__all__ = ["admin", "page", "read_only", "reader"]

pytestmark = pytest.mark.django_db
PAGE = reverse("cluster_watch")


def text(answer: Any) -> str:
    return words(soup(answer).select_one("main"))


def seen(told: str = NORMAL, *, minutes_ago: float = 0, why: str = "", **of: Any) -> ClusterWatch:
    """Look at a cluster, so many minutes before now; with ``why`` a second time, which fails."""
    real = Real(told, at(**of))
    real.now = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    row = real.look(after=0)
    if why:
        row = real.look(why=why, after=minutes_ago)
    assert row is not None
    return row


def test_it_shows_the_groups_as_those_of_the_lab(page: Client) -> None:
    row = seen(FAILED_OVER, minutes_ago=3)
    answer = page.get(PAGE)
    shown = text(answer)
    for part in (
        "Lisbon: real, read only seen 3 min ago",
        "Source ssh://ann@cucm.example.com:22",
        "Looked at each 5 min",
        "Presence redundancy group DefaultCUPSubCluster High Availability: on",
        "imp-sub Running in Backup Mode",
        "Who serves whom",
        "What SRM does next",
    ):
        assert part in shown
    assert "May imp-pub be restarted" not in shown
    links = [str(link["href"]) for link in soup(answer).select("#live a")]
    assert reverse("cluster_snapshot", args=[row.snapshot_id]) in links


def test_a_well_pair_is_green_as_long_as_that_is_known(page: Client) -> None:
    seen(minutes_ago=10)
    live = soup(page.get(PAGE)).select_one("#live")
    assert len(live.select(".tone-ok")) == 2 if live else False
    assert "seen 10 min ago" in words(live)


def test_what_was_not_seen_for_too_long_is_not_known(page: Client) -> None:
    seen(minutes_ago=13)
    live = soup(page.get(PAGE)).select_one("#live")
    assert live is not None
    assert live.select(".tone-ok") == []
    shown = words(live)
    assert "not known: last seen 13 min ago" in shown
    assert "How the group is now: it was not seen for too long." in shown
    # Nothing is said of the present.
    assert "serves the users" not in shown


def test_a_failure_is_told_since_when_and_why(page: Client) -> None:
    row = seen(minutes_ago=3, why="host: it does not answer")
    live = soup(page.get(PAGE)).select_one("#live")
    assert (
        f"The looks fail since {row.failing_since:%Y-%m-%d %H:%M:%S} (wall time): host: it does not"
        in (words(live))
    )
    assert live is not None
    assert live.select(".verdict .tone-warn")


def test_one_that_was_never_seen_says_so(page: Client) -> None:
    Real().look(why="host: it does not answer")
    live = soup(page.get(PAGE)).select_one("#live")
    assert live is not None
    assert "never seen: nothing is known of it" in words(live)
    assert live.select(".tone-ok") == []


def test_without_a_watch_it_says_how_to_begin(page: Client) -> None:
    assert "No real cluster was looked at yet." in text(page.get(PAGE))


def test_an_identity_that_nobody_verifies_is_told(page: Client) -> None:
    seen()
    assert "WATCH_VERIFY" not in text(page.get(PAGE))
    ClusterWatch.objects.update(verified=False)
    assert "WATCH_VERIFY is off" in text(page.get(PAGE))


def test_a_snapshot_that_cannot_be_used_says_so(page: Client) -> None:
    seen()
    ClusterSnapshot.objects.update(document=document.pack({"version": 2}))
    assert "This snapshot cannot be shown: It is of version 2" in text(page.get(PAGE))


def test_a_poll_is_answered_when_something_is_new(page: Client) -> None:
    seen(minutes_ago=2)
    live = soup(page.get(PAGE)).select_one("#live")
    assert live is not None
    url = f"{PAGE}{live['hx-get']}" if str(live["hx-get"]).startswith("?") else str(live["hx-get"])
    assert page.get(url).status_code == 204
    # Of the same minutes, and another state.
    real = Real(FAILED_OVER)
    real.now = datetime.now(UTC) - timedelta(minutes=2)
    real.look(after=0)
    answer = page.get(url)
    assert answer.status_code == 200
    assert "Running in Backup Mode" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert "announce" in answer["HX-Trigger"]


def test_it_is_forgotten_after_asking(page: Client) -> None:
    row = seen()
    url = reverse("cluster_watch_forget", args=[row.pk])
    assert "Forget Lisbon (ssh://ann@cucm.example.com:22)?" in text(page.get(url))
    assert ClusterWatch.objects.exists()
    answer = page.post(url, follow=True)
    assert status(answer) == "Update successful"
    assert not ClusterWatch.objects.exists()
    assert page.post(url).status_code == 404


def test_who_may_only_look_is_offered_nothing_to_do(read_only: Client) -> None:
    row = seen()
    answer = read_only.get(PAGE)
    assert "Forget" not in text(answer)
    assert read_only.post(reverse("cluster_watch_forget", args=[row.pk])).status_code == 403
    assert ClusterWatch.objects.exists()


def test_its_time_is_the_wall_clocks(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    set_rate(60)
    monkeypatch.setattr(own_clock.OWN, "ahead", 600.0)
    row = seen(minutes_ago=2)
    began = wall_time()
    shown = soup(page.get(PAGE))
    as_of = shown.select_one(".as-of")
    assert words(as_of).endswith(" (wall time)")
    assert began <= words(as_of.select_one("[data-as-of]") if as_of else None) <= wall_time()
    # Nothing runs faster there, but what is wrong with the wall clock is told.
    assert "times as fast" not in words(shown)
    assert "is 600 s fast: do not trust its wall times." in words(shown)
    live = shown.select_one("#live")
    assert live is not None
    answer = page.get(str(live["hx-get"]))
    assert answer.status_code == 204
    assert began <= answer["X-Wall-Time"] <= wall_time()
    for url in (reverse("cluster_snapshot", args=[row.snapshot_id]), reverse("cluster_snapshots")):
        told = "times as fast" in words(soup(page.get(url)))
        assert told is (url == reverse("cluster_snapshots"))


def test_the_answer_for_the_lab_carries_no_wall_time(page: Client) -> None:
    assert "X-Wall-Time" not in page.get(reverse("home"), {"fragment": "1"})
