"""What a worker makes of what it finds in its queue: too much of it, or something too old."""

import contextlib
from dataclasses import replace

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from redundancy import bus, tasks
from redundancy.alarms import writes as alarm_writes
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


def carry_out() -> None:
    """Let the worker have the word that was sent of it."""
    tasks.move_sessions()


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
        tasks.ask_for_moves([request])
        carry_out()

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
    tasks.ask_for_moves([request])
    pair.clock.now += age
    carry_out()
    assert (pair.sessions() == (0, 1000)) is moved
    assert SrmMessage.objects.exists() is moved
    assert (RedundancyGroup.objects.get().holder is not None) is moved


def test_moves_wait_for_one_task_and_are_done_if_their_nodes_still_ask(
    pair: Pair, queued: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that takes longer than a move is wanted must not leave all moves undone."""
    monkeypatch.setattr(tasks.sweep, "delay", lambda **_: None)
    request = wanted_move(pair)
    for _ in range(4):
        tasks.ask_for_moves([request])
        pair.clock.now += 14
    # Another node, or another epoch, is another move.
    tasks.ask_for_moves([replace(request, epoch=request.epoch + 1)])
    assert (len(queued), bus.client().zcard(bus.MOVES)) == (1, 2)
    carry_out()
    assert pair.sessions() == (0, 1000)
    # Handed out again, as after a crash: nobody asks for it any more.
    told = SrmMessage.objects.count()
    carry_out()
    assert SrmMessage.objects.count() == told
    tasks.ask_for_moves([request])
    assert len(queued) == 2


def test_a_task_of_moves_whose_message_was_lost_is_queued_again(
    pair: Pair, queued: list[tuple[object, ...]]
) -> None:
    request = wanted_move(pair)
    tasks.ask_for_moves([request])
    left = bus.client().pttl(bus.MOVES_WANTED)
    assert 0 < left <= 1000 * bus.MOVE_SECONDS
    tasks.ask_for_moves([request])
    assert 0 < bus.client().pttl(bus.MOVES_WANTED) <= left, "asking again does not put it off"
    bus.client().delete(bus.MOVES_WANTED)
    tasks.ask_for_moves([request])
    assert len(queued) == 2


@pytest.mark.parametrize(
    ("error", "waiting"), [(OperationalError("away"), 1), (ValueError("ours"), 0)]
)
def test_moves_wait_on_through_an_outage_and_not_for_a_fault_of_ours(
    pair: Pair,
    queued: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    waiting: int,
) -> None:
    def fail(_: object) -> None:
        raise error

    tasks.ask_for_moves([wanted_move(pair)])
    with monkeypatch.context() as broken, contextlib.suppress(ValueError):
        broken.setattr("redundancy.operations.moves.move_all", fail)
        carry_out()
    assert bus.client().zcard(bus.MOVES) == waiting
    assert pair.sessions() == (500, 500)
    carry_out()
    assert pair.sessions() == ((0, 1000) if waiting else (500, 500))


def test_more_moves_than_one_task_takes_are_done_by_the_next(
    pair: Pair, queued: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.sweep, "delay", lambda **_: None)
    monkeypatch.setattr(tasks, "MOVES_AT_ONCE", 3)
    request = wanted_move(pair)
    others = [replace(request, epoch=request.epoch + more) for more in range(1, 5)]
    tasks.ask_for_moves(others)
    # The last to ask: who waited longest is first.
    pair.clock.now += 1
    tasks.ask_for_moves([request])
    carry_out()
    assert (pair.sessions(), len(queued)) == ((500, 500), 2)
    # While it works, others ask: it does not see them, and one more task does.
    tasks.ask_for_moves([request])
    assert len(queued) == 2
    carry_out()
    assert (pair.sessions(), len(queued)) == ((0, 1000), 2)


def test_a_task_of_an_older_version_does_what_waits(
    pair: Pair, queued: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.sweep, "delay", lambda **_: None)
    request = wanted_move(pair)
    tasks.ask_for_moves([request])
    tasks.move_sessions(request.node_id, request.kind.value, request.epoch, request.generation)
    assert pair.sessions() == (0, 1000)


def test_alarms_that_wait_to_be_looked_at_are_asked_for_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[None] = []
    monkeypatch.setattr(tasks.alarms, "delay", lambda: asked.append(None))
    for _ in range(3):
        tasks.ask_for_alarms()
    assert len(asked) == 1
    # What changes while they are looked at is not seen by that look.
    monkeypatch.setattr(alarm_writes, "reconcile", tasks.ask_for_alarms)
    tasks.alarms()
    assert len(asked) == 2


def test_a_queue_is_kept_for_minutes_so_that_no_wrong_clock_empties_it(settings: Settings) -> None:
    assert settings.QUEUE_SECONDS >= 600
    for task in (tasks.sweep, tasks.audit, tasks.alarms, tasks.tidy, tasks.canary):
        assert task.expires == settings.QUEUE_SECONDS
    # Asked for by a process of one node, whose clock nobody compares.
    assert tasks.move_sessions.expires is None
    # Beat adds nothing of its own.
    (entry,) = settings.CELERY_BEAT_SCHEDULE.values()
    assert entry == {"task": tasks.sweep.name, "schedule": settings.SWEEP_SECONDS}
