"""The soak: a short one holds, and a breach that is planted is found, told, and played again."""

import re
from collections.abc import Callable

import pytest

from redundancy.srm.simulator import DATABASE, NODES, ROUTER, Simulator
from redundancy.srm.states import State
from redundancy.srm.step import UnsettledError
from redundancy.srm.table import TABLE, Rule, Trigger
from redundancy.srm.types import Request
from tests.srm import soak
from tests.srm.trial import Trial

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


def test_one_that_was_broken_off_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """Its episodes are those of the whole one."""
    soak.main(["--seed", "7", "--steps", "200", "--processes", "1"])
    assert "--first 1 goes on here" in capsys.readouterr().err
    played, rest = soak.play(7, 1), []

    def play(*episode: int) -> soak.Played:
        rest.append(episode)
        return played

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soak, "play", play)
        told(capsys, "--seed 7 --steps 100 --processes 1 --first 1")
    assert rest == [(7, 1, 100)]


@pytest.mark.parametrize("ahead", [0.0, -1.0])
def test_a_service_stopped_by_hand_just_before_srm_stops_all_may_count_as_stopped_by_srm(
    ahead: float,
) -> None:
    """By a clock that is slow SRM was first; by one that is right it stays stopped when HA is disabled."""
    trial = Trial(automatic=False, timeout=60, seed=1, repeat=False, apart=0.001)
    trial.sim.run_for(30)
    trial.set_clock("imp-sub", ahead=ahead, drift=0.0)
    trial.sim.run_for(30)
    trial.sim.stop_service("imp-sub")
    trial.sim.now += trial.apart
    assert trial.sim.ask("imp-sub", Request.FAILOVER)
    trial.sim.run_for(60)
    trial.disable()
    assert trial.sim.machines["imp-sub"].running(ROUTER) is (ahead < 0)


def test_a_service_stopped_by_hand_just_before_a_restart_that_fails_may_count_as_stopped_by_it() -> (
    None
):
    """SRM has not looked since, and starts it when HA is disabled; its restart was to do the same."""
    trial = Trial(automatic=False, timeout=60, seed=1, repeat=False, apart=0.001)
    sim = trial.sim
    sim.run_for(30)
    sim.stop_service("imp-sub", DATABASE)
    sim.run_for(100)
    sim.start_service("imp-sub", DATABASE)
    sim.run_for(30)
    sim.fail_next_start.add("imp-sub")
    sim.stop_service("imp-sub")
    sim.now += trial.apart
    assert sim.ask("imp-sub", Request.FALLBACK)
    sim.run_for(15)
    trial.disable()


def test_a_service_restarted_by_hand_during_a_fallback_counts_as_restarted() -> None:
    """Though its stamp is earlier than the fallback's by the clock of its node, which is fast."""
    trial = Trial(automatic=False, timeout=60, seed=1, repeat=False, apart=0.001)
    trial.sim.run_for(30)
    trial.sim.ask("imp-sub", Request.FAILOVER)
    trial.sim.run_for(60)
    trial.set_clock("imp-sub", ahead=1.0, drift=0.0)
    trial.slow_moves(moving=5, telling=0)
    trial.sim.ask("imp-sub", Request.FALLBACK)
    trial.sim.stop_service("imp-sub")
    trial.sim.start_service("imp-sub")
    trial.sim.run_for(60)
    assert trial.states() == dict.fromkeys(NODES, State.NORMAL)


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
