"""Two nodes, the link between them and their users, in virtual time.

The same ``step`` runs here as on the live system. The simulator plays everything around it: the
heartbeat bus with delay and loss, the nodes' services and power, the group's record of who holds
the sessions, and an observer that can be paused. It is exact and repeatable: one seed, one history.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from redundancy.srm import sentences
from redundancy.srm.clients import Clients
from redundancy.srm.machine import DATABASE, ENGINE, MONITORED, ROUTER, Machines, SimulatedMachine
from redundancy.srm.states import SERVES_NOBODY, Reason, State
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
    Request,
    RestartServices,
    SendHeartbeat,
    StartAgain,
    Started,
    StartServices,
    StateChanged,
    StopServices,
    Tick,
)

__all__ = [
    "DATABASE",
    "ENGINE",
    "MONITORED",
    "NODES",
    "ROUTER",
    "Entry",
    "SimulatedMachine",
    "Simulator",
]

NODES = ("imp-pub", "imp-sub")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the simulator's history."""

    at: float
    node: str
    change: StateChanged


class Simulator(Machines):
    """A redundancy group in virtual time, seconds from 0.

    Args:
        policy: The parameters, the same for both nodes.
        users: Assigned users by node; default: none.
        seed: Of the heartbeat losses, and of the clients' re-logins.
        names: Of the two nodes, the first one first.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        users: Mapping[str, int] | None = None,
        seed: int = 0,
        names: tuple[str, str] = NODES,
    ) -> None:
        first, second = names
        super().__init__(names)
        self.policy = policy or Policy()
        self.random = random.Random(seed)
        self.nodes = {
            first: Node(first, second, first=True),
            second: Node(second, first, first=False),
        }
        # Assigned users by node, and on which node their sessions are.
        self.users = dict.fromkeys(names, 0) | dict(users or {})
        self.location = {name: name for name in names}
        self.clients = Clients(self.users, seed)
        # Since when nobody can log in at a node, and since when those who were logged in are lost.
        self._no_logins: dict[str, float] = {}
        self._lost: dict[str, float] = {}
        self.ha_enabled = False
        self.generation = 0
        self._recovering = False
        self.epoch = 0
        self.holder: str | None = None
        self.history: list[Entry] = []
        self.refused: list[str] = []
        # Requests that wait for their SRM, and the last answer of those that were refused.
        self._asked: set[str] = set()
        self.denied: dict[tuple[str, Request], str] = {}
        self.delay = 0.0
        self.loss = 0.0
        self.repeat = False
        # While moves are held none is carried out; the node asks again.
        self.hold_moves = False
        # Seconds until a move is carried out, and until its node hears of it.
        self.move_delay = 0.0
        self.tell_delay = 0.0
        self.fail_next_move = False
        self.cut: set[tuple[str, str]] = set()

    # --- the observer --------------------------------------------------------------------------

    def tick(self, name: str) -> None:
        """Let the SRM of ``name`` look at its services and its timers."""
        self.tell(name, Tick(self.machines[name].readings()))

    def tell(self, name: str, event: Event) -> None:
        """Let the SRM of ``name`` take in ``event``; later, if the observer is paused."""
        machine = self.machines[name]
        if not machine.steps:
            return
        if self.now < self.paused_until:
            if not isinstance(event, Tick):
                time = (self.generation, machine.incarnation)
                self._later(
                    self.paused_until - self.now, lambda: self._tell_late(name, event, time)
                )
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

    def _tell_late(self, name: str, event: Event, time: tuple[int, int]) -> None:
        """Tell what had to wait for the observer."""
        later = (self.generation, self.machines[name].incarnation) != time
        if later and isinstance(event, Asked | Leaving):
            # What was asked of an SRM that was restarted since is not asked of its successor.
            return
        if isinstance(event, Started):
            event = replace(event, epoch=self.epoch, holder=self.holder)
        self.tell(name, event)

    def _step(self, name: str, event: Event) -> None:
        if isinstance(event, Asked):
            self._asked.discard(name)
        try:
            outcome = step(self.nodes[name], event, self.clock(name), self.policy)
        except IllegalRequest as error:
            assert isinstance(event, Asked)
            self._deny(name, event.request, error.sentence)
            return
        self.nodes[name] = outcome.node
        self.machines[name].wake = self.when(name, outcome.wake)
        for action in outcome.actions:
            self._carry_out(name, action)

    def _carry_out(self, name: str, action: Action) -> None:
        match action:
            case StateChanged():
                self.history.append(Entry(self.now, name, action))
                self._changed(name)
            case SendHeartbeat(heartbeat):
                self._send(name, heartbeat)
            case MoveSessions(kind, epoch):
                self._later(self.move_delay, lambda: self._move(name, kind, epoch))
            case StartServices():
                self._start_services(name)
            case StopServices():
                services = self.machines[name].monitored - {DATABASE}
                self._stop_services(name, services, self.clock(name))
            case RestartServices():
                self._restart_services(name)
            case StartAgain(services):
                self._start_again(name, services)
            case PowerDown(reboot):
                self._go_down(name, reboot=reboot)

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
        if self.ha_enabled and not self.hold_moves:
            answer = self._moved(name, kind, epoch)
            self._later(self.tell_delay, lambda: self.tell(name, answer))

    def _moved(self, name: str, kind: MoveKind, epoch: int) -> Event:
        """Move the sessions if nobody was faster. Return what the node shall hear."""
        target = name if kind is MoveKind.TAKE_OVER else None
        if epoch != self.epoch:
            if epoch < self.epoch and self.holder == target and target is not None:
                return Moved(kind, self.epoch)
            return MoveRefused(kind, self.epoch, self.holder)
        moved = {home: target or home for home in self.nodes}
        if target is not None or moved != self.location or self.holder is not None:
            # A fault waits for a move that changes something.
            if self.fail_next_move:
                self.fail_next_move = False
                return MoveFailed(kind, epoch)
            self._place(moved)
            self.epoch += 1
            self.holder = target
        return Moved(kind, self.epoch)

    def _place(self, location: dict[str, str]) -> None:
        """Let the users of each home have their sessions where ``location`` says."""
        for home, node in location.items():
            if self.location[home] != node:
                stopped = self._no_logins.get(self.location[home], math.inf)
                self.clients.move(home, self.now, stopped)
        self.location = location

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
                machine.srm_since = self.now
                # What its SRM was asked for, and stopped before it heard, is asked of nobody any more.
                self._asked.discard(name)
            machine.wake = self.now
            self._look_soon(name)

    def disable_ha(self) -> None:
        """Disable High Availability: both nodes become Unknown, sessions go home."""
        self.ha_enabled = False
        self.epoch += 1
        self.holder = None
        self._place({name: name for name in self.nodes})
        self._asked.clear()
        for name in self.nodes:
            # The administration does this even to a node that is down.
            self._step(name, Disabled(self.machines[name].readings()))

    def ask(self, name: str, request: Request) -> bool:
        """Ask for Failover or Fallback of ``name``. Return False if it was refused at once."""
        self.denied.pop((name, request), None)
        if not self.ha_enabled:
            self._deny(name, request, sentences.HA_OFF)
        elif not self.machines[name].steps:
            self._deny(name, request, sentences.not_reporting(name))
        elif any(self.machines[asked].steps for asked in self._asked):
            self._deny(name, request, sentences.REQUEST_UNDER_WAY)
        else:
            self._asked.add(name)
            self.tell(name, Asked(request))
        return (name, request) not in self.denied

    def _deny(self, name: str, request: Request, why: str) -> None:
        self.refused.append(why)
        self.denied[name, request] = why

    def set_policy(self, policy: Policy) -> None:
        """Change the parameters; a node that sleeps reckoned with the old ones, and is woken."""
        self.policy = policy
        for name in self.machines:
            self._look_soon(name)

    def shut_down(self, name: str, *, reboot: bool = False) -> None:
        """Shut ``name`` down in an orderly way: its SRM announces it first."""
        if self.ha_enabled and self.machines[name].steps:
            self.tell(name, Leaving(reboot))
        elif self.machines[name].powered:
            self._go_down(name, reboot=reboot)

    def _srm_started(self, name: str) -> None:
        # A request dies with the SRM it was for.
        self._asked.discard(name)
        self.tell(name, Started(self.machines[name].incarnation, self.epoch, self.holder))

    def pause_observer(self, seconds: float) -> None:
        """Let nobody look at the nodes for ``seconds``."""
        self.paused_until = max(self.paused_until, self.now + seconds)

    # --- looking -------------------------------------------------------------------------------

    def state(self, name: str) -> tuple[State, Reason]:
        """Return state and reason of ``name`` as its own SRM remembers them."""
        return self.nodes[name].state, self.nodes[name].reason

    def sessions(self, name: str) -> int:
        """Return how many sessions are on ``name``."""
        return sum(
            self.clients.sessions(home) for home, node in self.location.items() if node == name
        )

    def active(self, name: str) -> int:
        """Return how many clients are logged in at ``name``."""
        if name in self._lost:
            return 0
        by = min(self.now, self._no_logins.get(name, math.inf))
        return sum(
            self.clients.active(home, by) for home, node in self.location.items() if node == name
        )

    def _changed(self, name: str) -> None:
        machine = self.machines[name]
        idle = self.ha_enabled and self.nodes[name].state in SERVES_NOBODY
        if idle or not machine.runs_all(machine.for_connections):
            self._lost.setdefault(name, self.now)
        if idle or not machine.runs_all(machine.for_logins):
            self._no_logins.setdefault(name, self.now)
        elif name in self._no_logins:
            stopped, lost = self._no_logins.pop(name), self._lost.pop(name, None)
            for home, node in self.location.items():
                if node == name:
                    self.clients.let_in(home, self.now, stopped, lost)
