"""What the live soak breaks: nodes and their link by the product's own operations, and our processes."""

import contextlib
import random
import resource
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.live.lab import SABOTAGE, Lab

NODES = ("imp-pub", "imp-sub")
CRITICAL = ("Cisco XCP Router", "Cisco Presence Engine", "A Cisco DB")
# Wall seconds that a process of ours has to answer, or to end.
PATIENCE = 60.0
GROUP = "server('imp-pub').group"
Values = Mapping[str, tuple[Any, ...]]


class BrokenError(AssertionError):
    """The product answered something else than what was asked, or a refusal."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to the nodes: ``code`` is what the product evaluates, with the chosen values."""

    name: str
    code: str
    choices: Values = field(default_factory=dict)
    weight: int = 2

    def begin(self, lab: Lab, values: Mapping[str, Any]) -> str:
        """Do it. Return ``done``, or ``refused``, as an administrator may be."""
        code = self.code.format(**values)
        try:
            lab.ask(f"({code}) and None")
        except AssertionError as error:
            if "Refused: " in str(error):
                return "refused"
            raise BrokenError(str(error)) from None
        return "done"


@dataclass(frozen=True, slots=True)
class Outage:
    """Something of ours that is broken for ``seconds`` of lab time, or as long as ``broken`` takes."""

    name: str
    broken: Callable[..., AbstractContextManager[object]]
    choices: Values = field(default_factory=dict)
    seconds: tuple[int, ...] = (5, 60, 300)
    weight: int = 3


def _killed(lab: Lab, victim: str) -> AbstractContextManager[object]:
    lab.processes.kill(victim)
    return _end(lambda: lab.processes.start(victim))


def _paused(lab: Lab, victim: str) -> AbstractContextManager[object]:
    lab.processes.pause(victim)
    return _end(lambda: lab.processes.resume(victim))


def _restarted(lab: Lab, victim: str) -> AbstractContextManager[object]:
    ended = lab.processes.ends(victim, PATIENCE)
    if not ended:
        lab.processes.start(victim)
        raise BrokenError(f"{victim} does not end in {PATIENCE:g} s at SIGTERM; its log says where")
    return _end(lambda: lab.processes.start(victim))


def _all_killed(lab: Lab) -> AbstractContextManager[object]:
    for name in lab.processes.names:
        lab.processes.kill(name)
    return _end(lab.processes.start_missing)


def _second(lab: Lab, victim: str) -> AbstractContextManager[object]:
    lab.processes.start(f"{victim}-2")
    return _end(lambda: lab.processes.kill(f"{victim}-2"))


@contextlib.contextmanager
def _clock(lab: Lab, victim: str, shift: float) -> Iterator[None]:
    lab.processes.kill(victim)
    lab.processes.start(victim, PYTHONPATH=SABOTAGE, SABOTAGE_CLOCK=str(shift))
    yield
    lab.processes.kill(victim)
    lab.processes.start(victim)


@contextlib.contextmanager
def _disk_full(lab: Lab) -> Iterator[None]:
    """No process of ours can write to any file."""
    pids = list(lab.processes.pids.values())
    for pid in pids:
        # The hard limit stays, so that it can be taken back.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)


@contextlib.contextmanager
def _database_away(lab: Lab) -> Iterator[None]:
    """PostgreSQL takes no connection and ends those there are; of SQLite, somebody else has the lock."""
    url = lab.processes.variables.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        path = Path(lab.processes.variables["VAR_DIR"]) / "db.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, dbname="postgres", autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            yield
        finally:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@contextlib.contextmanager
def _end(done: Callable[[], object]) -> Iterator[None]:
    yield
    done()


ONE = {"node": NODES}
DEEDS = (
    Deed("power off", "power.power_off(server=server({node!r}), actor='soak')", ONE),
    Deed("power on", "power.power_on(server=server({node!r}), actor='soak')", ONE),
    Deed("shut down", "power.shut_down(server=server({node!r}), actor='soak')", ONE),
    Deed("reboot", "power.reboot(server=server({node!r}), actor='soak')", ONE),
    Deed("stop SRM", "power.stop_srm(server=server({node!r}), actor='soak')", ONE),
    Deed("restart SRM", "power.restart_srm(server=server({node!r}), actor='soak')", ONE),
    Deed(
        "stop a service",
        "services.stop_service(server=server({node!r}), name={name!r}, actor='soak')",
        ONE | {"name": CRITICAL},
        weight=4,
    ),
    Deed(
        "start a service",
        "services.start_service(server=server({node!r}), name={name!r}, actor='soak')",
        ONE | {"name": CRITICAL},
    ),
    Deed("cut the link", f"faults.cut_link(group={GROUP}, actor='soak')"),
    Deed(
        "cut one way",
        f"faults.cut_link(group={GROUP}, sender=server({{node!r}}), actor='soak')",
        ONE,
    ),
    Deed("restore the link", f"faults.restore_link(group={GROUP}, actor='soak')", weight=3),
    Deed(
        "delay heartbeats",
        f"faults.delay_link(group={GROUP}, seconds={{seconds}}, actor='soak')",
        {"seconds": (1, 20, 50)},
    ),
    Deed(
        "lose heartbeats",
        f"faults.lose_heartbeats(group={GROUP}, percent={{percent}}, actor='soak')",
        {"percent": (30, 70)},
    ),
    Deed("fail the next move", f"faults.fail_next_move(group={GROUP}, actor='soak')"),
    Deed("hold moves", f"faults.hold_moves(group={GROUP}, actor='soak')", weight=1),
    Deed("release moves", f"faults.release_moves(group={GROUP}, actor='soak')"),
    Deed("fail the next start", "faults.fail_next_start(node=server({node!r}), actor='soak')", ONE),
    Deed(
        "break replication", "faults.break_replication(node=server({node!r}), actor='soak')", ONE, 1
    ),
    Deed(
        "pause the observer",
        "faults.pause_observer(seconds={seconds}, actor='soak')",
        {"seconds": (10, 60, 300)},
    ),
    Deed(
        "ask for Failover",
        "actions.request_failover(node=server({node!r}), serial=None, actor='soak')",
        ONE,
        4,
    ),
    Deed(
        "ask for Fallback",
        "actions.request_fallback(node=server({node!r}), serial=None, actor='soak')",
        ONE,
        4,
    ),
    Deed("ask for Recover", f"actions.request_recover(group={GROUP}, actor='soak')"),
    Deed("disable HA", f"groups.disable_ha(group={GROUP}, actor='soak')", weight=1),
    Deed("enable HA", f"groups.enable_ha(group={GROUP}, actor='soak')"),
    Deed(
        "set a parameter",
        "parameters.set_parameter(key={key!r}, value={value!r}, actor='soak')",
        {"key": ("heartbeat_timeout", "critical_service_delay"), "value": ("60", "90")},
    ),
    Deed(
        "set automatic fallback",
        "parameters.set_parameter(key='automatic_fallback', value={value!r}, actor='soak')",
        {"value": ("true", "false")},
    ),
)
OURS = ("sweep", "moves", "beat", "valkey", "web")
SHIFTS = (-300.0, -20.0, -2.0, 2.0, 20.0, 300.0)
OUTAGES = (
    Outage("kill -9", _killed, {"victim": OURS}, weight=5),
    Outage("SIGSTOP, SIGCONT", _paused, {"victim": OURS}, weight=4),
    Outage("SIGTERM", _restarted, {"victim": OURS}),
    Outage("kill -9 of all", _all_killed, weight=1),
    Outage("a second one", _second, {"victim": ("sweep", "moves", "beat")}),
    Outage("a wrong clock", _clock, {"victim": ("sweep", "moves", "beat"), "shift": SHIFTS}),
    Outage("disk full", _disk_full),
    Outage("database away", _database_away),
)


def choose(dice: random.Random, what: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Return a value for each name."""
    return {name: dice.choice(values) for name, values in what.items()}
