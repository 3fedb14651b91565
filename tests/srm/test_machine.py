"""Random faults at a pair: the invariants hold after every step, and the pair finds rest."""

import itertools

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from redundancy.srm.simulator import MONITORED, NODES, Simulator
from redundancy.srm.states import NOT_SERVING, SERVING_FOR_PEER, TRANSITIONS, Reason, State
from redundancy.srm.types import Policy, Request

node = st.sampled_from(NODES)
service = st.sampled_from(MONITORED)
SERVING = SERVING_FOR_PEER | {State.NORMAL}
# When every fault is over, a pair is at rest within: the initialization timeout, the delay of a
# service, a fallback nobody answers, and a few intervals.
REST_SECONDS = 120 + 90 + 60 + 10 * 15


class Pair(RuleBasedStateMachine):
    """A pair, everything that can be done to it, and what must never happen."""

    @initialize(
        automatic=st.booleans(),
        timeout=st.sampled_from([30, 60, 90]),
        seed=st.integers(0, 1000),
        repeat=st.booleans(),
    )
    def start(self, automatic: bool, timeout: int, seed: int, repeat: bool) -> None:
        self.sim = Simulator(
            Policy(automatic_fallback=automatic, heartbeat_timeout=timeout),
            users={NODES[0]: 300, NODES[1]: 200},
            seed=seed,
        )
        # I11: every heartbeat may arrive twice.
        self.sim.repeat = repeat
        self.sim.enable_ha()
        self.epoch = 0
        self.checked = 0
        self.healthy_since = dict.fromkeys(NODES, 0.0)

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

    @invariant()
    def automatic_fallback_waits_thirty_minutes(self) -> None:
        """I5, against the outer truth: services and SRM up, unbroken, as the simulator knows it."""
        for entry in self.sim.history[self.checked :]:
            change = entry.change
            if (
                change.new_reason is Reason.AUTOMATIC_FALLBACK
                and change.new_state is State.TAKING_BACK
            ):
                machine = self.sim.machines[entry.node]
                since = [at for _, at in machine.services.values()]
                if all(runs for runs, _ in machine.services.values()) and max(since) <= entry.at:
                    assert entry.at - max(since) >= 1800
                assert self.sim.policy.automatic_fallback
                assert change.old_state in {State.FAILED_OVER, State.AFFECTED}
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
