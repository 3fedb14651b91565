"""What each worker of a run in parts has for itself: a data folder, ports, a database of a given Redis."""

import itertools
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

# Of the data folder that the run makes and throws away.
PREFIX = "cucm-admin-test-"
# Set by pytest-xdist in each of its workers: gw0, gw1 and so on.
WORKER = "PYTEST_XDIST_WORKER"


def take_own() -> None:
    """Name in the environment what is this process's own, before the settings read it.

    A worker's folder lies in that of the run; its Redis database has the number that ``REDIS_URL``
    gives, plus the number of the worker. PostgreSQL's databases are told apart by pytest-django.
    """
    run = os.environ.get("VAR_DIR") or tempfile.mkdtemp(prefix=PREFIX)
    worker = os.environ.get(WORKER, "")
    os.environ["VAR_DIR"] = str(Path(run, worker))
    given = os.environ.get("REDIS_URL", "")
    if worker and given:
        os.environ["REDIS_URL"] = redis_of(given, int(worker.removeprefix("gw")))


def redis_of(url: str, worker: int) -> str:
    """Return the address of the Redis database that a worker has for itself."""
    if url.startswith("unix:"):
        path, _, query = url.partition("?")
        return f"{path}?db={int(query.removeprefix('db=') or 0) + worker}"
    parts = urlsplit(url)
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + worker}").geturl()


def own_ports() -> Iterator[int]:
    """Yield a hundred ports again and again, other ones in each worker and mostly in each run.

    They lie below those that the system hands out: such a one is taken by somebody else while the
    stack that had it starts again.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    worker = int(os.environ.get(WORKER, "gw0").removeprefix("gw"))
    first = 10_000 + (zlib.crc32(run.encode()) + worker) % 200 * 100
    return itertools.cycle(range(first, first + 100))
