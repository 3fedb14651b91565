"""The running system without its processes: what they leave behind."""

from redundancy import bus, pulse, tasks

# Where the workers run.
HOST = "@here"


def just_swept() -> None:
    """Leave everything on the bus as it is a moment after a sweep, with workers that work."""
    pulse.note_sweep(took=0.01, steps=2, asked=False)
    bus.mark_sweep()
    for queue in ("sweep", "moves"):
        pulse.note_canary(queue, pulse.now() - 0.25, f"{queue}{HOST}")
    tasks.audit()
