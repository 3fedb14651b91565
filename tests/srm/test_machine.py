"""Random faults at a pair: the invariants hold after every step, and the pair finds rest."""

import itertools

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from redundancy.srm.simulator import MONITORED, NODES, Simulator
from redundancy.srm.states import NOT_SERVING, SERVING_FOR_PEER, TRANSITIONS, Reason, State
from redundancy.srm.types import Action, Policy, Request, StateChanged

node = st.sampled_from(NODES)
service = st.sampled_from(MONITORED)
SERVING = SERVING_FOR_PEER | {State.NORMAL}
# When every fault is over, a pair is at rest within: the initialization timeout, the delay of a
# service, a fallback nobody answers, and a few intervals.
REST_SECONDS = 120 + 90 + 60 + 10 * 15


class Watched(Simulator):
    """A pair whose automatic fallbacks are checked as they begin, against the outer truth (I5)."""

    def __init__(self, policy: Policy, seed: int) -> None:
        super().__init__(policy, users={NODES[0]: 300, NODES[1]: 200}, seed=seed)
        self.failed_over_at = dict.fromkeys(NODES, 0.0)
        self.unseen: list[tuple[float, float]] = []

    def pause_observer(self, seconds: float) -> None:
        self.unseen.append((max(self.now, self.paused_until), self.now + seconds))
        super().pause_observer(seconds)

    def _carry_out(self, name: str, action: Action) -> None:
        if isinstance(action, StateChanged):
            if (
                action.new_reason is Reason.AUTOMATIC_FALLBACK
                and action.new_state is State.TAKING_BACK
            ):
                self.check_wait(name, action)
            if action.new_state in NOT_SERVING and action.old_state not in NOT_SERVING:
                self.failed_over_at[name] = self.now
        super()._carry_out(name, action)

    def check_wait(self, name: str, change: StateChanged) -> None:
        machine = self.machines[name]
        assert self.policy.automatic_fallback
        assert change.old_state in {State.FAILED_OVER, State.AFFECTED}
        assert all(runs for runs, _ in machine.services.values())
        started = [since for _, since in machine.services.values()]
        began = max(*started, machine.srm_since, self.failed_over_at[name])
        seen = self.now - began
        for since, until in self.unseen:
            # A gap may count as one interval.
            gap = min(until, self.now) - max(since, began)
            seen -= max(0.0, gap - self.policy.heartbeat_interval)
        assert seen >= 1800 - 1e-6, (seen, self.now, began)


class Pair(RuleBasedStateMachine):
    """A pair, everything that can be done to it, and what must never happen."""

    @initialize(
        automatic=st.booleans(),
        timeout=st.sampled_from([30, 60, 90]),
        seed=st.integers(0, 1000),
        repeat=st.booleans(),
    )
    def start(self, automatic: bool, timeout: int, seed: int, repeat: bool) -> None:
        policy = Policy(automatic_fallback=automatic, heartbeat_timeout=timeout)
        self.sim = Watched(policy, seed)
        # I11: every heartbeat may arrive twice.
        self.sim.repeat = repeat
        self.sim.enable_ha()
        self.epoch = 0
        self.checked = 0

    @rule(
        seconds=st.sampled_from(
            [0, 1, 14, 15, 16, 45, 59, 60, 61, 89, 90, 91, 121, 600, 1799, 1900]
        )
    )
    def wait(self, seconds: int) -> None:
        self.sim.run_for(seconds)

    @rule(name=node, which=service)
    def stop_service(self, name: str, which: str) -> None:
        self.sim.stop_service(name, which)

    @rule(name=node, which=service)
    def start_service(self, name: str, which: str) -> None:
        self.sim.start_service(name, which)

    @rule(name=node)
    def power_off(self, name: str) -> None:
        self.sim.power_off(name)

    @rule(name=node, reboot=st.booleans())
    def shut_down(self, name: str, reboot: bool) -> None:
        self.sim.shut_down(name, reboot=reboot)

    @rule(name=node)
    def power_on(self, name: str) -> None:
        self.sim.power_on(name)

    @rule(name=node)
    def stop_srm(self, name: str) -> None:
        self.sim.stop_srm(name)

    @rule(name=node)
    def start_srm(self, name: str) -> None:
        self.sim.start_srm(name)

    @rule(both=st.booleans())
    def cut(self, both: bool) -> None:
        a, b = NODES
        self.sim.cut = {(a, b), (b, a)} if both else {(a, b)}

    @rule()
    def restore(self) -> None:
        self.sim.cut = set()

    @rule(loss=st.sampled_from([0, 0.3, 0.7]), delay=st.sampled_from([0, 1, 20]))
    def spoil_link(self, loss: float, delay: float) -> None:
        self.sim.loss, self.sim.delay = loss, delay

    @rule(name=node, request=st.sampled_from(list(Request)))
    def ask(self, name: str, request: Request) -> None:
        self.sim.ask(name, request)

    @rule()
    def recover(self) -> None:
        self.sim.recover()

    @rule()
    def fail_next_move(self) -> None:
        self.sim.fail_next_move = True

    @rule(name=node)
    def fail_next_start(self, name: str) -> None:
        self.sim.fail_next_start.add(name)

    @rule(seconds=st.sampled_from([10, 60, 300, 3600]))
    def pause(self, seconds: int) -> None:
        self.sim.pause_observer(seconds)

    @rule(moving=st.sampled_from([0, 5, 40]), telling=st.sampled_from([0, 5, 70]))
    def slow_moves(self, moving: float, telling: float) -> None:
        self.sim.move_delay, self.sim.tell_delay = moving, telling

    @rule(seconds=st.sampled_from([10, 60, 300, 3600]))
    def pause_alone(self, seconds: int) -> None:
        """I7: an outage of the observer alone changes nothing."""
        self.repair()
        before = {name: self.sim.state(name) for name in NODES}
        if any(state in NOT_SERVING for state, _ in before.values()):
            # A wait for automatic fallback may end in between.
            return
        self.sim.pause_observer(seconds)
        self.sim.run_for(seconds + 200)
        assert {name: self.sim.state(name) for name in NODES} == before, self.tail()

    @rule(name=node)
    def one_is_left(self, name: str) -> None:
        """I4: with its peer dead, a node in backup mode has all sessions, or knows it has not."""
        self.repair()
        self.sim.power_off(name)
        self.sim.run_for(REST_SECONDS)
        left = self.sim.nodes[name].peer_name
        state = self.sim.nodes[left]
        if state.state in {State.BACKUP, State.BACKUP_ACTIVATED}:
            assert state.holds, self.tail()
            assert self.sim.sessions(left) == 500, self.tail()
        elif self.sim.ha_enabled:
            assert state.state in {State.FAILED, State.IDLE, State.FAILED_OVER_DOWN}, self.tail()

    @rule()
    def disable(self) -> None:
        self.sim.disable_ha()

    @precondition(lambda self: not self.sim.ha_enabled)
    @rule()
    def enable(self) -> None:
        self.sim.enable_ha()

    @precondition(lambda self: self.sim.now < 200_000)
    @rule()
    def faults_end(self) -> None:
        """I10: when all is repaired the pair finds rest, and a way back to Normal."""
        self.repair()
        states = {name: self.sim.state(name)[0] for name in NODES}
        if not self.sim.ha_enabled:
            assert set(states.values()) == {State.UNKNOWN}
            return
        assert not set(states.values()) & TRANSITIONS, (states, self.tail())
        self.check_rest(states)
        for _ in range(3):
            if set(states.values()) == {State.NORMAL}:
                break
            self.mend(states)
            states = {name: self.sim.state(name)[0] for name in NODES}
        assert set(states.values()) == {State.NORMAL}, (states, self.tail())
        assert {name: self.sim.sessions(name) for name in NODES} == self.sim.users

    def repair(self) -> None:
        sim = self.sim
        sim.cut, sim.loss, sim.delay = set(), 0, 0
        sim.fail_next_move = False
        sim.move_delay = sim.tell_delay = 0
        sim.fail_next_start.clear()
        sim.run_until(max(sim.now, sim.paused_until))
        sim.run_for(130)
        for name in NODES:
            sim.power_on(name)
            if not sim.machines[name].srm_running:
                sim.start_srm(name)
            if sim.state(name)[0] is not State.IDLE:
                for which in MONITORED:
                    sim.start_service(name, which)
        sim.run_for(REST_SECONDS)

    def check_rest(self, states: dict[str, State]) -> None:
        """At rest each session is on a node that serves (I4)."""
        if State.FAILED in states.values():
            assert set(states.values()) == {State.FAILED}, (states, self.tail())
            return
        for name in NODES:
            if self.sim.sessions(name):
                assert states[name] in SERVING, (states, self.sim.location, self.tail())

    def mend(self, states: dict[str, State]) -> None:
        """Do what the page would offer."""
        if set(states.values()) == {State.FAILED}:
            self.sim.recover()
        for name, state in states.items():
            if state in NOT_SERVING:
                for which in MONITORED:
                    self.sim.start_service(name, which)
                self.sim.run_for(1)
                self.sim.ask(name, Request.FALLBACK)
        self.sim.run_for(REST_SECONDS)

    def tail(self) -> list[str]:
        return [
            f"{e.at:.0f} {e.node} {e.change.new_state}/{e.change.new_reason}: {e.change.sentence}"
            for e in self.sim.history[-12:]
        ]

    @invariant()
    def sessions_are_conserved_each_on_one_node(self) -> None:
        """I1, I2."""
        assert sum(self.sim.sessions(name) for name in NODES) == 500

    @invariant()
    def epoch_only_rises(self) -> None:
        """I3, and a node never knows more than the group."""
        assert self.sim.epoch >= self.epoch
        self.epoch = self.sim.epoch
        assert all(n.epoch <= self.sim.epoch for n in self.sim.nodes.values())

    @invariant()
    def history_folds_to_the_state(self) -> None:
        """I6: exactly one event for each change, with its cause."""
        new = self.sim.history[self.checked :]
        for name in NODES:
            mine = [entry.change for entry in new if entry.node == name]
            for before, after in itertools.pairwise(mine):
                assert (before.new_state, before.new_reason) == (after.old_state, after.old_reason)
            if mine:
                assert (mine[-1].new_state, mine[-1].new_reason) == self.sim.state(name)
            assert all(change.sentence for change in mine)
        self.checked = len(self.sim.history)

    @invariant()
    def off_means_no_automatic_action(self) -> None:
        """I8."""
        if not self.sim.ha_enabled:
            assert {self.sim.state(name)[0] for name in NODES} == {State.UNKNOWN}
            assert self.sim.location == {name: name for name in NODES}


Pair.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestPair = Pair.TestCase
