"""The soak: a short one holds, and a breach that is planted is found, told, and played again."""

import re
from collections.abc import Callable

import pytest

from redundancy.srm.simulator import Simulator
from redundancy.srm.states import State
from redundancy.srm.step import UnsettledError
from redundancy.srm.table import TABLE, Rule, Trigger
from tests.srm import soak

Plant = Callable[[pytest.MonkeyPatch], str]
AGAIN = re.compile(r"again: make soak ARGS='--seed (\d+) --episode (\d+)'")


def told(capsys: pytest.CaptureFixture[str], words: str) -> tuple[int, str]:
    code = soak.main(words.split())
    return code, capsys.readouterr().out


@pytest.mark.process
def test_a_short_soak_holds_and_does_not_depend_on_the_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = told(capsys, "--seed 7 --steps 2050 --processes 1")
    two = told(capsys, "--seed 7 --steps 2050 --processes 2")
    assert one == two
    code, text = one
    assert code == 0, text
    assert text.startswith("seed 7\n")
    assert "2,050 steps in 21 episodes, seed 7: breaches: 0 (checksum " in text


def test_without_a_seed_a_new_one_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    seeds = {told(capsys, "--steps 10 --processes 1")[1].splitlines()[0] for _ in range(2)}
    assert len(seeds) == 2


def lose_moves(monkeypatch: pytest.MonkeyPatch) -> str:
    """Nobody is ever moved, though the record says so."""
    monkeypatch.setattr(Simulator, "_place", lambda *_: None)
    return "I4"


def go_in_circles(monkeypatch: pytest.MonkeyPatch) -> str:
    """A table in which two rows undo each other."""
    row = TABLE[State.FAILED_OVER][Trigger.UNHEALTHY][0]
    back = Rule(State.FAILED_OVER, row.reason, "back again")
    monkeypatch.setitem(TABLE[State.FAILED_OVER_DOWN], Trigger.UNHEALTHY, (back,))
    return UnsettledError.__name__


@pytest.mark.parametrize("plant", [lose_moves, go_in_circles])
def test_a_planted_breach_is_found_told_and_played_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], plant: Plant
) -> None:
    named = plant(monkeypatch)
    code, text = told(capsys, "--seed 5 --steps 3000 --processes 1")
    assert code == 1
    found = AGAIN.search(text)
    assert found is not None, text
    seed, episode = found.groups()
    breach = next(line for line in text.splitlines() if line.startswith("BREACH"))
    assert breach.startswith(f"BREACH in episode {episode}, step ")
    assert named in breach

    code, timeline = told(capsys, f"--seed {seed} --episode {episode}")
    assert code == 1
    assert timeline.splitlines()[-1] == breach
    assert "  > " in timeline
    assert "imp-pub: Initializing / Initialization - High Availability was enabled." in timeline

    monkeypatch.undo()
    code, timeline = told(capsys, f"--seed {seed} --episode {episode}")
    assert (code, timeline.splitlines()[-1]) == (0, "no breach")
