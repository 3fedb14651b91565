"""A pair in virtual time: the link, the record of the sessions, administrators, and the observer."""

from dataclasses import replace

import pytest

from redundancy.srm.simulator import NODES, ROUTER, Simulator
from redundancy.srm.states import State
from redundancy.srm.types import Event, Heard, Moved, MoveKind, MoveRefused, Policy, Request, Tick

PUB, SUB = NODES
S = State
ARCHIVER, DIRECTORY = "Cisco XCP Message Archiver", "Cisco XCP Directory Service"


def normal(**policy: float) -> Simulator:
    sim = Simulator(replace(Policy(), **policy), users={PUB: 300, SUB: 200})  # type: ignore[arg-type]
    sim.enable_ha()
    sim.run_until(60)
    return sim


def state(sim: Simulator) -> tuple[State, State]:
    return sim.state(PUB)[0], sim.state(SUB)[0]


# --- the link ------------------------------------------------------------------------------------


def heard(sim: Simulator) -> int:
    """The last heartbeat of imp-sub that imp-pub has heard."""
    peer = sim.nodes[PUB].peer
    assert peer is not None
    return peer.seq


def test_a_heartbeat_takes_its_time_and_can_be_cut_off_on_the_way() -> None:
    sim = normal()
    sim.delay = 5
    last = heard(sim)
    sim.run_until(sim.nodes[SUB].next_heartbeat)
    sim.run_for(4.9)
    assert heard(sim) == last
    sim.run_for(0.1)
    assert heard(sim) == last + 1
    sim.run_until(sim.nodes[SUB].next_heartbeat)
    sim.cut = {(SUB, PUB)}
    sim.run_for(10)
    assert heard(sim) == last + 1
    # The other way it is open.
    other = sim.nodes[SUB].peer
    assert other is not None
    assert sim.nodes[SUB].peer_at > sim.nodes[PUB].peer_at


def test_what_was_sent_into_a_cut_link_does_not_arrive_when_it_is_mended() -> None:
    sim = normal()
    sim.delay = 5
    sim.run_for(6)
    last = heard(sim)
    sim.cut = {(SUB, PUB)}
    sim.run_until(sim.nodes[SUB].next_heartbeat)
    sim.run_for(1)
    sim.cut.clear()
    sim.run_for(6)
    assert heard(sim) == last


def test_what_is_lost_is_lost_by_the_seed() -> None:
    courses = []
    for seed in (1, 1, 2):
        sim = Simulator(seed=seed)
        sim.enable_ha()
        sim.run_until(30)
        sim.loss = 0.5
        sequence = []
        for _ in range(20):
            sim.run_for(15)
            sequence.append(heard(sim))
        courses.append(sequence)
    assert courses[0] == courses[1] != courses[2]
    # About half of them came through.
    assert 4 <= len(set(courses[0])) <= 16


def test_repeated_heartbeats_arrive_twice() -> None:
    told: list[str] = []

    class Counting(Simulator):
        def tell(self, name: str, event: Event) -> None:
            if isinstance(event, Heard):
                told.append(name)
            super().tell(name, event)

    for repeat, times in ((False, 1), (True, 2)):
        sim = Counting()
        sim.enable_ha()
        sim.run_until(30)
        sim.repeat = repeat
        sim.run_until(50)
        told.clear()
        sim.run_for(15)
        assert sorted(told) == [PUB] * times + [SUB] * times


# --- sessions ------------------------------------------------------------------------------------


def test_a_move_takes_its_time_and_so_does_the_news_of_it() -> None:
    sim = normal()
    sim.move_delay, sim.tell_delay = 3, 4
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(2.9)
    assert (sim.sessions(SUB), sim.epoch) == (200, 0)
    sim.run_for(0.1)
    assert (sim.sessions(SUB), sim.epoch, sim.holder) == (500, 1, SUB)
    sim.run_for(3.9)
    assert sim.state(SUB)[0] is S.TAKING_OVER
    sim.run_for(0.1)
    assert sim.state(SUB)[0] is S.BACKUP


def test_held_moves_are_asked_for_again() -> None:
    sim = normal()
    sim.hold_moves = True
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(40)
    assert sim.sessions(SUB) == 200
    sim.hold_moves = False
    sim.run_for(15)
    assert sim.sessions(SUB) == 500


def test_a_move_that_changes_nothing_is_none_of_the_record() -> None:
    """Both nodes became Normal, and each asked for its users to go home."""
    sim = normal()
    sim.fail_next_move = True
    sim.run_for(100)
    assert (sim.epoch, sim.holder, sim.fail_next_move) == (0, None, True)
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    assert (sim.state(SUB)[0], sim.epoch, sim.fail_next_move) == (S.FAILED, 0, False)
    assert sim.location == {PUB: PUB, SUB: SUB}


def test_a_move_that_is_asked_for_twice_is_done_once() -> None:
    sim = normal()
    sim._move(SUB, MoveKind.TAKE_OVER, 0)
    assert (sim.epoch, sim.holder) == (1, SUB)
    sim._move(SUB, MoveKind.TAKE_OVER, 0)
    sim._move(PUB, MoveKind.TAKE_OVER, 0)
    assert (sim.epoch, sim.holder, sim.sessions(SUB)) == (1, SUB, 500)
    sim._move(PUB, MoveKind.HOME, 1)
    assert (sim.epoch, sim.holder, sim.sessions(SUB)) == (2, None, 200)


def test_what_a_node_hears_of_a_move_it_asked_for() -> None:
    sim = normal()
    take, home = MoveKind.TAKE_OVER, MoveKind.HOME
    assert sim._moved(SUB, take, 0) == Moved(take, 1)
    # It was faster than the news of its own move; the other node was not.
    assert sim._moved(SUB, take, 0) == Moved(take, 1)
    assert sim._moved(PUB, take, 0) == MoveRefused(take, 1, SUB)
    assert sim._moved(SUB, take, 2) == MoveRefused(take, 1, SUB)
    assert sim._moved(PUB, home, 0) == MoveRefused(home, 1, SUB)
    assert sim._moved(PUB, home, 1) == Moved(home, 2)
    assert sim._moved(PUB, home, 1) == MoveRefused(home, 2, None)
    # Nobody is away: there is nothing to record.
    assert sim._moved(PUB, home, 2) == Moved(home, 2)


def test_disabling_sends_everybody_home() -> None:
    sim = normal()
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    sim.disable_ha()
    assert (sim.epoch, sim.holder, sim.sessions(PUB), sim.sessions(SUB)) == (2, None, 300, 200)
    assert state(sim) == (S.UNKNOWN, S.UNKNOWN)
    # A move under way is refused.
    sim._move(SUB, MoveKind.TAKE_OVER, 1)
    assert sim.sessions(SUB) == 200
    sim.run_for(100)
    assert sim.nodes[PUB].state is S.UNKNOWN


# --- administrators, and the observer ------------------------------------------------------------


def test_a_request_is_refused_at_once_where_nobody_can_carry_it_out() -> None:
    sim = Simulator()
    assert not sim.ask(PUB, Request.FAILOVER)
    assert sim.refused == ["High Availability is not enabled."]
    sim = normal()
    sim.stop_srm(PUB)
    assert not sim.ask(PUB, Request.FAILOVER)
    assert sim.refused == ["The SRM of imp-pub does not report."]
    assert sim.denied == {(PUB, Request.FAILOVER): "The SRM of imp-pub does not report."}
    sim.start_srm(PUB)
    sim.run_for(20)
    assert sim.ask(PUB, Request.FAILOVER)
    assert sim.denied == {}
    assert not sim.ask(SUB, Request.FALLBACK)


def test_one_request_at_a_time() -> None:
    sim = normal()
    sim.pause_observer(30)
    assert sim.ask(PUB, Request.FAILOVER)
    assert not sim.ask(SUB, Request.FAILOVER)
    assert sim.refused == ["A request for this group is already being carried out."]
    sim.run_for(40)
    assert state(sim) == (S.IDLE, S.BACKUP)
    assert sim.ask(PUB, Request.FALLBACK)


@pytest.mark.parametrize(("ends", "then"), [("start_srm", S.IDLE), ("stop_srm", S.FAILING_OVER)])
def test_a_request_dies_with_the_srm_it_was_for(ends: str, then: State) -> None:
    sim = normal()
    sim.pause_observer(30)
    sim.ask(PUB, Request.FAILOVER)
    getattr(sim, ends)(PUB)
    # It is in nobody's way any more.
    assert sim.ask(SUB, Request.FAILOVER)
    sim.run_for(40)
    assert sim.state(SUB)[0] is then


def test_what_was_asked_before_ha_was_disabled_is_forgotten() -> None:
    sim = normal()
    sim.pause_observer(30)
    sim.ask(PUB, Request.FAILOVER)
    sim.disable_ha()
    sim.enable_ha()
    assert sim.ask(SUB, Request.FAILOVER)
    sim.run_for(60)
    assert sim.state(PUB)[0] is S.NORMAL


def test_recover_restarts_both_srms_in_failed_mode_only() -> None:
    sim = normal()
    sim.recover()
    assert (sim.refused, sim.machines[PUB].incarnation, sim.generation) == (["recover"], 1, 1)
    sim.fail_next_move = True
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    assert state(sim) == (S.FAILED, S.FAILED)
    sim.stop_srm(PUB)
    sim.recover()
    for machine in sim.machines.values():
        assert (machine.srm_running, machine.incarnation, machine.srm_since) == (True, 2, 65)
    assert sim.generation == 2
    sim.run_for(5)
    assert state(sim) == (S.NORMAL, S.NORMAL)


def test_what_an_srm_was_stopped_before_it_heard_is_forgotten_when_recover_starts_it() -> None:
    sim = normal()
    sim.fail_next_move = True
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    sim.pause_observer(30)
    assert sim.ask(SUB, Request.FALLBACK)
    sim.stop_srm(SUB)
    sim.run_for(40)
    sim.recover()
    sim.run_for(60)
    assert state(sim) == (S.NORMAL, S.NORMAL)
    assert sim.ask(PUB, Request.FAILOVER)


def test_recover_starts_nobody_who_is_off_and_enabling_starts_no_srm() -> None:
    sim = normal()
    sim.fail_next_move = True
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    sim.power_off(PUB)
    sim.recover()
    assert not sim.machines[PUB].srm_running
    assert sim.machines[SUB].incarnation == 2
    other = Simulator()
    other.stop_srm(PUB)
    other.enable_ha()
    assert not other.machines[PUB].srm_running
    assert other.machines[SUB].incarnation == 1


def test_an_activation_is_seen_in_the_next_second() -> None:
    sim = normal()
    archiver = "Cisco XCP Message Archiver"

    def watched() -> bool:
        sim.run_for(1)
        return archiver in [each.name for each in sim.nodes[PUB].services]

    sim.activate(PUB, archiver, watched=True)
    assert watched()
    sim.deactivate(PUB, archiver)
    assert archiver not in sim.machines[PUB].monitored
    assert not watched()


def test_only_what_does_not_run_is_started() -> None:
    machine = normal().machines[PUB]
    assert machine.start([ROUTER], 60) is False
    assert machine.stop([ROUTER], 61) is True
    assert machine.stop([ROUTER], 62) is False
    assert machine.services[ROUTER] == (False, 61)
    assert machine.start([ROUTER], 63) is True


def test_nobody_looks_while_the_observer_is_away() -> None:
    sim = normal()
    sim.pause_observer(30)
    # A shorter absence ends no longer one.
    sim.pause_observer(10)
    before = dict(sim.nodes)
    sim.stop_service(PUB, ROUTER)
    sim.run_for(29)
    assert sim.nodes == before
    sim.run_for(1)
    assert sim.nodes[PUB].stepped_at == 90
    assert not sim.nodes[PUB].services[1].up


def test_what_was_the_case_only_while_nobody_looked_is_never_seen() -> None:
    seen: list[bool | None] = []

    class Watching(Simulator):
        def tell(self, name: str, event: Event) -> None:
            if isinstance(event, Tick) and self.now >= self.paused_until:
                seen.extend(each.up for each in event.readings if each.name == ROUTER)
            super().tell(name, event)

    sim = Watching()
    sim.enable_ha()
    sim.run_until(60)
    sim.pause_observer(30)
    sim.stop_service(PUB, ROUTER)
    sim.run_for(10)
    sim.start_service(PUB, ROUTER)
    sim.run_for(50)
    assert set(seen) == {True}


def test_an_srm_that_started_in_an_absence_learns_the_record_of_its_end() -> None:
    sim = normal()
    sim.pause_observer(30)
    sim.start_srm(PUB)
    # The sessions were moved, and imp-sub has not heard of it either.
    sim.epoch, sim.holder = 1, SUB
    sim.run_for(30)
    assert sim.nodes[PUB].started_at == 90
    # So its own move is none of yesterday.
    assert sim.epoch == 2
    assert not sim.holder


def test_new_parameters_wake_who_sleeps() -> None:
    sim = normal(heartbeat_interval=300, heartbeat_timeout=600, initialization_timeout=600)
    sim.run_until(100)
    sim.set_policy(Policy())
    sim.run_for(0)
    assert sim.nodes[PUB].policy == Policy()
    assert sim.nodes[PUB].stepped_at == 100


def test_time_goes_on_to_the_next_thing_and_no_further_than_asked() -> None:
    sim = normal()
    due = min(node.next_heartbeat for node in sim.nodes.values())
    assert not sim.run_next(due - 1)
    assert sim.now == due - 1
    assert sim.run_next(due)
    assert sim.now == due
    assert not sim.run_next(due - 5) or sim.now == due
    sim.run_until(0)
    assert sim.now == due


def test_a_client_is_active_where_its_node_serves() -> None:
    sim = normal()
    assert (sim.active(PUB), sim.active(SUB)) == (300, 200)
    sim.fail_next_move = True
    sim.ask(PUB, Request.FAILOVER)
    sim.run_for(5)
    # In failed mode nobody is.
    assert (sim.active(PUB), sim.active(SUB)) == (0, 0)
    assert (sim.sessions(PUB), sim.sessions(SUB)) == (300, 200)


@pytest.mark.parametrize("ahead", [-0.30000099999999996, 0.1, 1 / 3, -1.0])
@pytest.mark.parametrize("began", [0.0, 1_800_000_000.0])
def test_a_clock_that_is_wrong_by_any_number_goes_on(ahead: float, began: float) -> None:
    """A node is never woken a rounding too early, which would have no end."""
    sim = Simulator()
    sim.now = began + 0.000999999999998
    sim.enable_ha()
    sim.ahead["imp-pub"] = ahead
    for _ in range(200):
        sim.run_for(29.7)
    assert sim.now == pytest.approx(began + 200 * 29.7, abs=1)
    for number in range(1000):
        shown = began + number * 15.001
        assert sim.when("imp-pub", shown) + ahead >= shown
