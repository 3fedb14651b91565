"""The SRM trace of steps that are stored."""

from collections.abc import Iterable

from redundancy import trace_files
from redundancy.live.store import TakenStep
from redundancy.srm.trace import Level, trace_lines


def write_traces(steps: Iterable[TakenStep]) -> None:
    """Write what these steps have to tell, each node at its level."""
    for step in steps:
        situation = step.situation
        level = Level[situation.stored.trace_level]
        refused = [(why, actor) for _, why, actor in step.refused]
        told = trace_lines(
            step.before, step.node, situation.heartbeat, step.actions, refused, step.now
        )
        trace_files.append(step.key, (line.at(step.now) for line in told if line.level <= level))
