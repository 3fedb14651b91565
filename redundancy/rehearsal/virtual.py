"""The stage in virtual time: the simulator, which says no where the operations say no."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from redundancy.catalog import (
    CLIENT_PARAMETERS,
    CLIENTS_PER_USER,
    CONNECTION_SERVICES,
    LOGIN_SERVICES,
    PARAMETERS,
    PRESENCE_ENGINE,
    PUSH_CLIENTS,
    SERVICE_BY_NAME,
    SERVICES,
    SRM,
    XCP_ROUTER,
    XCP_SERVICES,
    ServiceKind,
    is_monitored,
)
from redundancy.errors import Refused
from redundancy.operations import presence
from redundancy.parameters.writes import parameters
from redundancy.planned.reads.sessions import SessionsBack
from redundancy.rehearsal.actions import FAULTS, Action, Verb, canonical
from redundancy.rehearsal.cautions import of_enabling
from redundancy.rehearsal.runner import Player, Playthrough, Snapshot
from redundancy.rehearsal.scenario import Scenario, Shown
from redundancy.selectors.access import nobody_logs_in, still_missing
from redundancy.selectors.enterprise import ClientSettings
from redundancy.selectors.policy import policy_of
from redundancy.srm.simulator import Simulator
from redundancy.srm.states import NOT_RESPONDING, State
from redundancy.srm.types import Request
from redundancy.srm.words import english

IN_ROUTER = XCP_SERVICES - {XCP_ROUTER}
FEATURES = frozenset(s.name for s in SERVICES if s.kind is ServiceKind.FEATURE)
REQUESTS: dict[str, Request] = {Verb.FAILOVER: Request.FAILOVER, Verb.FALLBACK: Request.FALLBACK}


def play(scenario: Scenario) -> Playthrough:
    """Play a scenario in virtual time."""
    player = Player(scenario, VirtualStage(scenario))
    for _ in player.play():
        pass
    return player.played


class VirtualStage:
    """A scenario's pair in virtual time."""

    slack = 0.0

    def __init__(self, scenario: Scenario) -> None:
        self._nodes = scenario.nodes
        self._counts_logins = scenario.counts_logins
        self._values = {p.key: p.default for p in PARAMETERS} | dict(scenario.parameters)
        self._sim = Simulator(
            policy_of(self._values), scenario.users, scenario.seed, scenario.nodes
        )
        self._clients = {each.key: each.default for each in CLIENT_PARAMETERS}
        self._clients |= scenario.clients
        self._set_limits()
        for name in scenario.nodes:
            self._sim.deploy(
                name,
                _deployment(scenario.services[name]),
                in_router=IN_ROUTER,
                features=FEATURES,
                for_logins=frozenset(LOGIN_SERVICES),
                for_connections=frozenset(CONNECTION_SERVICES),
            )
        self._refused: dict[str, str | None] = {}
        self._read = 0
        self._states: dict[str, Shown] = {
            name: (state.value, reason.value)
            for name in scenario.nodes
            for state, reason in [self._sim.state(name)]
        }
        self._last = self._snapshot(self._shown())

    def now(self) -> float:
        """Return the present moment."""
        return self._sim.now

    def present(self) -> Snapshot:
        """Return the pair as it is now."""
        return self._snapshot(self._shown())

    def look(self, until: float) -> tuple[Sequence[Snapshot], bool]:
        """Let the next thing happen; what was done since the last look is told before."""
        new = self._collect()
        if new:
            return new, True
        # Who logs in is no event of the simulator's: looked at once a second where it is asked for.
        limit = min(until, self._sim.now + 1) if self._counts_logins else until
        more = self._sim.run_next(limit) or limit < until
        return self._collect(), more

    def settled(self) -> bool:
        """Return True: a node takes in at once what it is told."""
        return True

    # --- seeing --------------------------------------------------------------------------------

    def _collect(self) -> list[Snapshot]:
        """Return what changed since the last look, in the order in which it did."""
        found: list[Snapshot] = []
        for entry in self._sim.history[self._read :]:
            change = entry.change
            self._states[entry.node] = (change.new_state.value, change.new_reason.value)
            shown = self._shown() | {entry.node: self._states[entry.node]}
            found.append(self._snapshot(shown, entry.node, change.sentence))
        self._read = len(self._sim.history)
        present = self._snapshot(self._shown())
        last = found[-1] if found else self._last
        for name in self._nodes:
            if present.states[name] != last.states[name]:
                found.append(replace(present, node=name, sentence=self._why(name)))
        last = found[-1] if found else self._last
        if (present.sessions, present.active) != (last.sessions, last.active):
            found.append(present)
        self._last = found[-1] if found else self._last
        return found

    def _shown(self) -> dict[str, Shown]:
        """Return what the administration shows of each node."""
        silent = (NOT_RESPONDING, "")
        return {
            name: silent if self._sim.ha_enabled and not self._sim.machines[name].steps else state
            for name, state in self._states.items()
        }

    def _why(self, name: str) -> str:
        machine = self._sim.machines[name]
        if machine.steps:
            return f"The SRM of {name} reports again."
        return f"{name} {'has its SRM stopped' if machine.powered else 'is powered off'}."

    def _snapshot(
        self, states: Mapping[str, Shown], node: str = "", sentence: str = ""
    ) -> Snapshot:
        # A session for each client.
        each = int(self._clients[CLIENTS_PER_USER.key])
        sessions = {name: self._sim.sessions(name) * each for name in self._nodes}
        active = {name: self._sim.active(name) * each for name in self._nodes}
        return Snapshot(self._sim.now, states, sessions, active, node, sentence)

    # --- doing ---------------------------------------------------------------------------------

    def refusal(self, action: Action) -> str | None:
        """Return why the last try of this action was refused."""
        request = REQUESTS.get(action.verb)
        if request is not None:
            return self._sim.denied.get((action.node, request))
        return self._refused.get(action.text)

    def cautions(self, action: Action) -> Sequence[str]:
        """Return what it breaks: whom enabling comes too early for, or who is moved where nobody logs in."""
        if action.verb == Verb.ENABLE_HA:
            return () if self._sim.ha_enabled else of_enabling(self._sessions_back())
        request = REQUESTS.get(action.verb)
        if request is None:
            return ()
        at_home = request is Request.FALLBACK
        there = next(name for name in self._nodes if (name == action.node) is at_home)
        machine = self._sim.machines[there]
        stopped = [name for name in LOGIN_SERVICES if machine.powered and not machine.running(name)]
        router_runs = machine.running(XCP_ROUTER)
        without = still_missing(stopped, request.value, router_runs=router_runs)
        return [english(nobody_logs_in(there, without))] if without else ()

    def _sessions_back(self) -> Iterator[SessionsBack]:
        """Yield the sessions of each node at which clients can be logged in now."""
        clients = ClientSettings(int(self._clients[CLIENTS_PER_USER.key]))
        for name in self._nodes:
            machine = self._sim.machines[name]
            needed = {*LOGIN_SERVICES, *({PRESENCE_ENGINE} & machine.services.keys())}
            if machine.runs_all(needed):
                active = self._sim.active(name)
                waiting = self._sim.sessions(name) - active
                yield SessionsBack(name, None, active, waiting, 0, clients)

    def do(self, action: Action) -> str | None:
        """Do it; return why it was refused, or None."""
        try:
            self._do(action)
        except Refused as error:
            self._refused[action.text] = error.rule
        else:
            self._refused[action.text] = None
        return self.refusal(action)

    def _do(self, action: Action) -> None:
        sim, node = self._sim, action.node
        if fault := FAULTS.get(action.verb):
            given = {name: action.values[name] for name in fault.takes if name != "group"}
            for name, value in fault.simulate(sim, **given).items():
                setattr(sim, name, value)
            return
        match action.verb:
            case Verb.ENABLE_HA if not sim.ha_enabled:
                sim.enable_ha()
            case Verb.DISABLE_HA if sim.ha_enabled:
                sim.disable_ha()
            case Verb.FAILOVER | Verb.FALLBACK:
                sim.ask(node, REQUESTS[action.verb])
            case Verb.RECOVER:
                self._recover()
            case Verb.SET_PARAMETER:
                self._set(action.parameter, action.value)
            case Verb.POWER_OFF:
                sim.power_off(node)
            case Verb.POWER_ON:
                sim.power_on(node)
            case Verb.SHUT_DOWN | Verb.REBOOT:
                self._check_power(node)
                sim.shut_down(node, reboot=action.verb is Verb.REBOOT)
            case Verb.MONITOR | Verb.IGNORE:
                self._check_power(node)
                sim.set_monitor(node, on=action.verb is Verb.MONITOR)
            case Verb.SIGN_OUT | Verb.SIGN_IN:
                self._sign(node, action.percent, out=action.verb is Verb.SIGN_OUT)
            case Verb.ENABLE_HA | Verb.DISABLE_HA:
                pass
            case _:
                self._work_on_services(action)

    def _sign(self, node: str, percent: int, *, out: bool) -> None:
        clients, assigned = self._sim.clients, self._sim.users[node]
        able = clients.sessions(node) if out else assigned - clients.sessions(node)
        number = min(able, presence.share(assigned, percent))
        if not number:
            raise Refused(f"Nobody of {node} is signed {'in' if out else 'out'}.")
        if out:
            clients.sign_out(node, number)
        else:
            clients.sign_in(node, number, self._sim.now)

    def _recover(self) -> None:
        if not self._sim.ha_enabled or any(
            self._sim.state(name)[0] is not State.FAILED for name in self._nodes
        ):
            raise Refused(f"Recover is offered only while both nodes are {State.FAILED}.")
        self._sim.recover()

    def _set(self, key: str, value: str) -> None:
        text = canonical(key, value)
        if key in self._clients:
            self._clients[key] = text
            self._set_limits()
            return
        values = self._values | {key: text}
        parameters.check_together(values)
        self._values = values
        self._sim.set_policy(policy_of(values))
        self._set_limits()

    def _set_limits(self) -> None:
        lower, upper = (int(self._values[f"relogin_{end}"]) for end in ("lower", "upper"))
        self._sim.clients.set_limits(lower, upper, self._sim.now)
        self._sim.clients.set_push(int(self._clients[PUSH_CLIENTS.key]))

    def _check_power(self, node: str) -> None:
        if not self._sim.machines[node].powered:
            raise Refused(f"{node} is powered off.")

    def _work_on_services(self, action: Action) -> None:
        sim, node, service = self._sim, action.node, action.service or SRM
        machine = sim.machines[node]
        self._check_power(node)
        match action.verb:
            case Verb.ACTIVATE:
                watched = is_monitored(service, activated=True, configured=True)
                sim.activate(node, service, watched=watched)
                return
            case Verb.DEACTIVATE:
                sim.deactivate(node, service)
                return
        starting = action.verb not in {Verb.STOP_SERVICE, Verb.STOP_SRM}
        restarting = action.verb in {Verb.RESTART_SERVICE, Verb.RESTART_SRM}
        if service == SRM:
            if restarting or (starting and not machine.srm_running):
                sim.start_srm(node)
            elif not starting:
                sim.stop_srm(node)
            return
        if service not in machine.services:
            raise Refused(f"{service} is not activated on {node}.", field="name")
        if starting and service in machine.in_router and not machine.running(XCP_ROUTER):
            raise Refused(f"{service} runs only while {XCP_ROUTER} runs; start that first.")
        if restarting:
            sim.restart_service(node, service)
        elif starting:
            sim.start_service(node, service)
        else:
            sim.stop_service(node, service)


def _deployment(extra: Sequence[str]) -> dict[str, bool]:
    """Return each activated service of a node, and whether SRM watches it."""
    return {
        name: is_monitored(name, activated=True, configured=name in extra)
        for name, service in SERVICE_BY_NAME.items()
        if name != SRM and (service.by_default or name in extra)
    }
