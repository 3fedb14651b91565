"""Virtual time, and the machines in it: power, SRM process and services of each node."""

import heapq
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from redundancy.srm.types import Reading

DATABASE = "A Cisco DB"
ROUTER = "Cisco XCP Router"
ENGINE = "Cisco Presence Engine"
MONITORED = (DATABASE, ROUTER, ENGINE)
REBOOT_SECONDS = 120.0


@dataclass
class SimulatedMachine:
    """The outer truth about one node, which its SRM can only observe.

    ``services``: each activated service → (runs, since). ``monitored``: those that SRM watches.
    ``in_router``: services that run only while the Cisco XCP Router runs. ``for_logins``: without one of
    these no client logs in; ``for_connections``: without one of these everybody is disconnected.
    ``features``: those that the Data Monitor holds back while database replication is not set up;
    ``starting``: those it does hold. ``boots_at``: when a
    restarting machine is back. ``srm_since``: when its SRM was started last. ``wake``: when SRM wants to look at the latest.
    """

    powered: bool = True
    srm_running: bool = True
    incarnation: int = 1
    srm_since: float = 0.0
    services: dict[str, tuple[bool, float]] = field(default_factory=dict)
    monitored: set[str] = field(default_factory=lambda: set(MONITORED))
    in_router: frozenset[str] = frozenset()
    for_logins: frozenset[str] = frozenset({ROUTER})
    for_connections: frozenset[str] = frozenset({ROUTER})
    features: frozenset[str] = frozenset()
    starting: set[str] = field(default_factory=set)
    replication_monitor: bool = True
    replicated: bool = True
    boots_at: float | None = None
    wake: float = float("inf")

    @property
    def steps(self) -> bool:
        """Return whether the node's SRM runs."""
        return self.powered and self.srm_running

    @property
    def holds_features(self) -> bool:
        """Return whether the Data Monitor lets no feature service start."""
        return self.replication_monitor and not self.replicated

    def readings(self) -> tuple[Reading, ...]:
        """Return what SRM sees of the services it watches."""
        return tuple(
            Reading(name, runs, since, database=name == DATABASE)
            for name, (runs, since) in self.services.items()
            if name in self.monitored
        )

    def runs_all(self, names: Iterable[str]) -> bool:
        """Return whether it has power and these services run."""
        return self.powered and all(self.running(name) for name in names)

    def running(self, name: str) -> bool:
        """Return whether the service is activated and runs."""
        return name in self.services and self.services[name][0]

    def start(self, names: Iterable[str], now: float) -> bool:
        """Start these services, if they are activated. Return whether anything changed."""
        return self._set(names, now, runs=True)

    def stop(self, names: Iterable[str], now: float) -> bool:
        """Stop these services, and with the Cisco XCP Router those in it."""
        wanted = set(names)
        return self._set(wanted | self.dependents(wanted), now, runs=False)

    def dependents(self, names: Iterable[str]) -> frozenset[str]:
        """Return the services that live in one of these."""
        return self.in_router if ROUTER in names else frozenset()

    def _set(self, names: Iterable[str], now: float, *, runs: bool) -> bool:
        changed = False
        held = self.features if self.holds_features and runs else frozenset()
        for name in set(names) & self.services.keys():
            runs_now, waits = self.services[name][0], name in self.starting
            hold = name in held and not runs_now
            if (runs_now, waits) == (runs and not hold, hold):
                continue
            (self.starting.add if hold else self.starting.discard)(name)
            self.services[name] = (runs and not hold, now)
            changed = True
        return changed


class Machines(ABC):
    """Machines by the name of their node, and the time that passes for them: seconds from 0."""

    def __init__(self, names: Iterable[str]) -> None:
        self.now = 0.0
        self.paused_until = 0.0
        self.machines = {
            name: SimulatedMachine(services=dict.fromkeys(MONITORED, (True, 0.0))) for name in names
        }
        # Seconds by which the clock of the process that steps a node is ahead of the true time.
        self.ahead = dict.fromkeys(self.machines, 0.0)
        self.fail_next_start: set[str] = set()
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []

    @abstractmethod
    def tick(self, name: str) -> None:
        """Let the SRM of ``name`` look at its services and its timers."""

    @abstractmethod
    def _changed(self, name: str) -> None:
        """Take notice that services or power of ``name`` have changed."""

    @abstractmethod
    def _srm_started(self, name: str) -> None:
        """Tell the SRM of ``name`` that it was started."""

    # --- time ----------------------------------------------------------------------------------

    def clock(self, name: str) -> float:
        """Return the time as the process that steps ``name`` has it, and stamps what SRM does."""
        return self.now + self.ahead[name]

    def when(self, name: str, shown: float) -> float:
        """Return the true time from which on the clock of ``name`` shows ``shown``."""
        at = shown - self.ahead[name]
        # Rounded down, it would be looked at again and again before its time has come.
        while at + self.ahead[name] < shown:
            at = math.nextafter(at, math.inf)
        return at

    def run_until(self, until: float) -> None:
        """Let virtual time pass up to and including ``until``."""
        while self.run_next(until):
            pass

    def run_next(self, until: float) -> bool:
        """Let the next thing happen, if it is due by ``until``; else let time pass until then.

        Return whether something happened.
        """
        due = self._next_due()
        if due is None or due > until:
            self.now = max(self.now, until)
            return False
        self.now = max(self.now, due)
        if self._queue and self._queue[0][0] <= self.now:
            heapq.heappop(self._queue)[2]()
        else:
            self._tick_due()
        return True

    def run_for(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass."""
        self.run_until(self.now + seconds)

    def _next_due(self) -> float | None:
        moments = [self._queue[0][0]] if self._queue else []
        moments += [max(m.wake, self.paused_until) for m in self.machines.values() if m.steps]
        return min(moments, default=None)

    def _tick_due(self) -> None:
        for name, machine in self.machines.items():
            if machine.steps and machine.wake <= self.now:
                self.tick(name)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), what))

    # --- services ------------------------------------------------------------------------------

    def deploy(
        self,
        name: str,
        services: Mapping[str, bool],
        *,
        in_router: frozenset[str],
        for_logins: frozenset[str] = frozenset({ROUTER}),
        for_connections: frozenset[str] = frozenset({ROUTER}),
        features: frozenset[str] = frozenset(),
    ) -> None:
        """Let ``name`` have these activated services; the value is whether SRM watches it."""
        machine = self.machines[name]
        machine.services = dict.fromkeys(services, (True, self.now))
        machine.monitored = {service for service, watched in services.items() if watched}
        machine.in_router = in_router
        machine.for_logins, machine.for_connections = for_logins, for_connections
        machine.features = features

    def activate(self, name: str, service: str, *, watched: bool) -> None:
        """Activate a service of ``name``, and start it if it can run."""
        machine = self.machines[name]
        if service not in machine.services:
            can_run = service not in machine.in_router or machine.running(ROUTER)
            machine.services[service] = (False, self.now)
            if machine.powered and can_run:
                machine.start({service}, self.now)
        if watched:
            machine.monitored.add(service)
        self._look_soon(name)

    def deactivate(self, name: str, service: str) -> None:
        """Deactivate a service of ``name``: it is gone, and nobody watches it."""
        machine = self.machines[name]
        machine.services.pop(service, None)
        machine.starting.discard(service)
        machine.monitored.discard(service)
        self._look_soon(name)

    def stop_service(self, name: str, service: str = ROUTER) -> None:
        """Stop a service of ``name``; the Cisco XCP Router takes those in it with it."""
        self._stop_services(name, {service}, self.now)

    def start_service(self, name: str, service: str = ROUTER) -> None:
        """Start a service of ``name``; does nothing when the node is off."""
        if self.machines[name].powered and self.machines[name].start({service}, self.now):
            self._look_soon(name)

    def restart_service(self, name: str, service: str = ROUTER) -> None:
        """Restart a service of ``name``, and those in it that run; no time passes."""
        machine = self.machines[name]
        wanted = [
            o for o in machine.dependents({service}) if machine.running(o) or o in machine.starting
        ]
        self.stop_service(name, service)
        for each in (service, *wanted):
            self.start_service(name, each)

    def _start_services(self, name: str) -> None:
        """Start what SRM watches, and what comes with the Cisco XCP Router."""
        if self._start_fails(name):
            return
        machine = self.machines[name]
        if machine.start(
            machine.monitored | machine.dependents(machine.monitored), self.clock(name)
        ):
            # The sweep sees a change of status at its next tick.
            self._look_soon(name)

    def _restart_services(self, name: str) -> None:
        """Restart what SRM watches but the database, and what runs in the Cisco XCP Router; no time passes.

        Where the router is stopped, all that is in it starts with it.
        """
        machine = self.machines[name]
        router = machine.running(ROUTER)
        inside = {s for s in machine.dependents(machine.monitored) if machine.running(s) is router}
        machine.stop(machine.monitored - {DATABASE}, self.clock(name))
        if not self._start_fails(name):
            machine.start(machine.monitored | inside, self.clock(name))
        self._look_soon(name)

    def _start_again(self, name: str, services: Iterable[str]) -> None:
        """Start services that SRM had stopped, and those that stopped with the Cisco XCP Router."""
        machine = self.machines[name]
        wanted = {service for service in services if not machine.running(service)}
        if not machine.powered or not wanted or self._start_fails(name):
            return
        # What took its status at the very moment the router did, went down with it.
        router = machine.services.get(ROUTER)
        with_it = {s for s in machine.dependents(wanted) if machine.services.get(s) == router}
        machine.start(wanted | with_it, self.clock(name))
        self._look_soon(name)

    def _start_fails(self, name: str) -> bool:
        """Return whether the start of services under way shall fail; the fault is used up by it."""
        fails = name in self.fail_next_start
        self.fail_next_start.discard(name)
        return fails

    def _stop_services(self, name: str, services: set[str], at: float) -> None:
        if self.machines[name].stop(services, at):
            self._look_soon(name)

    def _look_soon(self, name: str) -> None:
        self._changed(name)
        self._later(0, lambda: self._look(name))

    def _look(self, name: str) -> None:
        if self.machines[name].steps:
            self.tick(name)

    # --- database replication ----------------------------------------------------------------

    @property
    def unreplicated(self) -> set[str]:
        """The nodes whose database replication is not set up."""
        return {name for name, machine in self.machines.items() if not machine.replicated}

    @unreplicated.setter
    def unreplicated(self, names: set[str]) -> None:
        for name, machine in self.machines.items():
            machine.replicated = name not in names
            self._start_held(name)

    def set_monitor(self, name: str, *, on: bool) -> None:
        """Let the Data Monitor of ``name`` wait for database replication, or not."""
        self.machines[name].replication_monitor = on
        self._start_held(name)

    def _start_held(self, name: str) -> None:
        machine = self.machines[name]
        if not machine.holds_features and machine.start(set(machine.starting), self.now):
            self._look_soon(name)

    # --- power ---------------------------------------------------------------------------------

    def power_off(self, name: str) -> None:
        """Cut the power of ``name``."""
        machine = self.machines[name]
        machine.powered = machine.srm_running = False
        machine.boots_at = None
        machine.stop(machine.services, self.now)
        self._changed(name)

    def _go_down(self, name: str, *, reboot: bool) -> None:
        self.power_off(name)
        if reboot:
            back = self.machines[name].boots_at = self.now + REBOOT_SECONDS
            self._later(REBOOT_SECONDS, lambda: self._boot(name, back))

    def _boot(self, name: str, at: float) -> None:
        # Somebody at the power button may have been faster.
        if self.machines[name].boots_at == at:
            self.power_on(name)

    def power_on(self, name: str) -> None:
        """Switch ``name`` on; its services and its SRM start."""
        machine = self.machines[name]
        if machine.powered:
            return
        machine.powered = True
        machine.boots_at = None
        machine.start(machine.services, self.now)
        self._changed(name)
        self.start_srm(name)

    def stop_srm(self, name: str) -> None:
        """Stop the SRM of ``name``, and nothing else."""
        self.machines[name].srm_running = False

    def start_srm(self, name: str) -> None:
        """Start, or restart, the SRM of ``name``."""
        machine = self.machines[name]
        if not machine.powered:
            return
        machine.srm_running = True
        machine.incarnation += 1
        machine.srm_since = self.now
        machine.wake = self.now
        self._srm_started(name)
