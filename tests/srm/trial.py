"""A pair on trial: everything that can be done to it, and what must never happen.

Hypothesis looks for the shortest course of events that breaks a pair (``test_machine``), the soak
for any in a million steps (``soak``); both play the deeds of this module, and it judges.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from redundancy.srm.simulator import MONITORED, NODES
from redundancy.srm.states import FAILED_OVER_STATES, TRANSITIONS, State
from redundancy.srm.types import Policy, Request
from tests.srm.watched import ASTRAY, SERVING, Breach, Watched, running

# When every fault is over, a pair is at rest within: the initialization timeout, the delay of a
# service, a fallback nobody answers, and a few intervals.
REST_SECONDS = 120 + 90 + 60 + 10 * 15


class Trial:
    """A pair with HA enabled, what was done to it, and the judge.

    Args:
        automatic: Whether automatic fallback is enabled.
        timeout: The heartbeat timeout in seconds.
        seed: Of the heartbeat losses.
        repeat: Whether every heartbeat and every move happens twice (I11).
        apart: Seconds between two deeds; 0 lets them happen at the same moment.
        began: The time on the pair's clock when HA is enabled; each pair has a clock of its own.
    """

    def __init__(
        self,
        *,
        automatic: bool,
        timeout: int,
        seed: int,
        repeat: bool,
        apart: float,
        began: float = 0.0,
    ) -> None:
        self.sim = Watched(Policy(automatic_fallback=automatic, heartbeat_timeout=timeout), seed)
        self.sim.now = self._drifted_at = self.began = began
        # Seconds that the clock of each node gains in a second.
        self.drift = dict.fromkeys(NODES, 0.0)
        self.sim.repeat = repeat
        self.apart = apart
        self.sim.enable_ha()
        self._epoch = 0
        self._checked = 0

    def do(self, deed: "Deed", values: Mapping[str, Any]) -> None:
        """Do it, and judge what came of it.

        Raises:
            Breach: An invariant does not hold.
        """
        deed.act(self, **values)
        self.sim.now += self.apart
        self._let_clocks_drift()
        self.check()

    def _let_clocks_drift(self) -> None:
        """Let the clocks go on in their own way, until somebody (NTP) holds them near the true time."""
        passed, self._drifted_at = self.sim.now - self._drifted_at, self.sim.now
        for name, drift in self.drift.items():
            ahead = self.sim.ahead[name] + drift * passed
            self.sim.ahead[name] = min(ASTRAY, max(-ASTRAY, ahead))

    def check(self) -> None:
        """Judge the pair as it is now, and its history since the last time."""
        sim = self.sim
        self.expect(sum(sim.sessions(name) for name in NODES) == 500, "I1, I2", "sessions")
        self.expect(sim.epoch >= self._epoch, "I3", "the epoch fell")
        self._epoch = sim.epoch
        ahead = any(node.epoch > sim.epoch for node in sim.nodes.values())
        self.expect(not ahead, "I3", "a node knows an epoch that never was")
        self._check_history()
        if not sim.ha_enabled:
            off = {sim.state(name)[0] for name in NODES} == {State.UNKNOWN}
            home = sim.location == {name: name for name in NODES}
            self.expect(off and home, "I8", "HA is off")

    def _check_history(self) -> None:
        """I6: exactly one event for each change, with its cause; folded, they give the state."""
        new = self.sim.history[self._checked :]
        self._checked = len(self.sim.history)
        for name in NODES:
            mine = [entry.change for entry in new if entry.node == name]
            for before, after in itertools.pairwise(mine):
                left = (before.new_state, before.new_reason)
                self.expect(left == (after.old_state, after.old_reason), "I6", "history has a gap")
            if mine:
                last = (mine[-1].new_state, mine[-1].new_reason)
                self.expect(last == self.sim.state(name), "I6", "history ends in another state")
            self.expect(all(change.sentence for change in mine), "I6", "a change without a cause")

    def expect(self, holds: bool, invariant: str, what: str) -> None:
        """Raise a breach of the invariant unless it holds."""
        if not holds:
            raise Breach(f"{invariant}: {what}; {self.situation()}")

    def situation(self) -> str:
        """Return where the pair is."""
        sim = self.sim
        nodes = ", ".join(
            f"{name} {' / '.join(sim.state(name))} with {sim.sessions(name)} sessions"
            for name in NODES
        )
        return f"at {sim.now:.3f} s {nodes}"

    # --- deeds that are more than a call of the simulator --------------------------------------

    def disable(self) -> None:
        """What SRM stopped runs again, and nothing else."""
        sim = self.sim
        before = {name: running(sim, name) for name in NODES}
        failing = set(sim.fail_next_start)
        enabled = sim.ha_enabled
        sim.disable_ha()
        for name in NODES:
            if not (enabled and sim.machines[name].powered):
                continue
            if name in failing:
                sim.stopped[name].clear()
                continue
            left = sim.stopped[name] - running(sim, name)
            self.expect(not left, "disabling", f"stopped by SRM on {name}: {left}")
            sim.stopped[name].clear()
            started = running(sim, name) - before[name] - sim.ever_stopped[name]
            # At one and the same moment nobody can tell who stopped it.
            self.expect(not (started and self.apart), "disabling", f"{name} starts {started}")

    def pause_alone(self, seconds: float) -> None:
        """I7: an outage of the observer alone changes nothing."""
        self.repair()
        before = {name: self.sim.state(name) for name in NODES}
        if any(state in FAILED_OVER_STATES for state, _ in before.values()):
            # A wait for automatic fallback may end in between.
            return
        self.sim.pause_observer(seconds)
        self.sim.run_for(seconds + 200)
        after = {name: self.sim.state(name) for name in NODES}
        self.expect(after == before, "I7", f"a pause of {seconds} s, before it {before}")

    def one_is_left(self, name: str) -> None:
        """I4: with its peer dead, a node in backup mode has all sessions, or knows it has not."""
        self.repair()
        self.sim.power_off(name)
        self.sim.run_for(REST_SECONDS)
        left = self.sim.nodes[name].peer_name
        node = self.sim.nodes[left]
        if node.state in {State.BACKUP, State.BACKUP_ACTIVATED}:
            self.expect(node.holds and self.sim.sessions(left) == 500, "I4", f"{left} is left")
        elif self.sim.ha_enabled:
            stuck = {State.FAILED, State.IDLE, State.FAILED_OVER_DOWN}
            self.expect(node.state in stuck, "I4", f"{left} is left")

    def faults_end(self) -> None:
        """I10: when all is repaired the pair finds rest, and a way back to Normal."""
        self.repair()
        states = self.states()
        if not self.sim.ha_enabled:
            return
        self.expect(not set(states.values()) & TRANSITIONS, "I10", "no rest")
        self._check_rest(states)
        for _ in range(3):
            if set(states.values()) == {State.NORMAL}:
                break
            self._mend(states)
            states = self.states()
        normal = set(states.values()) == {State.NORMAL}
        home = {name: self.sim.sessions(name) for name in NODES} == self.sim.users
        self.expect(normal and home, "I10", "no way back")

    def states(self) -> dict[str, State]:
        """Return the state of each node."""
        return {name: self.sim.state(name)[0] for name in NODES}

    def repair(self) -> None:
        """End every fault, and wait until the pair has found rest."""
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
                self._start_services(name)
        sim.run_for(REST_SECONDS)

    def _check_rest(self, states: dict[str, State]) -> None:
        """At rest each session is on a node that serves (I4)."""
        if State.FAILED in states.values():
            self.expect(set(states.values()) == {State.FAILED}, "I10", "one alone in failed mode")
            return
        for name in NODES:
            serves = not self.sim.sessions(name) or states[name] in SERVING
            self.expect(serves, "I4", f"sessions on {name}, which does not serve")

    def _mend(self, states: dict[str, State]) -> None:
        """Do what the page would offer."""
        if set(states.values()) == {State.FAILED}:
            self.sim.recover()
        for name, state in states.items():
            if state in FAILED_OVER_STATES:
                self._start_services(name)
                self.sim.run_for(1)
                self.sim.ask(name, Request.FALLBACK)
        self.sim.run_for(REST_SECONDS)

    def _start_services(self, name: str) -> None:
        for service in MONITORED:
            self.sim.start_service(name, service)

    def set_parameters(self, *, automatic: bool, timeout: int) -> None:
        """Change parameters while whatever timers run."""
        self.sim.set_policy(
            replace(self.sim.policy, automatic_fallback=automatic, heartbeat_timeout=timeout)
        )

    def cut(self, *, both: bool) -> None:
        """Cut the link, both ways or one."""
        a, b = NODES
        self.sim.cut = {(a, b), (b, a)} if both else {(a, b)}

    def spoil_link(self, *, loss: float, delay: float) -> None:
        """Let heartbeats be lost, and late."""
        self.sim.loss, self.sim.delay = loss, delay

    def slow_moves(self, *, moving: float, telling: float) -> None:
        """Let moves, and the news of them, take so many seconds."""
        self.sim.move_delay, self.sim.tell_delay = moving, telling

    def fail_next_move(self) -> None:
        """Let the next move fail."""
        self.sim.fail_next_move = True

    def set_clock(self, name: str, *, ahead: float, drift: float) -> None:
        """Let the clock of a node be ahead, or behind, and drift from there."""
        self.sim.ahead[name], self.drift[name] = ahead, drift
        self.sim.skewed = True

    def restore(self) -> None:
        """Let heartbeats pass again."""
        self.sim.cut = set()


def _always(_trial: Trial) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be done to a pair, with the values to choose from for each argument.

    ``weight``: how often the soak does it. ``fits``: whether it makes sense now.
    """

    name: str
    act: Callable[..., object]
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    weight: int = 2
    fits: Callable[[Trial], bool] = _always


# What a trial begins with.
BEGINNINGS: Mapping[str, tuple[Any, ...]] = {
    "automatic": (False, True),
    "timeout": (30, 60, 90),
    "seed": tuple(range(1000)),
    "repeat": (False, True),
    "apart": (0.0, 0.001),
    # As a program that counts from 0 has it, and as clocks show it in our days.
    "began": (0.0, 1_800_000_000.0),
}

ONE = {"name": NODES}

PAUSES = (10, 60, 300, 3600)

DEEDS: tuple[Deed, ...] = (
    Deed(
        "wait",
        lambda trial, seconds: trial.sim.run_for(seconds),
        {"seconds": (0, 1, 14, 15, 16, 45, 59, 60, 61, 89, 90, 91, 121, 600, 1799, 1900)},
        weight=16,
    ),
    Deed(
        "stop_service",
        lambda trial, name, service: trial.sim.stop_service(name, service),
        ONE | {"service": MONITORED},
    ),
    Deed(
        "start_service",
        lambda trial, name, service: trial.sim.start_service(name, service),
        ONE | {"service": MONITORED},
    ),
    Deed("power_off", lambda trial, name: trial.sim.power_off(name), ONE),
    Deed(
        "shut_down",
        lambda trial, name, reboot: trial.sim.shut_down(name, reboot=reboot),
        ONE | {"reboot": (False, True)},
    ),
    Deed("power_on", lambda trial, name: trial.sim.power_on(name), ONE),
    Deed("stop_srm", lambda trial, name: trial.sim.stop_srm(name), ONE),
    Deed("start_srm", lambda trial, name: trial.sim.start_srm(name), ONE),
    Deed("cut", Trial.cut, {"both": (False, True)}),
    Deed("restore", Trial.restore),
    Deed("spoil_link", Trial.spoil_link, {"loss": (0, 0.3, 0.7), "delay": (0, 1, 20)}),
    Deed(
        "ask",
        lambda trial, name, request: trial.sim.ask(name, request),
        ONE | {"request": tuple(Request)},
        weight=6,
    ),
    Deed("recover", lambda trial: trial.sim.recover()),
    Deed("fail_next_move", Trial.fail_next_move),
    Deed("fail_next_start", lambda trial, name: trial.sim.fail_next_start.add(name), ONE),
    Deed("pause", lambda trial, seconds: trial.sim.pause_observer(seconds), {"seconds": PAUSES}),
    Deed("slow_moves", Trial.slow_moves, {"moving": (0, 5, 40), "telling": (0, 5, 70)}),
    Deed(
        "set_parameters",
        Trial.set_parameters,
        {"automatic": (False, True), "timeout": (30, 60, 90)},
    ),
    Deed(
        "set_clock",
        Trial.set_clock,
        ONE | {"ahead": (-ASTRAY, -0.3, 0.0, 0.3, ASTRAY), "drift": (0.0, 50e-6, -1e-3, 1e-3)},
    ),
    Deed("pause_alone", Trial.pause_alone, {"seconds": PAUSES}, weight=1),
    Deed("one_is_left", Trial.one_is_left, ONE, weight=1),
    Deed("disable", Trial.disable),
    Deed("enable", lambda trial: trial.sim.enable_ha(), fits=lambda t: not t.sim.ha_enabled),
    Deed(
        "faults_end",
        Trial.faults_end,
        weight=1,
        fits=lambda trial: trial.sim.now - trial.began < 200_000,
    ),
)
