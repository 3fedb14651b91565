"""What a worker makes of what it finds in its queue: too much of it, or something too old."""

import pytest
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.live import sweep as sweeping
from redundancy.live import tasks
from redundancy.models import RedundancyGroup, SrmMessage
from redundancy.operations import actions
from redundancy.operations.moves import MoveRequest
from redundancy.srm.types import MoveKind
from tests.live.pair import Pair, server


@pytest.fixture
def swept(pair: Pair, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[str]:
    """Gets an entry for each sweep that ran, and for each that was asked for."""
    log: list[str] = []
    # Nobody waits for half of it.
    settings.SWEEP_SECONDS = 600
    monkeypatch.setattr(sweeping, "sweep", lambda *_, asked: log.append("ran"))
    monkeypatch.setattr(tasks.sweep, "delay", lambda **how: log.append(f"asked {how}"))
    return log


def wanted_move(pair: Pair) -> MoveRequest:
    """Let a pair turn over, and return the move that the node asks for."""
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.sweep(moving=False)
    (request,) = pair.wanted
    return request


def carry_out(request: MoveRequest, asked_at: float) -> None:
    tasks.move_sessions(
        request.node_id, request.kind.value, request.epoch, request.generation, asked_at
    )


def test_a_backlog_of_sweeps_is_one_sweep(swept: list[str]) -> None:
    for _ in range(600):
        tasks.sweep()
    assert swept == ["ran"]
    bus.client().delete(bus.TURN)
    tasks.sweep()
    assert swept == ["ran"] * 2


def test_a_sweep_that_waits_for_half_an_interval_is_taken(pair: Pair) -> None:
    assert bus.take_turn(0.5)
    assert not bus.take_turn(0.5)
    assert 0 < bus.client().pttl(bus.TURN) <= 500


def test_no_sweep_runs_while_the_bus_is_away(
    swept: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise bus.BusError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(bus, "client", away)
        tasks.sweep()
        tasks.sweep(asked=True)
    assert swept == []
    assert caplog.text.count("the heartbeat bus cannot be reached (gone)") == 2


def test_many_moves_ask_for_one_sweep_which_comes_asked(pair: Pair, swept: list[str]) -> None:
    request = MoveRequest(server("imp-pub").pk, MoveKind.TAKE_OVER, 0, 0)
    tasks.sweep()
    for _ in range(5):
        carry_out(request, pair.clock.now)
    assert swept == ["ran", "asked {'asked': True}"]
    tasks.sweep(asked=True)
    assert swept[2:] == ["ran"]
    # What is stored from now on is not seen by the sweep that has begun.
    carry_out(request, pair.clock.now)
    assert swept[3:] == ["asked {'asked': True}"]


@pytest.mark.parametrize(
    ("age", "rate", "moved"),
    [(0, 1, True), (14.9, 1, True), (15.1, 1, False), (899, 60, True), (901, 60, False)],
)
def test_a_move_that_was_asked_for_too_long_ago_is_left(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, age: float, rate: float, moved: bool
) -> None:
    monkeypatch.setattr(tasks.sweep, "delay", lambda **_: None)
    monkeypatch.setattr("redundancy.clock.rate", lambda: rate)
    request = wanted_move(pair)
    carry_out(request, pair.clock.now - age)
    assert (pair.sessions() == (0, 1000)) is moved
    assert SrmMessage.objects.exists() is moved
    assert (RedundancyGroup.objects.get().holder is not None) is moved


def test_a_queue_is_kept_for_minutes_so_that_no_wrong_clock_empties_it(settings: Settings) -> None:
    assert settings.QUEUE_SECONDS >= 600
    for task in (tasks.sweep, tasks.move_sessions, tasks.audit, tasks.canary):
        assert task.expires == settings.QUEUE_SECONDS
    # Beat adds nothing of its own.
    (entry,) = settings.CELERY_BEAT_SCHEDULE.values()
    assert entry == {"task": tasks.sweep.name, "schedule": settings.SWEEP_SECONDS}
