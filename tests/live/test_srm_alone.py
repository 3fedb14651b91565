"""A node's SRM in a process of its own, swept by hand: who steps it, and when it counts as dead."""

from math import ceil

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.faultlab import writes as faults
from redundancy.live.alone import LoneSrm
from redundancy.live.sweep import ALONE_SECONDS
from redundancy.models import HaEvent, Machine, NodeRuntime, RedundancyGroup
from redundancy.operations import actions, moves, power
from redundancy.selectors import live
from redundancy.srm.states import NOT_RESPONDING, State
from tests.live.pair import Pair, server

LEASE = ceil(ALONE_SECONDS / configured.SWEEP_SECONDS)


class Lone:
    """imp-sub's SRM beside the sweep of the pair."""

    def __init__(self, pair: Pair, worker: str = "one") -> None:
        self.pair = pair
        self.srm = LoneSrm(server("imp-sub"), worker)
        self.srm.start()

    def look(self) -> bool:
        lives = self.srm.look(self.pair.wanted.append)
        while self.pair.wanted:
            moves.move_sessions(self.pair.wanted.pop(0))
        return lives

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.pair.run(1)
            assert self.look()


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


def test_a_process_not_seen_is_its_srms_death(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(20)
    pair.run(LEASE - 1)
    assert Machine.objects.get(server__name="imp-sub").srm_running
    assert lone.look()
    pair.run(LEASE)
    machine = Machine.objects.get(server__name="imp-sub")
    assert (machine.srm_running, machine.srm_worker) == (False, "")
    assert shown()["imp-sub"] == NOT_RESPONDING
    assert HaEvent.objects.filter(sentence__contains="died with its process (one)").count() == 1
    assert not lone.look(), "it learns that it counts as dead"
    pair.run(75)
    assert shown() == {"imp-pub": State.BACKUP, "imp-sub": NOT_RESPONDING}
    assert pair.sessions() == (1000, 0)
    # Started anew, it finds its place.
    again = Lone(pair, "two")
    again.run(5)
    assert pair.states() == (State.BACKUP, State.FAILED_OVER)


def test_while_nobody_sweeps_nobody_is_declared_dead(pair: Pair) -> None:
    Lone(pair)
    pair.run(LEASE - 1)
    pair.clock.now += 600
    assert Machine.objects.get(server__name="imp-sub").srm_running


def test_the_last_process_that_claims_a_node_has_it(pair: Pair) -> None:
    first, second = Lone(pair), Lone(pair, "two")
    assert not first.look()
    assert second.look()
    first.srm.stop()
    assert Machine.objects.get(server__name="imp-sub").srm_worker == "two"


def test_an_orderly_end_stops_srm_and_a_start_gives_it_back_to_the_sweep(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(3)
    lone.srm.stop()
    assert shown()["imp-sub"] == NOT_RESPONDING
    power.start_srm(server=server("imp-sub"), actor="")
    pair.run(4)
    assert pair.states() == ("Normal", "Normal")


def test_it_goes_on_over_a_restart_of_its_node(pair: Pair) -> None:
    lone = Lone(pair)
    lone.run(3)
    power.reboot(server=server("imp-sub"), actor="")
    lone.run(3)
    assert not Machine.objects.get(server__name="imp-sub").powered
    lone.run(int(configured.LAB_REBOOT_SECONDS) + 4)
    assert pair.states() == (State.BACKUP, State.FAILED_OVER)
    assert Machine.objects.get(server__name="imp-sub").srm_worker == "one"


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


def test_a_node_that_is_not_there_or_is_off_has_no_srm(pair: Pair) -> None:
    with pytest.raises(CommandError, match="no IM and Presence server named 'imp-9'"):
        call_command("srm_worker", "imp-9")
    power.power_off(server=server("imp-sub"), actor="")
    with pytest.raises(CommandError, match="imp-sub is powered off"):
        call_command("srm_worker", "IMP-SUB")
