"""Workers and beats told apart: two of a host, one whose clock is wrong, one that is killed."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.lab import SABOTAGE, Lab
from tests.stacks import wait_until

pytestmark = pytest.mark.live

FAST = "1000"
# Names of processes, with what each told last.
SIGNS = "{s.name: [s.role, s.aside, s.canary is not None] for s in workers.signs()}"


def reasons(lab: Lab) -> set[str]:
    """Return the reasons of /healthz; without missed ticks, which a busy machine has."""
    return set(lab.ask("reasons()")) - {"sweep"}


def stands_aside(lab: Lab, role: str) -> bool:
    """Return whether a process of this role stands aside. Signs of killed ones are kept for a while."""
    return any(sign[0] == role and sign[1] for sign in lab.ask(SIGNS).values())


def until(what: Callable[[], bool], lab: Lab) -> None:
    wait_until(what, 60)
    assert what(), lab.processes.log()


def sweeps(lab: Lab, since: float) -> int:
    """Return how many sweeps of beat began after ``since`` and have ended."""
    told = lab.ask("[t.began for t in pulse.last_sweeps() if not t.asked]")
    return sum(at >= since for at in told)


def goes_on(lab: Lab) -> None:
    """Wait until five more sweeps of beat have ended: how long it takes is the machine's matter."""
    since = lab.ask("pulse.now()")
    until(lambda: sweeps(lab, since) >= 5, lab)


def test_two_workers_of_a_host_are_told_apart_and_each_has_its_canary(lab: Lab) -> None:
    lab.processes.start("sweep-2")
    until(lambda: sum(s[0] == "sweep" for s in lab.ask(SIGNS).values()) == 2, lab)
    lab.ask("tasks.slow_lane()")
    until(lambda: all(s[2] for s in lab.ask(SIGNS).values() if s[0] != "beat"), lab)
    roles = sorted(sign[0] for sign in lab.ask(SIGNS).values())
    assert roles == ["beat", "moves", "sweep", "sweep"]
    # Ended in order, it takes its sign away; what was sent to it alone goes with it.
    lab.processes.restart("sweep-2")
    until(lambda: sum(s[0] == "sweep" for s in lab.ask(SIGNS).values()) == 2, lab)
    until(lambda: lab.ask("bus.client().keys('canary:*')") == [], lab)
    until(lambda: reasons(lab) == set(), lab)


def test_a_worker_whose_clock_is_wrong_stands_aside_and_the_good_one_goes_on(
    lab: Lab, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.touch()
    lab.processes.start(
        "sweep-2", PYTHONPATH=SABOTAGE, SABOTAGE_CLOCK=FAST, SABOTAGE_CLOCK_FILE=str(wrong)
    )
    until(lambda: stands_aside(lab, "sweep"), lab)
    # A message that waited while this process was started is one more reason on a busy machine.
    until(lambda: reasons(lab) == {"clock"}, lab)
    goes_on(lab)
    said = lab.processes.said("sweep-2")
    assert said.count("s fast. It takes no tasks until it is right") == 1
    assert "Discarding revoked task" not in said
    wrong.unlink()
    until(lambda: not stands_aside(lab, "sweep"), lab)
    assert lab.processes.said("sweep-2").count("it takes tasks") == 1
    # Alone, it now does what it did not do before.
    lab.processes.kill("sweep")
    lab.until_watched()
    until(lambda: reasons(lab) == set(), lab)


def test_a_beat_whose_clock_is_wrong_sends_nothing_and_the_good_one_goes_on(lab: Lab) -> None:
    lab.processes.kill("beat")
    lab.processes.start("beat", PYTHONPATH=SABOTAGE, SABOTAGE_CLOCK=f"-{FAST}")
    until(lambda: stands_aside(lab, "beat"), lab)
    since = lab.ask("pulse.now()")
    time.sleep(1.5)
    assert sweeps(lab, since) == 0
    assert "clock" in reasons(lab)
    assert lab.processes.said("beat").count("s slow. It sends nothing until it is right") == 1
    lab.processes.start("beat-2")
    lab.until_watched()
    goes_on(lab)
    # For the tests that follow.
    lab.processes.kill("beat")
