"""Two nodes, the link between them and their users, in virtual time.

The same ``step`` runs here as on the live system. The simulator plays everything around it: the
heartbeat bus with delay and loss, the nodes' services and power, the group's record of who holds
the sessions, and an observer that can be paused. It is exact and repeatable: one seed, one history.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.types import (
    Action,
    Asked,
    Disabled,
    Enabled,
    Event,
    Heard,
    Heartbeat,
    IllegalRequest,
    Leaving,
    Moved,
    MoveFailed,
    MoveKind,
    MoveRefused,
    MoveSessions,
    Node,
    Policy,
    PowerDown,
    Reading,
    Request,
    SendHeartbeat,
    Started,
    StartServices,
    StateChanged,
    StopServices,
    Tick,
)

DATABASE = "A Cisco DB"
ROUTER = "Cisco XCP Router"
ENGINE = "Cisco Presence Engine"
MONITORED = (DATABASE, ROUTER, ENGINE)
NODES = ("imp-pub", "imp-sub")
REBOOT_SECONDS = 120.0


@dataclass
class Machine:
    """The outer truth about one node, which its SRM can only observe."""

    powered: bool = True
    srm_running: bool = True
    incarnation: int = 1
    # Service → (runs, since).
    services: dict[str, tuple[bool, float]] = field(default_factory=dict)
    wake: float = float("inf")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the simulator's history."""

    at: float
    node: str
    change: StateChanged


class Simulator:
    """A redundancy group in virtual time, seconds from 0.

    Args:
        policy: The parameters, the same for both nodes.
        users: Assigned users by node; default: none.
        seed: Of the heartbeat losses.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        users: Mapping[str, int] | None = None,
        seed: int = 0,
    ) -> None:
        first, second = NODES
        self.policy = policy or Policy()
        self.now = 0.0
        self.random = random.Random(seed)
        self.nodes = {
            first: Node(first, second, first=True),
            second: Node(second, first, first=False),
        }
        self.machines = {
            name: Machine(services=dict.fromkeys(MONITORED, (True, 0.0))) for name in NODES
        }
        # Assigned users by node, and on which node their sessions are.
        self.users = dict.fromkeys(NODES, 0) | dict(users or {})
        self.location = {name: name for name in NODES}
        self.ha_enabled = False
        self.generation = 0
        self._recovering = False
        self.epoch = 0
        self.holder: str | None = None
        self.history: list[Entry] = []
        self.refused: list[str] = []
        self.delay = 0.0
        self.loss = 0.0
        self.repeat = False
        self.fail_next_move = False
        self.fail_next_start: set[str] = set()
        self.cut: set[tuple[str, str]] = set()
        self.paused_until = 0.0
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []

    # --- time ----------------------------------------------------------------------------------

    def run_until(self, until: float) -> None:
        """Let virtual time pass up to and including ``until``."""
        while True:
            due = self._next_due()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            if self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
            else:
                self._tick_due()
        self.now = max(self.now, until)

    def run_for(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass."""
        self.run_until(self.now + seconds)

    def _next_due(self) -> float | None:
        moments = [self._queue[0][0]] if self._queue else []
        moments += [max(m.wake, self.paused_until) for m in self._stepping()]
        return min(moments, default=None)

    def _stepping(self) -> list[Machine]:
        return [m for m in self.machines.values() if m.powered and m.srm_running]

    def _tick_due(self) -> None:
        for name, machine in self.machines.items():
            if machine in self._stepping() and machine.wake <= self.now:
                self.tick(name)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), what))

    # --- the observer --------------------------------------------------------------------------

    def tick(self, name: str) -> None:
        """Let the SRM of ``name`` look at its services and its timers."""
        readings = tuple(
            Reading(service, runs, since, database=service == DATABASE)
            for service, (runs, since) in self.machines[name].services.items()
        )
        self.tell(name, Tick(readings))

    def tell(self, name: str, event: Event) -> None:
        """Let the SRM of ``name`` take in ``event``; later, if the observer is paused."""
        machine = self.machines[name]
        if not (machine.powered and machine.srm_running):
            return
        if self.now < self.paused_until:
            if not isinstance(event, Tick):
                self._later(self.paused_until - self.now, lambda: self.tell(name, event))
            return
        if self.ha_enabled and self.nodes[name].generation != self.generation:
            self._step(
                name,
                Enabled(self.generation, machine.incarnation, self.epoch, self._recovering),
            )
        if self.ha_enabled:
            self._step(name, event)
        else:
            machine.wake = float("inf")

    def _step(self, name: str, event: Event) -> None:
        try:
            outcome = step(self.nodes[name], event, self.now, self.policy)
        except IllegalRequest as error:
            self.refused.append(str(error))
            return
        self.nodes[name] = outcome.node
        self.machines[name].wake = outcome.wake
        for action in outcome.actions:
            self._carry_out(name, action)

    def _carry_out(self, name: str, action: Action) -> None:
        match action:
            case StateChanged():
                self.history.append(Entry(self.now, name, action))
            case SendHeartbeat(heartbeat):
                self._send(name, heartbeat)
            case MoveSessions(kind, epoch):
                self._later(0, lambda: self._move(name, kind, epoch))
            case StartServices():
                self._start_services(name)
            case StopServices():
                for service in (ROUTER, ENGINE):
                    self._set_service(name, service, runs=False)
            case PowerDown(reboot):
                self.power_off(name)
                if reboot:
                    self._later(REBOOT_SECONDS, lambda: self.power_on(name))

    def _send(self, name: str, heartbeat: Heartbeat) -> None:
        peer = self.nodes[name].peer_name
        for _ in range(2 if self.repeat else 1):
            if (name, peer) in self.cut or self.random.random() < self.loss:
                continue
            self._later(self.delay, lambda: self._arrive(name, peer, heartbeat))

    def _arrive(self, sender: str, receiver: str, heartbeat: Heartbeat) -> None:
        if (sender, receiver) not in self.cut:
            self.tell(receiver, Heard(heartbeat))

    def _move(self, name: str, kind: MoveKind, epoch: int) -> None:
        if not self.ha_enabled:
            return
        if self.fail_next_move:
            self.fail_next_move = False
            self.tell(name, MoveFailed(kind))
            return
        target = name if kind is MoveKind.TAKE_OVER else None
        if epoch != self.epoch:
            done = epoch < self.epoch and self.holder == target and target is not None
            self.tell(
                name,
                Moved(kind, self.epoch) if done else MoveRefused(kind, self.epoch, self.holder),
            )
            return
        moved = {home: target or home for home in NODES}
        if moved != self.location or self.holder != target:
            self.location = moved
            self.epoch += 1
            self.holder = target
        self.tell(name, Moved(kind, self.epoch))

    # --- what can be done to a node ------------------------------------------------------------

    def enable_ha(self) -> None:
        """Enable High Availability on the group."""
        self._restart_srms(recover=False)

    def recover(self) -> None:
        """Restart the SRM of both nodes; offered only in failed mode."""
        if any(node.state is not State.FAILED for node in self.nodes.values()):
            self.refused.append("recover")
            return
        self._restart_srms(recover=True)

    def _restart_srms(self, *, recover: bool) -> None:
        self.ha_enabled = True
        self.generation += 1
        self._recovering = recover
        for name, machine in self.machines.items():
            if recover and machine.powered:
                machine.srm_running = True
                machine.incarnation += 1
            machine.wake = self.now
            self._look_soon(name)

    def disable_ha(self) -> None:
        """Disable High Availability: both nodes become Unknown, sessions go home."""
        self.ha_enabled = False
        self.epoch += 1
        self.holder = None
        self.location = {name: name for name in NODES}
        for name in self.nodes:
            # The administration does this even to a node that is down.
            self._step(name, Disabled())

    def ask(self, name: str, request: Request) -> bool:
        """Ask for Failover or Fallback of ``name``. Return False if it was refused at once."""
        before = len(self.refused)
        self.tell(name, Asked(request))
        return len(self.refused) == before

    def stop_service(self, name: str, service: str = ROUTER) -> None:
        """Stop a monitored service of ``name``."""
        self._set_service(name, service, runs=False)

    def start_service(self, name: str, service: str = ROUTER) -> None:
        """Start a monitored service of ``name``; does nothing when the node is off."""
        if self.machines[name].powered:
            self._set_service(name, service, runs=True)

    def _start_services(self, name: str) -> None:
        if name in self.fail_next_start:
            self.fail_next_start.discard(name)
            return
        for service in MONITORED:
            self._set_service(name, service, runs=True)

    def _set_service(self, name: str, service: str, *, runs: bool) -> None:
        services = self.machines[name].services
        if services[service][0] is not runs:
            services[service] = (runs, self.now)
            # The sweep sees a change of status at its next tick.
            self._look_soon(name)

    def _look_soon(self, name: str) -> None:
        self._later(0, lambda: self._look(name))

    def _look(self, name: str) -> None:
        machine = self.machines[name]
        if machine.powered and machine.srm_running:
            self.tick(name)

    def power_off(self, name: str) -> None:
        """Cut the power of ``name``."""
        machine = self.machines[name]
        machine.powered = machine.srm_running = False
        for service in machine.services:
            self._set_service(name, service, runs=False)

    def shut_down(self, name: str, *, reboot: bool = False) -> None:
        """Shut ``name`` down in an orderly way: its SRM announces it first."""
        if self.ha_enabled and self.machines[name].srm_running:
            self.tell(name, Leaving(reboot))
        else:
            self.power_off(name)

    def power_on(self, name: str) -> None:
        """Switch ``name`` on; its services and its SRM start."""
        machine = self.machines[name]
        if machine.powered:
            return
        machine.powered = True
        for service in machine.services:
            self._set_service(name, service, runs=True)
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
        machine.wake = self.now
        self.tell(name, Started(machine.incarnation, self.epoch, self.holder))

    def pause_observer(self, seconds: float) -> None:
        """Let nobody look at the nodes for ``seconds``."""
        self.paused_until = max(self.paused_until, self.now + seconds)

    # --- looking -------------------------------------------------------------------------------

    def state(self, name: str) -> tuple[State, Reason]:
        """Return state and reason of ``name`` as its own SRM remembers them."""
        return self.nodes[name].state, self.nodes[name].reason

    def sessions(self, name: str) -> int:
        """Return how many sessions are on ``name``."""
        return sum(self.users[home] for home, node in self.location.items() if node == name)
