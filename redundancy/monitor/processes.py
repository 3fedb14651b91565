"""The processes behind the pages, each by itself: whether it works, was seen lately, or is gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redundancy import bus, workers
from redundancy.srm.words import say

# As for a queue: canaries are sent once a minute.
CANARY_SECONDS = 2.5 * bus.SLOW_LANE_SECONDS
# Seconds by which a clock may differ, as NTP keeps it, before it is told.
CLOCK_SECONDS = 1.0
# Seconds without a sign after which nobody knows whether a process works: three of them did not come.
# A long task may be why, so it is not gone yet.
QUIET_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Process:
    """A worker or beat, ages in seconds.

    ``role``: its queues, or *beat*. ``seen``: since its last sign; ``canary``: since one that was sent to
    it alone ran, None where none has. ``trouble``: what makes the system unfit to be trusted;
    ``warning``: what somebody should see to, while others do its work. ``idle``: why nobody knows
    whether it works, and nothing else is wrong. All may be empty.
    """

    name: str
    role: str
    seen: float
    canary: float | None
    trouble: str = ""
    warning: str = ""
    gone: bool = False
    idle: str = ""

    @property
    def takes_tasks(self) -> bool:
        """Whether it is a worker: beat has no queue."""
        return self.role != workers.BEAT


def look_at_processes(
    signs: Sequence[workers.Sign], now: float, *, swept: bool = True
) -> tuple[Process, ...]:
    """Return the processes of these signs at ``now`` by the clock of the bus. Pure.

    ``swept``: whether sweeps run; without them nobody sends canaries, and their age says nothing.
    """
    replaced = {sign.name for sign in workers.replaced(signs, now)}
    return tuple(_process(sign, now, swept) for sign in signs if sign.name not in replaced)


def _process(sign: workers.Sign, now: float, swept: bool) -> Process:
    seen = max(0.0, now - sign.seen)
    canary = None if sign.canary is None else max(0.0, now - sign.canary)
    trouble = warning = ""
    gone = seen > workers.SILENT_SECONDS
    since = canary if canary is not None else now - sign.began
    if gone:
        warning = say(
            "Gone: it did not end in order, and nothing was heard of it for {age:.0f} s.", age=seen
        )
    elif sign.aside:
        trouble = say(
            "Its clock is {clock}: it stands aside until it is right.", clock=_clock(sign)
        )
    elif swept and sign.role != workers.BEAT and since > CANARY_SECONDS:
        warning = say(
            "It does not work off its queue: no canary has run for {age:.0f} s.", age=since
        )
    elif abs(sign.ahead) > CLOCK_SECONDS:
        warning = say("Its clock is {clock}.", clock=_clock(sign))
    quiet = seen > QUIET_SECONDS and not (trouble or warning)
    idle = say("Not known: nothing was heard of it for {age:.0f} s.", age=seen) if quiet else ""
    return Process(sign.name, sign.role, seen, canary, trouble, warning, gone, idle)


def idle_queue(name: str, processes: Iterable[Process]) -> str:
    """Return why nobody knows whether the queue ``name`` is worked off; empty when a worker of it was heard of.

    Of a queue that no process takes tasks from the canary tells.
    """
    takers = [process for process in processes if name in process.role.split(", ")]
    if not takers or any(not (process.idle or process.gone) for process in takers):
        return ""
    seen = min(process.seen for process in takers)
    return say("Not known: nothing was heard of its worker for {age:.0f} s.", age=seen)


def _clock(sign: workers.Sign) -> str:
    if sign.ahead > 0:
        return say("{seconds:.0f} s fast", seconds=sign.ahead)
    return say("{seconds:.0f} s slow", seconds=-sign.ahead)


def told(processes: Iterable[Process]) -> tuple[list[str], list[str]]:
    """Return the troubles and the warnings, each as a sentence that names its process."""
    troubles, warnings = [], []
    for process in processes:
        if process.trouble:
            troubles.append(say("{process}: {what}", process=process.name, what=process.trouble))
        if process.warning:
            warnings.append(say("{process}: {what}", process=process.name, what=process.warning))
    return troubles, warnings
