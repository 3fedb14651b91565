"""A web process whose clock is wrong: it says so, and is not ready when it is far off."""

import json
import time

import pytest
from bs4 import Tag
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from redundancy import bus, clock, own_clock, pulse, workers
from redundancy.monitor import reads as monitor
from tests.pages.html import soup, words

FAST = "The clock of this web process is 1,000 s fast: do not trust its wall times."


def test_a_clock_is_looked_at_from_time_to_time_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = {"at": 0.0, "ahead": 0.0}
    found = own_clock.OwnClock(monotonic=lambda: now["at"])
    asked: list[float] = []

    def ahead() -> float:
        asked.append(now["at"])
        return now["ahead"]

    monkeypatch.setattr(workers, "ahead", ahead)
    for at, astray, off, sentence in (
        (100.0, 2.0, False, "2 s fast"),
        (104.9, -900.0, False, "2 s fast"),
        (105.0, -900.0, True, "900 s slow"),
        (111.0, -900.0, True, "900 s slow"),
        (117.0, 0.0, False, ""),
    ):
        now |= {"at": at, "ahead": astray}
        found.look()
        assert (found.far_off, bool(found.sentence)) == (off, bool(sentence))
        assert sentence in str(found.sentence)
    assert asked == [100.0, 105.0, 111.0, 117.0]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


@pytest.mark.parametrize("error", [bus.BusError("away"), OperationalError("away")])
def test_what_was_found_stays_while_nobody_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    found = own_clock.OwnClock()
    found.ahead = 1000.0

    def away() -> float:
        raise error

    monkeypatch.setattr(workers, "ahead", away)
    found.look()
    assert found.far_off


@pytest.mark.parametrize(
    ("by_bus", "by_database", "ahead"),
    [(0.9, 900, 0), (900, 900, 900), (-900, -900, -900), (900, 0, 0), (900, -900, 0)],
)
def test_a_clock_is_wrong_when_both_servers_say_so(
    monkeypatch: pytest.MonkeyPatch, by_bus: float, by_database: float, ahead: float
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(pulse, "now", lambda: now - by_bus)
    monkeypatch.setattr(clock, "database_now", lambda: now - by_database)
    assert workers.ahead() == pytest.approx(ahead, abs=0.01)


def banners(client: Client, path: str) -> str:
    return " ".join(words(line) for line in banner(client, path).select(".lab-clock"))


def banner(client: Client, path: str) -> Tag:
    found = soup(client.get(path)).select_one("header.banner")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("ahead", "readyz", "healthz"),
    [
        (0.9, (200, b"ok\n"), (200, b"ok\n")),
        (20.0, (200, b"ok\n"), (200, b"ok\nprocess\n")),
        (1000.0, (503, b"clock\n"), (503, b"not ok\nclock\n")),
    ],
)
def test_a_process_whose_clock_is_wrong_says_so(
    page: Client,
    running: None,
    monkeypatch: pytest.MonkeyPatch,
    ahead: float,
    readyz: tuple[int, bytes],
    healthz: tuple[int, bytes],
) -> None:
    monkeypatch.setattr(own_clock.OWN, "ahead", ahead)
    for path, expected in (("/readyz", readyz), ("/healthz", healthz)):
        answer = page.get(path)
        assert (answer.status_code, answer.content) == expected
    told = ahead > 1
    assert ("of this web process" in banners(page, reverse("home"))) is told
    assert ("of this web process" in banners(Client(), reverse("login"))) is told
    assert (
        "of this web process" in words(soup(page.get(reverse("beat_monitor"))).select_one("#live"))
    ) is told


def test_the_age_of_what_waits_is_told_by_the_clock_of_the_others(
    running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.client().lpush("moves", json.dumps({"headers": {"sent_at": time.time()}}))
    now = time.time() + 1000
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(own_clock.OWN, "ahead", 1000.0)
    moves = monitor.look_at_system().queues[1]
    assert moves.oldest is not None
    assert moves.oldest < 30
    assert str(own_clock.OWN.sentence) == FAST
