"""The corpus: every file of tests/scenarios holds in virtual time."""

from pathlib import Path

import pytest

from redundancy.rehearsal import report
from redundancy.rehearsal.format import load
from redundancy.rehearsal.virtual import play

FOLDER = Path(__file__).parent.parent / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
# What SRM should do and does not do yet. A file that holds is taken out.
TIE = "a heartbeat that is due exactly at the timeout comes too late: three lost ones are enough"
KNOWN = {
    "link-cut-that-loses-three-heartbeats-is-not-noticed": TIE,
    "loss-of-10-percent-seed-1-moves-nobody": TIE,
    "loss-of-10-percent-seed-4-moves-nobody": TIE,
    "loss-of-10-percent-seed-7-moves-nobody": TIE,
    "link-cut-while-a-service-is-down": "a node whose critical service is down takes everybody",
}


def test_the_corpus_is_there() -> None:
    assert len(FILES) >= 120
    assert KNOWN.keys() <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_holds(path: Path, request: pytest.FixtureRequest) -> None:
    if path.stem in KNOWN:
        request.applymarker(pytest.mark.xfail(reason=KNOWN[path.stem], strict=True))
    played = play(load(path))
    assert played.verdicts
    assert played.held, "\n".join(report.text(played, live=False))
