"""One command, as the terminal shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import call_command

from redundancy import bus
from redundancy.live.sweep import sweep
from redundancy.models import RedundancyGroup
from redundancy.operations.groups import enable_ha
from redundancy.operations.moves import MoveRequest, move_sessions
from redundancy.operations.sample import load_sample_cluster


@dataclass(frozen=True)
class Shown:
    """What was printed, what was complained about, and the exit code."""

    lines: list[str]
    errors: list[str]
    code: int


Cli = Callable[[str], Shown]


@pytest.fixture
def cli() -> Cli:
    def run(line: str) -> Shown:
        out, err, code = StringIO(), StringIO(), 0
        try:
            call_command("admincli", line, stdout=out, stderr=err, no_color=True)
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else -1
        return Shown(out.getvalue().splitlines(), err.getvalue().splitlines(), code)

    return run


@pytest.fixture
def users() -> int:
    """How many users there are: few, as each test makes its own."""
    return 10


@pytest.fixture
def cluster(users: int, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", users)
    return load_sample_cluster(actor="tester")


@pytest.fixture
def normal(cluster: RedundancyGroup, valkey: str) -> RedundancyGroup:
    """The sample cluster with HA on, both nodes Normal."""
    # Heartbeats of another test's nodes, which had the same keys.
    bus.client().flushdb()
    enable_ha(group=cluster, actor="tester")
    settle()
    return cluster


def settle() -> None:
    """Sweep until SRM has nothing left to do, and move the sessions it wants moved."""
    wanted: list[MoveRequest] = []
    for _ in range(6):
        sweep(wanted.extend)
        while wanted:
            move_sessions(wanted.pop(0))
