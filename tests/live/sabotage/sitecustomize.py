"""Put on the PYTHONPATH of one process by a test, which breaks that process with it.

Python imports this before the product, which knows nothing of it.
"""

import datetime
import importlib
import os
import signal
import time
from pathlib import Path
from typing import Any

_wall = time.time


def _shift_clock(seconds: float) -> None:
    """Let this process believe that it is so many seconds later, while the file that says so is there."""
    told = os.environ.get("SABOTAGE_CLOCK_FILE", "")

    def shift_now() -> float:
        return seconds if not told or Path(told).exists() else 0.0

    time.time = lambda: _wall() + shift_now()
    real = datetime.datetime

    class Kind(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, real)

    # Everybody else reads this clock: Celery, to drop what has expired.
    class Shifted(datetime.datetime, metaclass=Kind):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real(*args, **kwargs)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.now(tz) + datetime.timedelta(seconds=shift_now())

        @classmethod
        def utcnow(cls) -> Any:
            return real.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(
                seconds=shift_now()
            )

    datetime.datetime = Shifted  # type: ignore[misc]


def _die_after(task: str) -> None:
    """Kill this process when it has done its first ``task``, before it says so to the broker."""
    from celery.signals import task_postrun

    def die(sender: Any = None, **_: Any) -> None:
        if sender.name == task:
            os.kill(os.getpid(), signal.SIGKILL)

    task_postrun.connect(die, weak=False)


def _die_at(function: str) -> None:
    """Kill this process when it calls ``function`` ("module:name") in its first task."""
    from celery.signals import task_prerun

    module, _, name = function.partition(":")

    def die(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def prepare(**_: Any) -> None:
        setattr(importlib.import_module(module), name, die)

    task_prerun.connect(prepare, weak=False)


if "SABOTAGE_CLOCK" in os.environ:
    _shift_clock(float(os.environ["SABOTAGE_CLOCK"]))
if "SABOTAGE_TASK" in os.environ:
    _die_after(os.environ["SABOTAGE_TASK"])
if "SABOTAGE_CALL" in os.environ:
    _die_at(os.environ["SABOTAGE_CALL"])
