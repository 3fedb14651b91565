"""Workers and web processes of several machines: each with a data folder of its own, one database and Redis."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cucm_admin import env
from redundancy.traces.collecting import PIECES
from tests.live.lab import Lab, Remote

pytestmark = pytest.mark.live


@pytest.fixture
def elsewhere(lab: Lab, tmp_path: Path) -> dict[str, str]:
    """What a process of a second machine is told besides: another folder, the same servers."""
    first = Path(lab.processes.variables["VAR_DIR"])
    given = lab.processes.variables
    return {
        "VAR_DIR": str(tmp_path / "var"),
        "DATABASE_URL": env.database_url(first, given),
        "REDIS_URL": env.redis_url(first, given),
        "SECRET_KEY": env.secret_key(first, given),
    }


@pytest.fixture
def machines(lab: Lab, elsewhere: dict[str, str], tmp_path: Path) -> Iterator[list[Remote]]:
    """A process on each of two more machines."""
    with ExitStack() as stack:
        made = []
        for name in "ab":
            own = elsewhere | {"VAR_DIR": str(tmp_path / name)}
            made.append(Remote(lab.processes.variables | own))
            stack.callback(made[-1].close)
        yield made


def test_a_collection_made_and_sent_by_machines_in_turn_is_whole(
    lab: Lab, elsewhere: dict[str, str], machines: list[Remote]
) -> None:
    since = lab.ask("clock.lab_now()")
    # One machine sweeps, then the other: each writes half of the trace.
    lab.processes.kill("sweep")
    lab.processes.start("sweep-2", **elsewhere)
    lab.until_watched()
    lab.request("failover")
    lab.until("Idle", "Running in Backup Mode")
    lab.processes.kill("sweep-2")
    lab.processes.start("sweep")
    lab.until_watched()
    lab.request("fallback")
    lab.until("Normal", "Normal")

    # No worker but the two machines, which do the steps in turn.
    lab.processes.kill("moves")
    job = lab.ask(f"begin_collection({since})")
    for step in range(len(PIECES)):
        machines[step % 2](f"collecting.collect({job}, {step}, 0)")

    files = []
    for machine in machines:
        sent = machine(f"page('/ccmservice/log-collection/{job}/')").encode("latin-1")
        with zipfile.ZipFile(io.BytesIO(sent)) as file:
            assert file.testzip() is None
            files.append({name: file.read(name).decode() for name in file.namelist()})
    assert files[0] == files[1]
    collected = files[0]
    assert {"README.txt", "events/system.csv", "cli/utils-ha-status.txt", "versions.txt"} < set(
        collected
    )
    trace = collected["traces/imp-pub-srm.log"].splitlines()
    for said in ("to [Failing Over,", "to [Falling Back,"):
        assert any(said in line for line in trace), said
    node = lab.ask("server('imp-pub').pk")
    for machine in machines:
        page = machine(f"page('/ccmservice/srm-trace/{node}/download/')").splitlines()
        assert set(trace) <= set(page)
        assert machine("trace('imp-pub')") == page
