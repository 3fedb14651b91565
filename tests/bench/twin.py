"""75,000 users: how long it takes to plan and apply their cluster, to undo it, and to replace its names.

The present lab, which is kept meanwhile, has as many users. The text is a terminal log as the command line prints it.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure

PART = "twin"
USERS = 75_000
AIM_S = 60
NODES = ("imp-pub", "imp-sub", "imp-3", "imp-4", "imp-5", "imp-6")


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.twin")


def text(prefix: str) -> str:
    """Return the log of a cluster of three pairs."""
    lines = ["admin:run sql select name,id from enterprisesubcluster", "name    id", "======= =="]
    lines += [f"{prefix}{number:03} {number}" for number in (1, 2, 3)]
    lines += ["", "admin:run sql select id,name,subclusterid from enterprisenode"]
    lines += ["id name    subclusterid", "== ======= ============"]
    lines += [f"{n:<2} {name:<7} {(n + 1) // 2}" for n, name in enumerate(NODES, start=1)]
    lines += ["", "admin:run sql select userid,primarynodeid from enduser"]
    lines += ["userid       primarynodeid", "============ ============="]
    lines += [f"{prefix}{n:08} {n % 6 + 1}" for n in range(USERS)]
    return "\n".join([*lines, ""])


def _figures(database: str) -> Iterator[Figure]:
    from redundancy.cluster.assembling import assemble
    from redundancy.cluster.reader.reading import read
    from redundancy.cluster.sharing import replace_names
    from redundancy.models import LabCopy, PresenceUser
    from redundancy.twin.reads import planned
    from redundancy.twin.writes import apply_cluster, undo

    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name in ("aaaa", "bbbb"):
            files.append(Path(folder) / f"{name}.txt")
            files[-1].write_text(text(name))
        apply_cluster(plan=planned(assemble(read(files[:1]))[0]), name="bench", actor="bench")
        began = time.perf_counter()
        reading = read(files[1:])
        (snapshot,) = assemble(reading)
        plan = planned(snapshot)
        yield _figure(database, "read and plan", began)
        began = time.perf_counter()
        apply_cluster(plan=plan, name="bench", actor="bench")
        yield _figure(database, "apply, keeping as many", began)
        assert PresenceUser.objects.count() == USERS
        size = len(LabCopy.objects.get().data) / 1024 / 1024
        yield Figure(PART, f"{database}, kept copy", f"{size:.1f} MB")
        began = time.perf_counter()
        undo(actor="bench")
        yield _figure(database, "undo", began)
        assert PresenceUser.objects.filter(userid__startswith="aaaa").count() == USERS
        if database == "SQLite":
            began = time.perf_counter()
            replace_names(reading)
            yield _figure("no database", "replace names", began)


def _figure(database: str, what: str, began: float) -> Figure:
    took = time.perf_counter() - began
    what = f"{database}, {USERS:,} users: {what}"
    return Figure(PART, what, f"{took:.1f} s", f"{AIM_S} s", took <= AIM_S)


if __name__ == "__main__":
    set_up()
    tell(_figures(sys.argv[1]))
