"""What the whole stack of ``make run`` costs while nothing happens: one healthy pair, lab rate 1.

Processor time is that of the processes themselves, as the kernel counts it. Memory is the
proportional set size (PSS): what several processes share counts once, in parts.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench.figures import Figure
from tests.live.lab import Remote
from tests.stacks import Stack, find_port, own_environment

PART = "cost"
# Until what a start leaves to do is done, and then to measure.
SETTLE_SECONDS = 30
SECONDS = 60
AIM_PERCENT, AIM_MB = 3.0, 350.0


def measure() -> Iterator[Figure]:
    """Start the stack, let its pair become Normal, and look at its processes for a minute."""
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="cucm-admin-bench-")))
        variables = ends.enter_context(own_environment(folder / "var", find_port()))
        stack = Stack(variables, folder / "log")
        ends.callback(stack.stop)
        stack.wait_for("Ready: ")
        make_pair(variables | {"DJANGO_SETTINGS_MODULE": "cucm_admin.settings"})
        time.sleep(SETTLE_SECONDS)
        pids = family(stack)
        before, began = processor_seconds(pids), time.monotonic()
        time.sleep(SECONDS)
        wall, after = time.monotonic() - began, processor_seconds(pids)
        memory = {name: pss_mb(pid) for name, pid in pids.items()}
    percent = {name: (after[name] - before[name]) / wall * 100 for name in pids}
    for name in pids:
        yield Figure(PART, name, f"{percent[name]:.2f} % of a core, {memory[name]:.0f} MB")
    cpu, total = sum(percent.values()), sum(memory.values())
    aim = f"≤ {AIM_PERCENT:g} % of a core"
    yield Figure(PART, "processor in all", f"{cpu:.2f} % of a core", aim, cpu <= AIM_PERCENT)
    aim = f"≤ {AIM_MB:g} MB"
    yield Figure(PART, "memory in all (PSS)", f"{total:.0f} MB", aim, total <= AIM_MB)


def make_pair(variables: dict[str, str]) -> None:
    """Load the sample cluster and wait until its pair is Normal."""
    ask = Remote(variables)
    try:
        ask("sample.load_sample_cluster(actor='')")
        ask("groups.enable_ha(group=server('imp-pub').group, actor='') and None")
        deadline = time.monotonic() + 120
        while {node[0] for node in ask("pair()").values()} != {"Normal"}:
            assert time.monotonic() < deadline, ask("pair()")
            time.sleep(0.5)
    finally:
        ask.close()


def family(stack: Stack) -> dict[str, int]:
    """Return the supervisor and everything below it, by name."""
    names = {pid: name for name, pid in stack.children().items()}
    pids, last = {"stack": stack.process.pid}, [stack.process.pid]
    while last := children(last):
        for pid in last:
            parent = int(_stat(pid)[1])
            names.setdefault(pid, f"{names.get(parent, '?')} worker")
            pids[names[pid]] = pid
    return pids


def children(pids: Collection[int]) -> list[int]:
    """Return the processes that these have started."""
    every = (int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat"))
    return [pid for pid in every if int(_stat(pid)[1]) in pids]


def named(name: str) -> list[int]:
    """Return the processes of this machine whose program has this name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        # It may have ended since it was listed.
        with contextlib.suppress(OSError):
            if path.read_text().strip() == name:
                found.append(int(path.parent.name))
    return found


def processor_seconds(pids: dict[str, int]) -> dict[str, float]:
    """Return the processor time each process has used, with that of children it has waited for."""
    tick = os.sysconf("SC_CLK_TCK")
    return {
        # After the name, which may hold blanks, field 3 is the first.
        name: sum(int(word) for word in _stat(pid)[11:15]) / tick
        for name, pid in pids.items()
    }


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        # Ended since it was listed; nobody's child.
        return ["X", "0"]


def pss_mb(pid: int) -> float:
    """Return the proportional set size of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
