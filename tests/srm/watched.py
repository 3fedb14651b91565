"""A simulated pair that is judged after each of its steps."""

from redundancy.srm.simulator import DATABASE, NODES, ROUTER, Simulator
from redundancy.srm.states import FAILED_OVER_STATES, SERVING_FOR_PEER, Reason, State
from redundancy.srm.types import (
    Action,
    MoveSessions,
    Policy,
    RestartServices,
    StateChanged,
    StopServices,
)

USERS = dict(zip(NODES, (300, 200), strict=True))
SERVING = SERVING_FOR_PEER | {State.NORMAL}
# Seconds by which the clock of a node may be wrong, either way; `redundancy.clock` sees to more.
ASTRAY = 1.0
# Seconds between two looks of SRM at its services.
TICK = 1.0


class Breach(AssertionError):
    """Something happened that must never happen. The message begins with the invariant's number."""


class Watched(Simulator):
    """A pair whose actions are checked against the outer truth as they are carried out."""

    def __init__(self, policy: Policy, seed: int) -> None:
        super().__init__(policy, users=USERS, seed=seed)
        self.failed_over_at = dict.fromkeys(NODES, 0.0)
        self.unseen: list[tuple[float, float]] = []
        # Services that are down because SRM stopped them; those that it ever stopped.
        self.stopped: dict[str, set[str]] = {name: set() for name in NODES}
        self.taking_back_at: dict[str, float] = {}
        self.ever_stopped: dict[str, set[str]] = {name: set() for name in NODES}
        # Whether a clock was ever wrong: what a node measures may then be wrong by as much, twice.
        self.skewed = False

    def pause_observer(self, seconds: float) -> None:
        self.unseen.append((max(self.now, self.paused_until), self.now + seconds))
        super().pause_observer(seconds)

    def stop_service(self, name: str, service: str = ROUTER) -> None:
        if self.machines[name].running(service):
            # SRM, or somebody else, has started it since.
            self.stopped[name].discard(service)
        super().stop_service(name, service)

    def start_service(self, name: str, service: str = ROUTER) -> None:
        self.stopped[name].discard(service)
        super().start_service(name, service)

    def power_on(self, name: str) -> None:
        self.stopped[name].clear()
        super().power_on(name)

    def _carry_out(self, name: str, action: Action) -> None:
        if isinstance(action, StateChanged):
            if (
                action.new_reason is Reason.AUTOMATIC_FALLBACK
                and action.new_state is State.TAKING_BACK
            ):
                self.check_wait(name, action)
            if (
                action.new_state in FAILED_OVER_STATES
                and action.old_state not in FAILED_OVER_STATES
            ):
                self.failed_over_at[name] = self.now
            self.check_restart(name, action)
        ran = running(self, name)
        if isinstance(action, StopServices):
            self.ever_stopped[name] |= self._just_stopped(name)
        super()._carry_out(name, action)
        if isinstance(action, StopServices | RestartServices):
            self.stopped[name] |= ran - running(self, name)
            self.ever_stopped[name] |= self.stopped[name]
        if isinstance(action, RestartServices):
            # Until SRM looks again, one that is stopped by hand looks like one that did not start.
            self.ever_stopped[name] |= ran - {DATABASE}
            # One that was stopped by hand since SRM looked last counts to it as stopped by the restart.
            self.ever_stopped[name] |= self._stopped_within(name, TICK) & {
                *self.nodes[name].stopped
            }
        if isinstance(action, MoveSessions) and self.repeat:
            # I11: a move may be carried out twice, as a task that is delivered twice.
            super()._carry_out(name, action)

    def _just_stopped(self, name: str) -> set[str]:
        """Return what was stopped by hand so shortly before SRM's order that by its clock it came after."""
        return self._stopped_within(name, ASTRAY) if self.skewed else set()

    def _stopped_within(self, name: str, seconds: float) -> set[str]:
        """Return the services, but the database, that were stopped in the last seconds."""
        return {
            service
            for service, (runs, since) in self.machines[name].services.items()
            if not runs and self.now - since <= seconds and service != DATABASE
        }

    def check_restart(self, name: str, change: StateChanged) -> None:
        """A fallback that ends well has restarted the critical services of its node."""
        if change.new_state is State.TAKING_BACK:
            # SRM stamps what it starts by its own clock, whoever starts one by hand by the true one.
            self.taking_back_at[name] = min(self.now, self.clock(name))
        if change.old_state is not State.TAKING_BACK or change.new_state is not State.NORMAL:
            return
        machine = self.machines[name]
        old = {
            service
            for service in machine.monitored - {DATABASE}
            if machine.services[service][1] < self.taking_back_at[name]
        }
        # One whose SRM was started meanwhile goes on with what its peer gives back.
        if old and change.old_reason is not Reason.INITIALIZATION:
            raise Breach(f"fallback: {old} on {name} were not restarted")

    def check_wait(self, name: str, change: StateChanged) -> None:
        """I5: the thirty minutes were unbroken, and somebody looked."""
        machine = self.machines[name]
        started = [since for _, since in machine.services.values()]
        began = max(*started, machine.srm_since, self.failed_over_at[name])
        seen = self.now - began
        for since, until in self.unseen:
            # A gap may count as one interval.
            gap = min(until, self.now) - max(since, began)
            seen -= max(0.0, gap - self.policy.heartbeat_interval)
        if (
            not self.policy.automatic_fallback
            or change.old_state not in {State.FAILED_OVER, State.AFFECTED}
            or not all(runs for runs, _ in machine.services.values())
            or seen < self.policy.fallback_after - (2 * ASTRAY if self.skewed else 0) - 1e-6
        ):
            raise Breach(f"I5: {name} falls back by itself after {seen:.3f} s")


def running(pair: Simulator, name: str) -> set[str]:
    """Return the services of a node that run."""
    return {service for service, (runs, _) in pair.machines[name].services.items() if runs}
