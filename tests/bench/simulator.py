"""How fast virtual time runs: one pair, healthy, nothing but heartbeats and looks at services."""

import time
from collections.abc import Iterator

from redundancy.srm.simulator import NODES, Simulator
from redundancy.srm.types import Event, Policy
from tests.bench.figures import Figure

PART = "simulator"
DAY = 86400.0
YEAR = 365 * DAY
WALL_SECONDS = 5.0


class Counting(Simulator):
    """A simulator that counts the steps of its nodes."""

    steps = 0

    def _step(self, name: str, event: Event) -> None:
        self.steps += 1
        super()._step(name, event)


def measure() -> Iterator[Figure]:
    """Let a healthy pair live for some seconds of wall time."""
    pair = Counting(Policy(), users=dict.fromkeys(NODES, 5000), seed=1)
    pair.enable_ha()
    pair.run_for(600)
    pair.steps, lab, began = 0, pair.now, time.perf_counter()
    while time.perf_counter() - began < WALL_SECONDS:
        pair.run_for(DAY / 24)
    wall, lab = time.perf_counter() - began, pair.now - lab
    yield Figure(PART, "steps a second", f"{pair.steps / wall:,.0f}")
    yield Figure(PART, "pair-years a minute", f"{lab / YEAR / (wall / 60):.2f}")
