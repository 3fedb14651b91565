"""What a worker makes of what it finds in its queue: too much of it, or something too old."""

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from redundancy import bus, tasks
from redundancy.live import sweep as sweeping
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
    monkeypatch.setattr(sweeping, "sweep", lambda *_, **__: log.append("ran"))
    monkeypatch.setattr(tasks.sweep, "delay", lambda **how: log.append(f"asked {how}"))
    return log


def wanted_move(pair: Pair) -> MoveRequest:
    """Let a pair turn over, and return the move that the node asks for."""
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.sweep(moving=False)
    (request,) = pair.wanted
    return request


def carry_out(request: MoveRequest) -> None:
    tasks.move_sessions(request.node_id, request.kind.value, request.epoch, request.generation)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Gets an entry for each move that is put into the queue."""
    log: list[tuple[object, ...]] = []
    monkeypatch.setattr(tasks.move_sessions, "delay", lambda *move: log.append(move))
    return log


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
    assert caplog.text.count("the heartbeat bus cannot be used (gone)") == 1


def test_many_moves_ask_for_one_sweep_which_comes_at_once(
    pair: Pair, swept: list[str], queued: list[tuple[object, ...]]
) -> None:
    def ask_and_do() -> None:
        tasks.ask_for_move(request)
        carry_out(request)

    request = MoveRequest(server("imp-pub").pk, MoveKind.TAKE_OVER, 0, 0)
    tasks.sweep()
    for _ in range(5):
        ask_and_do()
    assert swept == ["ran", "asked {'asked': True}"]
    tasks.sweep(asked=True)
    assert swept[2:] == ["ran"]
    # What is stored from now on is not seen by the sweep that has begun.
    ask_and_do()
    assert swept[3:] == ["asked {'asked': True}"]


@pytest.mark.parametrize(
    ("age", "rate", "moved"),
    [(0, 1, True), (14.9, 1, True), (15.1, 1, False), (899, 60, True), (901, 60, False)],
)
def test_a_move_that_was_asked_for_too_long_ago_is_left(
    pair: Pair,
    queued: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
    age: float,
    rate: float,
    moved: bool,
) -> None:
    monkeypatch.setattr(tasks.sweep, "delay", lambda **_: None)
    monkeypatch.setattr("redundancy.clock.rate", lambda: rate)
    request = wanted_move(pair)
    tasks.ask_for_move(request)
    pair.clock.now += age
    carry_out(request)
    assert (pair.sessions() == (0, 1000)) is moved
    assert SrmMessage.objects.exists() is moved
    assert (RedundancyGroup.objects.get().holder is not None) is moved


def test_a_move_waits_in_the_queue_once_and_is_done_if_the_node_still_asks(
    pair: Pair, queued: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that takes longer than a move is wanted must not leave all moves undone."""
    monkeypatch.setattr(tasks.sweep, "delay", lambda **_: None)
    request = wanted_move(pair)
    for _ in range(4):
        tasks.ask_for_move(request)
        pair.clock.now += 14
    assert len(queued) == 1
    # Another node, or another epoch, is another move.
    tasks.ask_for_move(replace(request, epoch=request.epoch + 1))
    assert len(queued) == 2
    carry_out(request)
    assert pair.sessions() == (0, 1000)
    # Handed out again, as after a crash: nobody asks for it any more.
    told = SrmMessage.objects.count()
    carry_out(request)
    assert SrmMessage.objects.count() == told
    tasks.ask_for_move(request)
    assert len(queued) == 3


def test_a_move_whose_message_was_lost_is_queued_again(
    pair: Pair, queued: list[tuple[object, ...]]
) -> None:
    request = wanted_move(pair)
    tasks.ask_for_move(request)
    (key,) = bus.client().keys("srm:move:*")
    left = bus.client().pttl(key)
    tasks.ask_for_move(request)
    assert 0 < bus.client().pttl(key) <= left, "asking again does not put it off"
    bus.client().delete(key)
    tasks.ask_for_move(request)
    assert len(queued) == 2


def test_a_queue_is_kept_for_minutes_so_that_no_wrong_clock_empties_it(settings: Settings) -> None:
    assert settings.QUEUE_SECONDS >= 600
    for task in (tasks.sweep, tasks.audit, tasks.alarms, tasks.tidy, tasks.canary):
        assert task.expires == settings.QUEUE_SECONDS
    # Asked for by a process of one node, whose clock nobody compares.
    assert tasks.move_sessions.expires is None
    # Beat adds nothing of its own.
    (entry,) = settings.CELERY_BEAT_SCHEDULE.values()
    assert entry == {"task": tasks.sweep.name, "schedule": settings.SWEEP_SECONDS}
