"""A node's SRM in a process of its own, swept by hand: who steps it, and what its silence means."""

from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.catalog import SRM
from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.live import sweep as sweeping
from redundancy.live.alone import LoneSrm
from redundancy.live.store import TakenStep
from redundancy.management.commands.srm_worker import let_go_of_rows
from redundancy.models import (
    EventKind,
    HaEvent,
    Machine,
    NodeRuntime,
    RedundancyGroup,
    ServiceStatus,
    SrmMessage,
)
from redundancy.monitor import audit
from redundancy.operations import actions, moves, power, services
from redundancy.selectors import live
from redundancy.selectors.services import services_of
from redundancy.srm.states import NOT_RESPONDING, State
from tests.live.pair import Pair, server

LEASE = ceil(power.SILENT_SECONDS / configured.SWEEP_SECONDS)


class Lone:
    """imp-sub's SRM beside the sweep of the pair."""

    def __init__(self, pair: Pair, worker: str = "one") -> None:
        self.pair = pair
        self.srm = LoneSrm(server("imp-sub"), worker)
        self.srm.start()

    def look(self) -> bool:
        lives = self.srm.look(self.pair.wanted.extend)
        while self.pair.wanted:
            moves.move_sessions(self.pair.wanted.pop(0))
        return lives

    def run_until_heard(self) -> None:
        """Run until the peer has just heard its heartbeat, and none before was late."""
        self.run(30)
        heard = memory("imp-pub")["peer_at"]
        while memory("imp-pub")["peer_at"] == heard:
            self.run(1)

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.pair.run(1)
            assert self.look()


def machine() -> Machine:
    return Machine.objects.get(server__name="imp-sub")


def status(service: str) -> str:
    return next(row.status for row in services_of(server("imp-sub")) if row.name == service)


def memory(name: str) -> dict[str, Any]:
    return dict(NodeRuntime.objects.get(server__name=name).memory)


def version(name: str) -> int:
    return NodeRuntime.objects.get(server__name=name).version


def shown() -> dict[str, str]:
    return {row.name: row.state for group in live.all_live() for row in group.rows}


def test_only_its_own_process_steps_the_node(pair: Pair) -> None:
    lone = Lone(pair)
    before = version("imp-sub")
    for _ in range(3):
        pair.run(1)
    assert version("imp-sub") == before
    assert lone.look()
    assert version("imp-sub") > before
    lone.run(40)
    assert pair.states() == ("Normal", "Normal")
    # A step of the sweep's own nodes does not depend on it, and both hear each other.
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    lone.run(4)
    assert pair.states() == (State.IDLE, State.BACKUP)
    assert pair.sessions() == (0, 1000)
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="")
    lone.run(4)
    assert pair.states() == ("Normal", "Normal")


def test_a_process_not_seen_is_shown_as_silent_and_keeps_its_node(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(20)
    before = HaEvent.objects.count()
    pair.run(LEASE - 1)
    assert machine().srm_running
    assert lone.look()
    pair.run(LEASE)
    assert (machine().srm_running, machine().srm_silent) == (False, True)
    assert machine().srm_worker == "one"
    assert shown() == {"imp-pub": State.NORMAL, "imp-sub": NOT_RESPONDING}
    assert status(SRM) == ServiceStatus.UNKNOWN
    with pytest.raises(Refused, match="imp-sub does not report"):
        actions.request_failover(node=server("imp-sub"), serial=None, actor="")
    pair.run(LEASE)
    lone.run(3)
    assert shown() == {"imp-pub": State.NORMAL, "imp-sub": State.NORMAL}
    assert status(SRM) == ServiceStatus.STARTED
    told = HaEvent.objects.order_by("pk")[before:]
    assert [(event.sentence, (event.inputs or {})["reports"]) for event in told] == [
        (f"{SRM} on imp-sub does not report: its process (one) is silent.", False),
        (f"{SRM} on imp-sub reports again (one).", True),
    ]


@pytest.mark.parametrize("seconds", [3, 12, 55])
def test_a_process_that_resumes_before_the_timeout_of_its_peer_keeps_its_node(
    pair: Pair, seconds: int
) -> None:
    lone = Lone(pair)
    lone.run_until_heard()
    before = HaEvent.objects.filter(kind=EventKind.STATE).count()
    pair.run(seconds)
    lone.run(120)
    assert pair.states() == ("Normal", "Normal")
    assert HaEvent.objects.filter(kind=EventKind.STATE).count() == before
    assert pair.sessions() == (500, 500)


def test_its_own_absence_is_no_silence_of_its_peer(pair: Pair, settings: Settings) -> None:
    settings.FAULT_LAB = True
    lone = Lone(pair)
    lone.run_until_heard()
    group = RedundancyGroup.objects.get()
    faults.cut_link(group=group, sender=server("imp-pub"), actor="")
    lone.run(30)
    pair.run(45)
    # It last heard its peer 75 s ago, of which it looked for 30.
    for _ in range(3):
        lone.run(1)
    faults.restore_link(group=group, actor="")
    lone.run(60)
    assert pair.states() == ("Normal", "Normal")
    assert not HaEvent.objects.filter(new_state=State.TAKING_OVER)


def test_one_that_resumes_after_a_takeover_yields(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run_until_heard()
    before = HaEvent.objects.filter(kind=EventKind.STATE).count()
    pair.run(70)
    assert shown() == {"imp-pub": State.BACKUP, "imp-sub": NOT_RESPONDING}
    assert pair.sessions() == (1000, 0)
    lone.run(60)
    assert pair.states() == (State.BACKUP, State.FAILED_OVER)
    told = HaEvent.objects.filter(kind=EventKind.STATE).order_by("pk")[before:]
    assert [(event.node_name, event.new_state) for event in told] == [
        ("imp-pub", State.TAKING_OVER),
        ("imp-pub", State.BACKUP),
        ("imp-sub", State.FAILED_OVER),
    ]
    assert pair.sessions() == (1000, 0)
    actions.request_fallback(node=server("imp-sub"), serial=None, actor="")
    lone.run(4)
    assert pair.states() == ("Normal", "Normal")
    assert audit.audit() == []


def test_while_nobody_sweeps_nobody_is_called_silent(pair: Pair) -> None:
    Lone(pair)
    pair.run(LEASE - 1)
    pair.clock.now += 600
    assert machine().srm_running


@pytest.mark.parametrize(
    "start",
    [power.start_srm, power.restart_srm, partial(services.start_service, name=SRM)],
    ids=["start", "restart", "Control Center"],
)
def test_a_start_of_a_killed_ones_srm_gives_the_node_back_to_the_sweep(
    pair: Pair, start: Callable[..., None]
) -> None:
    lone = Lone(pair)
    lone.run(20)
    pair.run(75)
    assert shown() == {"imp-pub": State.BACKUP, "imp-sub": NOT_RESPONDING}
    start(server=server("imp-sub"), actor="ann")
    pair.run(5)
    assert pair.states() == (State.BACKUP, State.FAILED_OVER)
    assert machine().srm_worker == ""
    # It was not dead after all.
    assert not lone.look()


def test_a_restart_of_srm_stays_in_its_process_while_that_lives(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(20)
    power.restart_srm(server=server("imp-sub"), actor="ann")
    lone.run(20)
    assert pair.states() == ("Normal", "Normal")
    assert machine().srm_worker == "one"


def test_an_srm_stopped_by_hand_while_it_is_silent_stays_stopped(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(20)
    pair.run(LEASE)
    services.stop_service(server=server("imp-sub"), name=SRM, actor="ann")
    assert status(SRM) == ServiceStatus.STOPPED
    before = version("imp-sub")
    assert lone.look()
    assert (machine().srm_running, machine().srm_worker) == (False, "one")
    assert version("imp-sub") == before
    services.start_service(server=server("imp-sub"), name=SRM, actor="ann")
    lone.run(5)
    assert pair.states() == ("Normal", "Normal")


def test_a_node_whose_process_is_silent_goes_down_unannounced(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(20)
    power.reboot(server=server("imp-sub"), actor="ann")
    assert machine().powered, "it waits for the SRM to announce it"
    pair.run(LEASE)
    assert not machine().powered
    assert not machine().srm_silent
    pair.run(int(configured.LAB_REBOOT_SECONDS) + 5)
    # Nobody was there to go on with it.
    assert machine().srm_worker == ""
    assert pair.states() == (State.BACKUP, State.FAILED_OVER)
    assert not lone.look()


def test_the_last_process_that_claims_a_node_has_it(pair: Pair) -> None:
    first, second = Lone(pair), Lone(pair, "two")
    assert not first.look()
    assert second.look()
    first.srm.stop()
    assert machine().srm_worker == "two"


def test_a_process_whose_node_is_taken_during_its_look_steps_it_no_more(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = Lone(pair)
    lone.run(20)
    power.run_srm_alone(server=server("imp-sub"), worker="two")
    before = version("imp-sub")
    # It had asked a moment before.
    monkeypatch.setattr(power, "still_runs_srm", lambda **_: True)
    assert lone.look()
    assert version("imp-sub") == before
    assert SrmMessage.objects.filter(node__name="imp-sub").count() == 1


def test_a_step_begun_before_another_process_took_the_node_is_void(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = Lone(pair)
    lone.run(20)
    NodeRuntime.poke(server("imp-sub").pk)
    real = sweeping.take

    def take(*given: Any) -> TakenStep | None:
        step = real(*given)
        power.run_srm_alone(server=server("imp-sub"), worker="two")
        return step

    monkeypatch.setattr(sweeping, "take", take)
    sequence = memory("imp-sub")["stepped_at"]
    assert lone.look()
    assert memory("imp-sub")["stepped_at"] == sequence
    assert not lone.look()


def test_an_older_process_ends_with_a_line(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(power, "still_runs_srm", lambda **_: bool(Lone(pair, "two")) and False)
    call_command("srm_worker", "imp-sub")
    runs, ends = capsys.readouterr().out.splitlines()
    assert runs.startswith("SRM of imp-sub runs here, in process ")
    assert ends == "This process ends: SRM of imp-sub is run by process two now."


def test_an_orderly_end_stops_srm_and_a_start_gives_it_back_to_the_sweep(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(3)
    lone.srm.stop()
    assert shown()["imp-sub"] == NOT_RESPONDING
    power.start_srm(server=server("imp-sub"), actor="")
    pair.run(4)
    assert pair.states() == ("Normal", "Normal")


def test_the_end_of_a_process_whose_srm_is_stopped_is_in_the_history(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(3)
    power.stop_srm(server=server("imp-sub"), actor="ann")
    lone.srm.stop()
    assert machine().srm_worker == ""
    last = HaEvent.objects.order_by("pk").last()
    assert last is not None
    assert last.sentence == f"The process of {SRM} on imp-sub ended (one)."


def test_it_goes_on_over_a_restart_of_its_node(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(3)
    power.reboot(server=server("imp-sub"), actor="")
    lone.run(3)
    assert not machine().powered
    lone.run(int(configured.LAB_REBOOT_SECONDS) + 4)
    assert pair.states() == (State.BACKUP, State.FAILED_OVER)
    assert machine().srm_worker == "one"


def test_a_pause_of_the_observer_and_a_cut_link_hold_for_it_too(
    pair: Pair, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    lone = Lone(pair)
    lone.run(16)
    before = version("imp-sub")
    faults.pause_observer(seconds=100, actor="")
    for _ in range(9):
        pair.clock.now += 10
        assert lone.look()
    assert version("imp-sub") == before
    pair.clock.now += 10
    lone.run(20)
    assert pair.states() == ("Normal", "Normal")
    sent = bus.read([server("imp-pub").pk])
    faults.cut_link(group=RedundancyGroup.objects.get(), sender=server("imp-sub"), actor="")
    lone.run(16)
    assert bus.read([server("imp-pub").pk]) == sent


@pytest.mark.parametrize("cut", [False, True])
def test_what_is_under_way_arrives_at_it_while_nobody_else_sweeps(
    pair: Pair, settings: Settings, cut: bool
) -> None:
    settings.FAULT_LAB = True
    lone, group = Lone(pair), RedundancyGroup.objects.get()
    faults.delay_link(group=group, seconds=20, actor="")
    lone.run(16)
    sub = server("imp-sub").pk
    heard = bus.read([sub])
    if cut:
        faults.cut_link(group=group, sender=server("imp-pub"), actor="")
    pair.clock.now += 20
    assert lone.look()
    assert (bus.read([sub]) == heard) is cut


def test_a_node_that_is_not_there_or_is_off_has_no_srm(pair: Pair) -> None:
    with pytest.raises(CommandError, match="no IM and Presence server named 'imp-9'"):
        call_command("srm_worker", "imp-9")
    power.power_off(server=server("imp-sub"), actor="")
    with pytest.raises(CommandError, match="imp-sub is powered off"):
        call_command("srm_worker", "IMP-SUB")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_the_database_ends_a_transaction_in_which_the_process_froze(pair: Pair) -> None:
    let_go_of_rows(connection)
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == (f"{power.SILENT_SECONDS}s",)
    # Not for the tests that follow.
    connection.close()
