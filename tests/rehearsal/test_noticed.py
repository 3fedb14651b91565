"""A rehearsal that is played live is noticed: as long as it goes on, and not much longer where it died."""

import threading
from typing import Any

import pytest

from redundancy import bus
from redundancy.operations import locks
from redundancy.rehearsal import live, noticed
from redundancy.rehearsal.format import load_scenario
from redundancy.rehearsal.noticed import noticed as playing
from redundancy.rehearsal.runner import Playthrough
from tests.rehearsal.test_scenarios import FOLDER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_it_is_known_as_long_as_it_goes_on() -> None:
    assert bus.rehearsals() == []
    with playing("b.yaml"), playing("a.yaml"):
        assert bus.rehearsals() == ["a.yaml", "b.yaml"]
        (key, _) = bus.client().scan_iter(f"{bus.REHEARSAL}:*")
        # Of one that is killed nothing is known after that.
        assert 0 < bus.client().ttl(key) <= bus.REHEARSAL_SECONDS
    assert bus.rehearsals() == []


def test_it_is_over_where_it_failed() -> None:
    with pytest.raises(ValueError, match="no"), playing("a.yaml"):
        raise ValueError("no")
    assert bus.rehearsals() == []


def test_it_gives_a_sign_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noticed, "SIGN_SECONDS", 0.01)
    signed, real = threading.Semaphore(0), bus.sign_rehearsal

    def sign(ident: str, name: str) -> None:
        real(ident, name)
        signed.release()

    monkeypatch.setattr(bus, "sign_rehearsal", sign)
    with playing("a.yaml"):
        for _ in range(3):
            assert signed.acquire(timeout=30)
        # The server was begun again meanwhile.
        bus.client().flushdb()
        assert signed.acquire(timeout=30)
        assert signed.acquire(timeout=30)
        assert bus.rehearsals() == ["a.yaml"]


def test_a_bus_that_is_away_for_a_moment_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noticed, "SIGN_SECONDS", 0.01)
    tried = threading.Semaphore(0)
    with playing("a.yaml"):

        def sign(*_: str) -> None:
            tried.release()
            raise bus.BusError("away")

        monkeypatch.setattr(bus, "sign_rehearsal", sign)
        for _ in range(3):
            assert tried.acquire(timeout=30)


def test_who_replaces_the_lab_at_that_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[list[str]] = []
    monkeypatch.setattr(locks, "one_administrator", lambda: known.append(bus.rehearsals()))
    with playing("a.yaml"):
        # Who comes later sees it; who came before has the lock.
        assert known == [["a.yaml"]]


def test_what_is_performed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[list[str]] = []

    def perform(*_: Any) -> None:
        known.append(bus.rehearsals())

    monkeypatch.setattr(live, "_check", lambda _: None)
    monkeypatch.setattr(live, "_perform_batch", perform)
    scenario = load_scenario(FOLDER / "day-of-nothing.yaml")
    done: list[Playthrough] = []
    live.perform([scenario], slack=1, together=1, done=done.append)
    assert known == [["day-of-nothing.yaml"]]
    assert bus.rehearsals() == []
