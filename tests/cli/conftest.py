"""One command, as the terminal shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import call_command

from redundancy.models import RedundancyGroup
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
def cluster() -> RedundancyGroup:
    return load_sample_cluster(actor="tester")
