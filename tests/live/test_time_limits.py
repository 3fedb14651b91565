"""A time limit is judged at its moment, between two sweeps, and not before the peer had its word."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from redundancy import bus, clock
from redundancy.catalog import SRM
from redundancy.clock import lab_datetime
from redundancy.live import due, sweep
from redundancy.live.store import TakenStep
from redundancy.models import Fault, FaultKind, HaEvent, Machine, NodeRuntime, RedundancyGroup
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
def rate() -> float:
    """Lab seconds in a second."""
    return 1.0


@pytest.fixture
def look(pair: Pair, rate: float, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Sweep once a second until one has waited for something; return what it waited for."""
    monkeypatch.setattr(settings, "SWEEP_SECONDS", 1.0)
    monkeypatch.setattr(clock, "look", lambda: (pair.clock.reader(), rate))

    def until_waited(then: Callable[[], bool] = lambda: True) -> list[float]:
        waited: list[float] = []

        def wait(seconds: float) -> bool:
            waited.append(seconds)
            pair.clock.now += seconds * rate
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


@pytest.mark.parametrize("rate", [4.0])
def test_a_clock_that_runs_faster_is_waited_for_less(
    quiet: Pair, look: Callable[..., list[float]], rate: float
) -> None:
    silence(quiet)
    # A sweep sees further ahead.
    assert look() == [pytest.approx((3 + BEHIND) / rate + sweep.PAST, abs=0.01)]


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


def stored_steps_of_the_judgement(quiet: Pair) -> int:
    """Return how many steps of imp-pub the sweep stores that declares imp-sub silent."""
    services.stop_service(server=server("imp-sub"), name=SRM, actor="")
    for _ in range(120):
        before = NodeRuntime.objects.get(server__name="imp-pub").version
        quiet.clock.now += 1
        sweep.sweep(quiet.wanted.extend)
        if quiet.states()[0] == State.TAKING_OVER:
            return NodeRuntime.objects.get(server__name="imp-pub").version - before
    raise AssertionError("it was not declared")


def test_a_peer_that_can_say_nothing_is_judged_with_one_stored_step(quiet: Pair) -> None:
    assert stored_steps_of_the_judgement(quiet) == 1


def test_a_peer_with_a_process_of_its_own_has_until_the_next_round(quiet: Pair) -> None:
    Machine.objects.filter(server__name="imp-sub").update(srm_worker="another")
    assert stored_steps_of_the_judgement(quiet) == 2


def test_who_stops_its_services_at_the_same_moment_sees_them_stopped_before_it_judges(
    quiet: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    judge = sweep._judged

    def note(taken: TakenStep, *given: Any) -> TakenStep:
        judged.append(taken.situation.stored.name)
        return judge(taken, *given)

    monkeypatch.setattr(sweep, "_judged", note)
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    quiet.run(30)
    services.stop_service(server=server("imp-sub"), name=SRM, actor="")
    runtime = NodeRuntime.objects.get(server__name="imp-pub")
    since = server("imp-pub").services.get(name=ROUTER).since.timestamp()
    runtime.memory["peer_at"] = since + 30
    runtime.save()
    quiet.run(61)
    assert HaEvent.objects.filter(node_name="imp-pub", at__gte=lab_datetime(since + 90)).exists()
    assert judged == []


def test_what_a_silent_peer_has_said_since_its_inbox_was_read_is_heard(
    quiet: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.stop_service(server=server("imp-sub"), name=SRM, actor="")
    pub, take = server("imp-pub"), sweep.take
    suspected: list[float] = []

    def take_and_hear(*given: Any) -> TakenStep | None:
        taken = take(*given)
        if taken and taken.node.suspects and not suspected:
            suspected.append(taken.now)
            known = taken.node.peer
            assert known is not None
            bus.send({pub.pk: replace(known, seq=known.seq + 1)})
        return taken

    monkeypatch.setattr(sweep, "take", take_and_hear)
    while not suspected:
        quiet.run(1)
    assert quiet.states()[0] == State.NORMAL
    quiet.run(59)
    assert quiet.states()[0] == State.NORMAL
    quiet.run(1)
    assert declared(State.TAKING_OVER) == suspected[0] + 60


def test_two_that_hear_each_other_again_at_the_limit_go_on(
    quiet: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "FAULT_LAB", True)

    def heard() -> list[float]:
        return [runtime.memory["peer_at"] for runtime in NodeRuntime.objects.all()]

    # All heartbeats are lost from when both were heard to when the fourth is due.
    while heard() != [quiet.clock.now] * 2:
        quiet.run(1)
    group = RedundancyGroup.objects.get()
    fault = Fault.objects.create(kind=FaultKind.LOSS, group=group, amount=100)
    began = quiet.clock.now
    quiet.run(59)
    assert heard() == [began] * 2
    fault.delete()
    quiet.run(1)
    assert heard() == [quiet.clock.now] * 2
    assert quiet.states() == (State.NORMAL, State.NORMAL)


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
