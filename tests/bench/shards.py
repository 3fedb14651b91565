"""How long all nodes take to be swept when they are divided among shards, each with a worker of its own.

The real tables and a real Valkey. Each worker is a process that sweeps its shard when it is told the
lab time, all at once; a second is over when the last of them is done. PostgreSQL alone: SQLite has one
writer. The pairs are quiet, and were enabled over fifteen seconds as in ``tests.bench.sweep``.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile
from tests.bench.sweep import Lab, enable, valkey

PART = "shards"
# A smaller number may be given: the large one takes many minutes.
SIZE = int(os.environ.get("BENCH_PAIRS", "10000"))
SHARDS = (1, 2, 4)
SECONDS = 20
AIM_MS = 1000


def measure() -> Iterator[Figure]:
    """Measure on PostgreSQL."""
    yield from on_each("tests.bench.shards", ("PostgreSQL",))


@contextmanager
def workers(of: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Run a process for each of so many shards."""
    with ExitStack() as stack:
        made = []
        for number in range(of):
            command = [sys.executable, "-m", "tests.bench.shards", str(number), str(of)]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            made.append(process)
        yield made


def second(processes: Sequence[subprocess.Popen[str]], now: float) -> tuple[float, list[list[int]]]:
    """Let all shards be swept at ``now``; return the milliseconds until all were, and what each told."""
    began = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{now!r}\n")
        process.stdin.flush()
    told = []
    for process in processes:
        assert process.stdout is not None
        told.append(json.loads(process.stdout.readline()))
    return (time.perf_counter() - began) * 1000, told


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database, for one number of shards after the other."""
    lab = Lab()
    enable(lab, SIZE)
    for of in SHARDS:
        with workers(of) as processes:
            # Connections and caches are there when the first second is measured.
            took, steps, queries = [], [], []
            for warm in (True, *(False,) * SECONDS):
                lab.now += 1
                milliseconds, told = second(processes, lab.now)
                if not warm:
                    took.append(milliseconds)
                    steps.append(sum(each[0] for each in told))
                    queries.append(max(each[1] for each in told))
        held = percentile(took, 50) <= AIM_MS
        yield Figure(
            PART,
            f"{database}, {SIZE:,} pairs, quiet, {of} shard{'s' if of > 1 else ''}",
            f"p50 {percentile(took, 50):.0f} ms, max {max(took):.0f} ms until all were swept; "
            f"{percentile(steps, 50):.0f} steps; at most {max(queries)} statements a shard",
            f"≤ {AIM_MS:,} ms",
            held,
        )


def work(number: int, of: int) -> None:
    """Sweep a shard whenever a lab time comes; tell steps and statements."""
    import django

    django.setup()
    from django.conf import settings

    settings.SWEEP_SHARDS = of
    lab = Lab()
    for line in sys.stdin:
        # It sweeps one second later.
        lab.now = float(line) - 1
        _, steps, queries, _ = lab.sweep(number, of)
        print(json.dumps([steps, queries]), flush=True)


def main(arguments: Sequence[str]) -> None:
    """Measure in this process, or be one of its workers."""
    if len(arguments) == 2:
        work(int(arguments[0]), int(arguments[1]))
        return
    set_up()
    with valkey():
        tell(figures(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
