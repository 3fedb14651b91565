"""A cluster's own text: how long a terminal log of 20 MB takes to be read, in how much memory, and the page of a snapshot.

The log holds what a long watch collects: health checks of a pair, one after the other, the users, and lines of the SRM trace.
Another of 5 MB tells what the length costs; each is read in a process of its own.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile
from tests.cluster.texts import HA_GUIDE, SERVICES, STATUS

PART = "cluster"
SIZES_MB = (5, 20)
AIM_S, AIM_MS = 10, 100
# Of the log of 20 MB at most so much more memory than of that of 5 MB.
FLAT_MB = 40
USERS, CHECKS, LOOKS = 15_000, 50, 40
READ = "--read"


def measure() -> Iterator[Figure]:
    """Measure the reading, and the page on each database."""
    with tempfile.TemporaryDirectory(prefix="cucm-admin-bench-") as folder:
        peaks = []
        for megabytes in SIZES_MB:
            log = Path(folder) / f"{megabytes}.txt"
            with log.open("wb") as file:
                write_log(file, megabytes * 1024 * 1024)
            command = [sys.executable, "-m", "tests.bench.cluster", READ, str(log)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            took, peak, snapshots = told.split()
            peaks.append(float(peak))
            yield Figure(
                PART,
                f"read a terminal log of {megabytes} MB, {int(snapshots):,} snapshots",
                f"{float(took):.1f} s, {float(peak):.0f} MB",
                f"{AIM_S} s",
                float(took) <= AIM_S,
            )
        more = peaks[1] - peaks[0]
        what = f"memory of {SIZES_MB[1]} MB above that of {SIZES_MB[0]} MB"
        yield Figure(PART, what, f"{more:.0f} MB", f"{FLAT_MB} MB", more <= FLAT_MB)
    yield from on_each("tests.bench.cluster")


def write_log(file: BinaryIO, size: int) -> None:
    """Write a terminal log of so many bytes."""
    head = ["admin:run sql select id,name,subclusterid from enterprisenode"]
    head += ["id name    subclusterid", "== ======= ============"]
    head += ["1  imp-pub 1000", "2  imp-sub 1000"]
    head += ["admin:run sql select userid,primarynodeid from enduser"]
    head += ["userid    primarynodeid", "========= ============="]
    head += [f"u{n:08} {n % 2 + 1}" for n in range(USERS)]
    file.write("\n".join([*head, ""]).encode())
    trace = "{date} {time},000 DEBUG [main] rsrm.Core - RsrmHeartBeatHandler: heartbeat {n} of imp-sub\n"
    filler = (size - file.tell()) // CHECKS
    for check in range(CHECKS):
        day, hour = 1 + check // 24, check % 24
        date = f"Sun Nov {day:>2} {hour:02}:00:00 UTC 2026"
        parts = (HA_GUIDE, STATUS.format(date=date), SERVICES)
        begin = file.tell()
        for part in parts:
            file.write(part.encode())
        number = 0
        while file.tell() - begin < filler:
            number += 1
            clock = f"{hour:02}:{number // 60 % 60:02}:{number % 60:02}"
            file.write(trace.format(date=f"2026-11-{day:02}", time=clock, n=number).encode())


def _read(log: str) -> None:
    """Read a log; print how many seconds that took, the most memory of this process in MB, and the snapshots."""
    from redundancy.cluster.assembling import assemble
    from redundancy.cluster.reader.reading import read

    began = time.perf_counter()
    snapshots = assemble(read([Path(log)]))
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(took, peak, len(snapshots))


def _figures(database: str) -> Iterator[Figure]:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from redundancy.cluster.assembling import assemble
    from redundancy.cluster.reader.reading import read
    from redundancy.cluster.writes import draft, keep

    call_command("collectstatic", verbosity=0, interactive=False)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        with log.open("wb") as file:
            write_log(file, 1024 * 1024)
        reading = read([log])
        rows = draft(reading=reading, snapshots=assemble(reading)[-1:], name="bench", actor="bench")
    (kept,) = keep(rows=rows, actor="bench")
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench"))
    address = reverse("cluster_snapshot", args=[kept.pk])
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        answer = client.get(address)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200
    p95 = percentile(took[1:], 95)
    yield Figure(
        PART,
        f"{database}: page of a snapshot with {USERS:,} users, {len(answer.content) / 1000:.0f} kB",
        f"p50 {percentile(took[1:], 50):.0f} ms, p95 {p95:.0f} ms",
        f"p95 {AIM_MS} ms",
        p95 <= AIM_MS,
    )


if __name__ == "__main__":
    if sys.argv[1] == READ:
        _read(sys.argv[2])
    else:
        set_up()
        tell(_figures(sys.argv[1]))
