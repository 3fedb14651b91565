"""What a quiet node costs, piece by piece, and what so many pairs would take by that.

The real tables and a real Valkey, one process, lab time given, as in `tests.bench.sweep`. What one step
costs is what sweeps of 1,000 quiet pairs cost, divided by their steps. From that `needed` works out what
100,000 pairs would take on several machines: on paper, nobody has run them.
"""

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import cost
from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure
from tests.bench.sweep import INTERVAL, Lab, enable, valkey

PART = "sizing"
PAIRS = 1000
SECONDS = 60
PAPER = 100_000
# A node steps when it sends a heartbeat, and when it hears one.
STEPS = 2
# What a process may be busy, so that what comes at once does not make it late.
LOAD = 0.7


@dataclass(frozen=True, slots=True)
class Constants:
    """What was measured. Of one step: what the sweep's process ``worked`` and the database's ``server``, in
    seconds of a processor, so that other work of the machine does not count; bytes of write-ahead ``log``;
    and bytes that go ``to_bus``. Of one node: bytes ``stored`` in the database, and ``kept`` in Valkey.
    """

    worked: float
    server: float
    log: float
    to_bus: float
    stored: float
    kept: float


@dataclass(frozen=True, slots=True)
class Needs:
    """What so many quiet pairs take: a second, where nothing else is said; bytes.

    ``sweeps``: processes that sweep, each busy for LOAD of its time, in which it waits for the database's
    server, too. ``processors``: what they and that server work.
    """

    steps: float
    sweeps: int
    processors: float
    heartbeats: float
    log: float
    log_a_day: float
    to_bus: float
    kept: float
    stored: float


def needed(pairs: int, one: Constants, interval: float = INTERVAL) -> Needs:
    """Return what ``pairs`` take whose nodes beat every ``interval`` seconds: everything grows with the nodes."""
    nodes = 2 * pairs
    heartbeats = nodes / interval
    steps = STEPS * heartbeats
    busy = steps * (one.worked + one.server)
    return Needs(
        steps=steps,
        sweeps=math.ceil(busy / LOAD),
        processors=busy,
        heartbeats=heartbeats,
        log=steps * one.log,
        log_a_day=steps * one.log * 86_400,
        to_bus=steps * one.to_bus,
        kept=nodes * one.kept,
        stored=nodes * one.stored,
    )


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.sizing")


class Database:
    """How much this process's database has written, holds, and has worked."""

    def __init__(self) -> None:
        from django.db import connection

        self._connection = connection
        self.postgresql = connection.vendor == "postgresql"

    def _ask(self, sql: str) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return int(cursor.fetchone()[0])

    def begin(self) -> None:
        """Bring everything into the tables, and begin a log in which nothing is thrown away."""
        if self.postgresql:
            with self._connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
                cursor.execute("CHECKPOINT")
            return
        self._ask("PRAGMA wal_checkpoint(TRUNCATE)")
        self._ask("PRAGMA wal_autocheckpoint=0")

    def log(self) -> int:
        """Return the bytes of the write-ahead log so far."""
        if self.postgresql:
            return self._ask("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return Path(f"{self._connection.settings_dict['NAME']}-wal").stat().st_size

    def stored(self) -> int:
        """Return the bytes of all tables and indexes."""
        if self.postgresql:
            return self._ask("SELECT pg_database_size(current_database())")
        return self._ask("PRAGMA page_count") * self._ask("PRAGMA page_size")

    def worked(self) -> float:
        """Return the processor seconds of the server so far: none without one."""
        if not self.postgresql:
            return 0.0
        return sum(cost.processor_seconds({str(p): p for p in cost.named("postgres")}).values())


def measured(lab: Lab) -> tuple[Constants, int, int]:
    """Return what a step and a node cost, and the statements and round trips of a sweep."""
    from redundancy import bus

    database = Database()
    empty, bare = database.stored(), bus.client().info()
    enable(lab, PAIRS)
    database.begin()
    # After a checkpoint the first change of a page writes all of it into the log.
    for _ in range(INTERVAL):
        lab.sweep()
    stored, kept = database.stored(), bus.client().info()
    log, server = database.log(), database.worked()
    worked = time.process_time()
    steps = queries = trips = 0
    for _ in range(SECONDS):
        _, some, queries, trips = lab.sweep()
        steps += some
    worked = time.process_time() - worked
    server, log = database.worked() - server, database.log() - log
    to_bus = bus.client().info()["total_net_input_bytes"] - kept["total_net_input_bytes"]
    nodes = 2 * PAIRS
    constants = Constants(
        worked=worked / steps,
        server=server / steps,
        log=log / steps,
        to_bus=to_bus / steps,
        stored=(stored - empty) / nodes,
        kept=(kept["used_memory"] - bare["used_memory"]) / nodes,
    )
    return constants, queries, trips


def figures(database: str) -> Iterator[Figure]:
    """Yield what was measured, and what PAPER pairs would take by it."""
    one, queries, trips = measured(Lab())
    yield Figure(
        PART,
        f"{database}: a step, of {PAIRS:,} quiet pairs",
        f"processor {one.worked * 1000:.2f} ms and of the server {one.server * 1000:.2f} ms; "
        f"{one.log:,.0f} bytes of write-ahead log, "
        f"{one.to_bus:,.0f} bytes to Valkey; {queries} statements and {trips} round trips a sweep",
    )
    yield Figure(
        PART,
        f"{database}: a node",
        f"{one.stored:,.0f} bytes in the database, {one.kept:,.0f} in Valkey",
    )
    all_, what = needed(PAPER, one), f"{database}: {PAPER:,} quiet pairs, on paper"
    if not Database().postgresql:
        # It has one writer, whatever the number of processes.
        value = f"no: sweeps would take {all_.processors:.1f} s of each second"
        yield Figure(PART, what, value)
        return
    yield Figure(
        PART,
        what,
        f"{all_.steps:,.0f} steps a second, each a row written; {all_.sweeps} sweep processes, "
        f"{all_.processors:.1f} processors; {all_.log / 1e6:,.0f} MB of write-ahead log a second "
        f"({all_.log_a_day / 1e12:.1f} TB a day); {all_.heartbeats:,.0f} heartbeats, "
        f"{all_.to_bus / 1e6:.1f} MB to Valkey a second; {all_.kept / 1e6:,.0f} MB in Valkey, "
        f"{all_.stored / 1e9:.1f} GB in the database",
    )


def main() -> None:
    """Measure in this process."""
    set_up()
    with valkey():
        tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
