"""The product beside what one would write without it, on the same machine, database and Valkey, in one run.

Of 1,000 nodes one of each pair falls silent within half a minute, so that all change: the sweep, and
then a plain Celery design with a timer for each node (`tests.bench.peer_naive`), find that out. Lateness
is that of `tests.bench.detection`: from when the last heartbeat heard is too old until everybody can
read it. What it cost is counted from the first fault until all are declared: processor time of
beat, workers, Valkey and the PostgreSQL server; memory (PSS) of beat and workers, and Valkey's own;
messages, which are Celery's and, of the product, heartbeats. Who sends the heartbeats of the naive design
is counted nowhere: in the product the sweep plays the nodes, too.

And the page of a group beside Django administration's of the same group, in one process.
"""

import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cucm_admin.stack.run import BASE_DIR
from tests.bench import cost, detection
from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile
from tests.live.lab import running

PART = "peer"
PAIRS = 500
# Wall seconds over which the faults are spread, and after which one is given up.
SPREAD, PATIENCE = 30.0, 20.0
# Wall seconds in which nodes become Normal, or a worker begins to work.
READY = 90.0
REQUESTS = 100
WORKER = (
    *(sys.executable, "-m", "celery", "--quiet", "-A", "tests.bench.peer_naive", "worker"),
    *("--loglevel", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
# What Celery sends, and with what the product sends its heartbeats (and a few marks in each sweep).
MESSAGES = ("lpush", "publish", "set")


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.peer")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used until ``at`` (of ``monotonic``): processor seconds by process, and Valkey's counters."""

    at: float
    worked: Mapping[str, float]
    memory: float
    valkey: Mapping[str, Any]
    calls: Mapping[str, int]


class Meter:
    """Tells what a design costs from now on: its processes, Valkey and the database server."""

    def __init__(self, processes: Callable[[], dict[str, int]]) -> None:
        self._processes = processes
        self._begin = self._read()

    def _read(self) -> Reading:
        from django.db import connection

        from redundancy import bus

        own = self._processes()
        worked = cost.processor_seconds(own)
        if connection.vendor == "postgresql":
            # Of all its databases. Its processes come and go; it takes over the time of those that went.
            server = {str(pid): pid for pid in cost.named("postgres")}
            worked["PostgreSQL"] = sum(cost.processor_seconds(server).values())
        info = bus.client().info()
        worked["Valkey"] = info["used_cpu_sys"] + info["used_cpu_user"]
        stats = bus.client().info("commandstats")
        calls = {name: stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in MESSAGES}
        memory = sum(cost.pss_mb(pid) for pid in own.values())
        return Reading(time.monotonic(), worked, memory, info, calls)

    def figures(self, what: str) -> Iterator[Figure]:
        """Yield what was used since the beginning."""
        begin, end = self._begin, self._read()
        wall = end.at - begin.at
        used = {name: end.worked[name] - begin.worked.get(name, 0) for name in end.worked}
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in used.items() if seconds)
        total = sum(used.values())
        yield Figure(
            PART, f"{what}: processor", f"{total:.1f} s within {wall:.0f} s wall ({parts})"
        )
        stored = [reading.valkey["used_memory"] / 1e6 for reading in (begin, end)]
        yield Figure(
            PART,
            f"{what}: memory",
            f"{end.memory:.0f} MB (at the beginning {begin.memory:.0f} MB); "
            f"Valkey {stored[1]:.1f} MB ({stored[0]:.1f} MB)",
        )
        sent = sum(end.calls.values()) - sum(begin.calls.values())

        def each(counter: str) -> float:
            return float(end.valkey[counter] - begin.valkey[counter]) / wall

        yield Figure(
            PART,
            f"{what}: on the broker",
            f"{sent / wall:.0f} messages a second, {each('total_commands_processed'):.0f} commands, "
            f"{each('total_net_input_bytes') / 1000:.0f} kB in, "
            f"{each('total_net_output_bytes') / 1000:.0f} kB out",
        )


def told(what: str, late: Sequence[float], faults: int, wrong: int) -> Figure:
    """Return how late ``faults`` silent nodes were declared; ``wrong``: nodes that were, and were not silent."""
    if not late:
        return Figure(PART, f"{what}: declared − limit", "nothing was declared")
    return Figure(
        PART,
        f"{what}: declared − limit",
        f"p50 {percentile(late, 50):.2f} s, p99 {percentile(late, 99):.2f} s, max {max(late):.2f} s, "
        f"least {min(late):.2f} s; {len(late)} of {faults} faults; {wrong} declared wrongly",
    )


def sweep_figures(what: str, variables: dict[str, str], logs: Path) -> Iterator[Figure]:
    """Yield how late the product is, and what it costs."""
    from redundancy.models import EventKind, HaEvent, RedundancyGroup
    from redundancy.srm.states import State
    from tests.bench.population import add_pairs

    with running(variables, logs, rate=1) as lab:
        enable([group.pk for group in add_pairs(PAIRS)])
        meter = Meter(lambda: lab.processes.pids)
        pairs = list(RedundancyGroup.objects.order_by("pk"))
        made = detection.watch([(detection.SILENCE, pair) for pair in pairs], SPREAD)
        spent = list(meter.figures(what))
        late = [b.seen - b.limit for b in made if b.seen is not None and b.limit is not None]
        wrong = (
            HaEvent.objects.filter(
                kind=EventKind.STATE, new_state__in=(State.TAKING_OVER, State.FAILING_OVER)
            )
            .exclude(node__in=[b.node for b in made])
            .count()
        )
    yield told(what, late, len(made), wrong)
    yield from spent


def enable(groups: Sequence[int]) -> None:
    """Switch HA on, a share of the pairs in each second of an interval, and wait until all are Normal."""
    from redundancy.models import NodeRuntime, RedundancyGroup
    from redundancy.srm.states import State
    from tests.bench.peer_naive import INTERVAL

    for second in range(INTERVAL):
        some = groups[second::INTERVAL]
        RedundancyGroup.objects.filter(pk__in=some).update(ha_enabled=True, ha_generation=1)
        time.sleep(1)
    deadline = time.monotonic() + READY
    while left := NodeRuntime.objects.exclude(state=State.NORMAL).count():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{left} nodes are not Normal after {READY:g} s")
        time.sleep(0.5)
    # Each has heard its peer when nothing happens.
    time.sleep(INTERVAL / 3)


@contextmanager
def naive_worker(variables: dict[str, str], logs: Path) -> Iterator[int]:
    """Run the worker of the naive design, and yield its process."""
    own = variables | {
        "DJANGO_SETTINGS_MODULE": "tests.bench.peer_settings",
        "CELERY_SKIP_CHECKS": "1",
    }
    with (logs / "naive.log").open("wb") as log:
        process = subprocess.Popen(WORKER, cwd=BASE_DIR, env=own, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            for pid in [*cost.children([process.pid]), process.pid]:
                os.kill(pid, 9)
            process.wait()


class Nodes:
    """Nodes that beat: each at its own moment of the interval, until it falls silent."""

    def __init__(self, count: int, interval: float) -> None:
        now = time.time()
        self._interval = interval
        self._next = {node: now + node / count * interval for node in range(count)}
        self.silent: set[int] = set()

    def beat(self) -> None:
        """Send what is due."""
        from tests.bench.peer_naive import heard

        now = time.time()
        for node, at in self._next.items():
            if at <= now and node not in self.silent:
                heard.delay(node)
                self._next[node] = at + self._interval

    def beat_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Beat until ``done`` or the time is over; return whether it was done."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.beat()
            if done():
                return True
            time.sleep(detection.LOOK)
        return False


def naive_figures(what: str, variables: dict[str, str], logs: Path) -> Iterator[Figure]:
    """Yield how late the naive design is, and what it costs."""
    from tests.bench import peer_naive

    count = 2 * PAIRS
    peer_naive.make_table(count)
    with naive_worker(variables, logs) as worker:
        nodes = Nodes(count, peer_naive.INTERVAL)
        if not nodes.beat_until(lambda: peer_naive.heard_of() == count, READY):
            raise RuntimeError(f"not all nodes were heard:\n{(logs / 'naive.log').read_text()}")

        def processes() -> dict[str, int]:
            pool = {f"pool {n}": pid for n, pid in enumerate(cost.children([worker]), 1)}
            return {"worker": worker} | pool

        # As in the product, each has been heard again when the first falls silent.
        nodes.beat_until(bool, peer_naive.INTERVAL / 3)
        meter = Meter(processes)
        begin = time.time()
        plan = {begin + random.random() * SPREAD: node for node in range(0, count, 2)}
        seen: dict[int, float] = {}

        def all_declared() -> bool:
            now = time.time()
            for at in [at for at in plan if at <= now]:
                nodes.silent.add(plan.pop(at))
            found = peer_naive.declared()
            now = time.time()
            for node, heard_at in found.items():
                seen.setdefault(node, now - heard_at - peer_naive.TIMEOUT)
            return len(nodes.silent & seen.keys()) == PAIRS

        nodes.beat_until(all_declared, SPREAD + peer_naive.INTERVAL + peer_naive.TIMEOUT + PATIENCE)
        spent = list(meter.figures(what))
    late = [seconds for node, seconds in seen.items() if node in nodes.silent]
    yield told(what, late, PAIRS, len(seen.keys() - nodes.silent))
    yield from spent


def page_figures(database: str) -> Iterator[Figure]:
    """Yield what the page of a group costs, and Django administration's of the same group."""
    from django.conf import settings
    from django.core.management import call_command
    from django.urls import reverse

    from redundancy.clock import lab_now
    from redundancy.models import RedundancyGroup
    from tests.bench.pages import Request, Server, grow
    from tests.bench.sweep import Lab

    call_command("collectstatic", verbosity=0, interactive=False)
    settings.ALLOWED_HOSTS = ["testserver"]
    now = lab_now()
    lab, server = Lab(), Server()
    # Where the processes have left off.
    lab.now = now
    # A pair that is Normal, among those of which one node is silent.
    grow(lab, 1)
    group = RedundancyGroup.objects.latest("pk")
    # As ``cucm_admin.wsgi`` does with all that it has loaded.
    gc.collect()
    gc.freeze()
    for what, path in (
        ("the group's page", reverse("group_edit", args=[group.pk])),
        (
            "Django administration, the same group",
            reverse("admin:redundancy_redundancygroup_change", args=[group.pk]),
        ),
    ):
        answered = server.cost(Request(path, status=200), REQUESTS)
        yield Figure(PART, f"{database}, {PAIRS + 1:,} groups, {what}", str(answered))


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database."""
    from django.conf import settings

    from tests.bench.sweep import valkey

    nodes = f"{database}, {2 * PAIRS:,} nodes"
    with valkey(), tempfile.TemporaryDirectory(prefix="cucm-admin-bench-") as logs:
        variables = dict(os.environ) | {"REDIS_URL": settings.REDIS_URL}
        yield from sweep_figures(f"{nodes}, the sweep", variables, Path(logs))
        yield from naive_figures(f"{nodes}, an ETA task each", variables, Path(logs))
        yield from page_figures(database)


def main() -> None:
    """Measure in this process."""
    set_up()
    tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
