"""Virtual time, and the machines in it: power, SRM process and services of each node."""

import heapq
import itertools
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
    ``in_router``: services that run only while the Cisco XCP Router runs. ``boots_at``: when a
    restarting machine is back. ``srm_since``: when its SRM was started last. ``wake``: when SRM wants to look at the latest.
    """

    powered: bool = True
    srm_running: bool = True
    incarnation: int = 1
    srm_since: float = 0.0
    services: dict[str, tuple[bool, float]] = field(default_factory=dict)
    monitored: set[str] = field(default_factory=lambda: set(MONITORED))
    in_router: frozenset[str] = frozenset()
    boots_at: float | None = None
    wake: float = float("inf")

    @property
    def steps(self) -> bool:
        """Return whether the node's SRM runs."""
        return self.powered and self.srm_running

    def readings(self) -> tuple[Reading, ...]:
        """Return what SRM sees of the services it watches."""
        return tuple(
            Reading(name, runs, since, database=name == DATABASE)
            for name, (runs, since) in self.services.items()
            if name in self.monitored
        )

    def running(self, name: str) -> bool:
        """Return whether the service is activated and runs."""
        return self.services.get(name, (False, 0.0))[0]

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
        for name in set(names) & self.services.keys():
            if self.services[name][0] is not runs:
                self.services[name] = (runs, now)
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
        self.fail_next_start: set[str] = set()
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []

    @abstractmethod
    def tick(self, name: str) -> None:
        """Let the SRM of ``name`` look at its services and its timers."""

    @abstractmethod
    def _srm_started(self, name: str) -> None:
        """Tell the SRM of ``name`` that it was started."""

    # --- time ----------------------------------------------------------------------------------

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

    def deploy(self, name: str, services: Mapping[str, bool], in_router: frozenset[str]) -> None:
        """Let ``name`` have these activated services; the value is whether SRM watches it."""
        machine = self.machines[name]
        machine.services = dict.fromkeys(services, (True, self.now))
        machine.monitored = {service for service, watched in services.items() if watched}
        machine.in_router = in_router

    def activate(self, name: str, service: str, *, watched: bool) -> None:
        """Activate a service of ``name``, and start it if it can run."""
        machine = self.machines[name]
        if service not in machine.services:
            can_run = service not in machine.in_router or machine.running(ROUTER)
            machine.services[service] = (machine.powered and can_run, self.now)
        if watched:
            machine.monitored.add(service)
        self._look_soon(name)

    def deactivate(self, name: str, service: str) -> None:
        """Deactivate a service of ``name``: it is gone, and nobody watches it."""
        machine = self.machines[name]
        machine.services.pop(service, None)
        machine.monitored.discard(service)
        self._look_soon(name)

    def stop_service(self, name: str, service: str = ROUTER) -> None:
        """Stop a service of ``name``; the Cisco XCP Router takes those in it with it."""
        self._stop_services(name, {service})

    def start_service(self, name: str, service: str = ROUTER) -> None:
        """Start a service of ``name``; does nothing when the node is off."""
        if self.machines[name].powered and self.machines[name].start({service}, self.now):
            self._look_soon(name)

    def restart_service(self, name: str, service: str = ROUTER) -> None:
        """Restart a service of ``name``, and those in it that run; no time passes."""
        machine = self.machines[name]
        running = [other for other in machine.dependents({service}) if machine.running(other)]
        self.stop_service(name, service)
        for each in (service, *running):
            self.start_service(name, each)

    def _start_services(self, name: str) -> None:
        """Start what SRM watches, and what comes with the Cisco XCP Router."""
        if self._start_fails(name):
            return
        machine = self.machines[name]
        if machine.start(machine.monitored | machine.dependents(machine.monitored), self.now):
            # The sweep sees a change of status at its next tick.
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
        machine.start(wanted | with_it, self.now)
        self._look_soon(name)

    def _start_fails(self, name: str) -> bool:
        """Return whether the start of services under way shall fail; the fault is used up by it."""
        fails = name in self.fail_next_start
        self.fail_next_start.discard(name)
        return fails

    def _stop_services(self, name: str, services: set[str]) -> None:
        if self.machines[name].stop(services, self.now):
            self._look_soon(name)

    def _look_soon(self, name: str) -> None:
        self._later(0, lambda: self._look(name))

    def _look(self, name: str) -> None:
        if self.machines[name].steps:
            self.tick(name)

    # --- power ---------------------------------------------------------------------------------

    def power_off(self, name: str) -> None:
        """Cut the power of ``name``."""
        machine = self.machines[name]
        machine.powered = machine.srm_running = False
        machine.boots_at = None
        machine.stop(machine.services, self.now)

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
