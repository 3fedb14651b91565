"""The running system without its processes: what they leave behind."""

import json

from redundancy import bus, pulse, tasks, workers

# Where the workers run.
HOST = "@here"


def just_swept() -> None:
    """Leave everything on the bus as it is a moment after a sweep, with workers that work."""
    pulse.note_sweep(took=0.01, steps=2, asked=False)
    bus.mark_sweep()
    for queue in ("sweep", "moves"):
        pulse.note_canary(queue, pulse.now() - 0.25, f"{queue}{HOST}")
    tasks.audit()


def tell(
    role: str,
    *,
    seen: float,
    began: float = 3600,
    ahead: float = 0.0,
    aside: bool = False,
    canary: bool = True,
) -> None:
    """Let a process have told of itself; ``seen`` and ``began`` in seconds ago."""
    now = pulse.now()
    told = {"role": role, "began": now - began, "seen": now - seen, "ahead": ahead, "aside": aside}
    bus.client().hset(workers.SIGNS, f"{role}@here", json.dumps(told))
    if canary:
        workers.note_canary(f"{role}@here")
