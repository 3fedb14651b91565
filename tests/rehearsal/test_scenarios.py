"""The corpus: every file of tests/scenarios holds in virtual time."""

from pathlib import Path

import pytest

from redundancy.rehearsal import report
from redundancy.rehearsal.format import load_scenario
from redundancy.rehearsal.virtual import play

FOLDER = Path(__file__).parent.parent / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))


def test_the_corpus_is_there() -> None:
    assert len(FILES) >= 120


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_holds(path: Path) -> None:
    played = play(load_scenario(path))
    assert played.verdicts
    assert played.held, "\n".join(report.text(played, live=False))
