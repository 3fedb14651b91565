"""The SRM trace of steps that are stored."""

from collections.abc import Iterable, Iterator

from redundancy import trace_store
from redundancy.live.store import TakenStep
from redundancy.srm.trace import Level, trace_lines


def write_traces(steps: Iterable[TakenStep]) -> None:
    """Write what these steps have to tell, each node at its level."""
    trace_store.append({step.key: list(_lines(step)) for step in steps})


def _lines(step: TakenStep) -> Iterator[str]:
    situation = step.situation
    level = Level[situation.stored.trace_level]
    refused = [(why, actor) for _, why, actor in step.refused]
    told = trace_lines(step.before, step.node, situation.heartbeat, step.actions, refused, step.now)
    return (line.at(step.now) for line in told if line.level <= level)
