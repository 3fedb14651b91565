"""A time limit is judged at its moment, between two sweeps, and not before the peer had its word."""

import time
from collections.abc import Callable

import pytest
from django.conf import settings

from redundancy import bus, clock
from redundancy.catalog import SRM
from redundancy.live import due, sweep
from redundancy.models import HaEvent, NodeRuntime, RedundancyGroup
from redundancy.operations import groups, services
from redundancy.srm.states import State
from tests.live.pair import ROUTER, Pair, server

# Lab seconds behind a sweep at which a limit is reached.
BEHIND = 0.4


def declared(kind: State) -> float:
    """Return when imp-pub changed to this state."""
    event = HaEvent.objects.get(node_name="imp-pub", new_state=kind)
    return event.at.timestamp()


@pytest.fixture
def look(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Sweep once a second until one has waited for something; return what it waited for."""
    monkeypatch.setattr(settings, "SWEEP_SECONDS", 1.0)
    monkeypatch.setattr(clock, "look", lambda: (pair.clock.reader(), 1.0))

    def until_waited(then: Callable[[], bool] = lambda: True) -> list[float]:
        waited: list[float] = []

        def wait(seconds: float) -> bool:
            waited.append(seconds)
            pair.clock.now += seconds
            return then()

        for _ in range(120):
            pair.clock.now += 1
            sweep.sweep(pair.wanted.extend, wait=wait)
            if waited:
                return waited
        raise AssertionError("nothing was waited for")

    return until_waited


@pytest.fixture
def quiet(pair: Pair) -> Pair:
    """The pair in Normal, off the whole second."""
    groups.enable_ha(group=RedundancyGroup.objects.get(), actor="")
    pair.run(30)
    return pair


def silence(pair: Pair) -> float:
    """Let imp-sub fall silent; return when that will be declared."""
    services.stop_service(server=server("imp-sub"), name=SRM, actor="")
    # It was heard that much later than at a sweep.
    runtime = NodeRuntime.objects.get(server__name="imp-pub")
    runtime.memory["peer_at"] += BEHIND
    runtime.limit_at += BEHIND
    runtime.save()
    return float(runtime.memory["peer_at"]) + 60


def test_a_silent_peer_is_declared_at_its_limit(
    quiet: Pair, look: Callable[..., list[float]]
) -> None:
    limit = silence(quiet)
    assert look() == [pytest.approx(BEHIND + sweep.PAST, abs=0.01)]
    assert declared(State.TAKING_OVER) == pytest.approx(limit + sweep.PAST, abs=0.01)


def test_a_critical_service_is_judged_at_its_limit(
    quiet: Pair, look: Callable[..., list[float]]
) -> None:
    quiet.clock.now += BEHIND
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    limit = quiet.clock.now + 90
    quiet.clock.now -= BEHIND
    look()
    assert declared(State.FAILING_OVER) == pytest.approx(limit + sweep.PAST, abs=0.01)


def test_a_limit_that_is_reached_while_a_sweep_works_is_judged_in_the_same_one(
    quiet: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = silence(quiet)
    monkeypatch.setattr(settings, "SWEEP_SECONDS", 1.0)
    quiet.run(int(limit - quiet.clock.now))

    def pass_by(*_: object) -> None:
        # All nodes were looked at before it.
        quiet.clock.now = limit + 0.01

    monkeypatch.setattr("redundancy.operations.access.let_in", pass_by)
    sweep.sweep(quiet.wanted.extend, wait=lambda _: True)
    assert quiet.states()[0] == State.TAKING_OVER


def test_a_peer_that_speaks_meanwhile_has_its_word(
    quiet: Pair, look: Callable[..., list[float]]
) -> None:
    silence(quiet)

    def speak() -> bool:
        services.start_service(server=server("imp-sub"), name=SRM, actor="")
        return True

    look(speak)
    assert quiet.states()[0] == State.NORMAL


def test_who_is_asked_for_meanwhile_does_not_wait(
    quiet: Pair, look: Callable[..., list[float]]
) -> None:
    silence(quiet)
    assert look(lambda: False)
    assert quiet.states()[0] == State.NORMAL


def test_without_a_wait_the_next_sweep_judges(
    quiet: Pair, look: Callable[..., list[float]]
) -> None:
    silence(quiet)
    for _ in range(120):
        quiet.clock.now += 1
        before = quiet.clock.now
        sweep.sweep(quiet.wanted.extend)
        assert quiet.clock.now == before
    assert quiet.states()[0] == State.TAKING_OVER


def test_what_is_reached_after_the_next_sweep_is_not_waited_for(quiet: Pair) -> None:
    limit = silence(quiet)
    everybody = sweep.TOGETHER
    assert due.next_limit(everybody, limit - 2, limit - 1) is None
    assert due.next_limit(everybody, limit - 1, limit) == pytest.approx(limit)
    assert due.next_limit(everybody, limit, limit + 1) is None


def test_waiting_ends_when_a_sweep_is_asked_for(valkey: str) -> None:
    bus.begin_wanted()
    began = time.monotonic()
    assert bus.wait_for_nothing(0.05)
    assert time.monotonic() - began >= 0.05
    bus.want_sweep()
    assert not bus.wait_for_nothing(3600)
    bus.begin_wanted()
