"""What each Celery worker of this product does besides its tasks.

It has a name of its own, refuses queues that nobody fills, looks from time to time whether it still
fits the installation, compares its clock, and tells the bus that it is there.
"""

import logging
import signal
from collections.abc import Iterable
from typing import Any

from celery import bootsteps
from celery.app import trace
from celery.signals import worker_ready, worker_shutdown
from django.conf import settings
from django.db import Error

from cucm_admin import garbage, joining
from redundancy import bus, pulse, workers

logger = logging.getLogger(__name__)

# What SIGHUP did when this process was started.
_AT_START = signal.getsignal(signal.SIGHUP)


def begin(instance: Any, options: dict[str, Any]) -> None:
    """Refuse unknown queues, join the installation, and take a name that no other process has."""
    check_queues(options.get("queues") or ())
    joining.join_when_possible()
    instance.hostname = workers.own_name(instance.hostname)
    trace.setup_worker_optimizations(instance.app, instance.hostname)


@worker_ready.connect
def end_when_hung_up(**_: Any) -> None:
    """Let SIGHUP end this worker as SIGTERM does, or nothing where it was ignored before (``nohup``).

    Celery would start it anew, by a command that does not work with ``python -m celery``.
    """
    ignored = _AT_START == signal.SIG_IGN
    signal.signal(signal.SIGHUP, _AT_START if ignored else signal.getsignal(signal.SIGTERM))


@worker_ready.connect
def look_seldom_for_garbage(**_: Any) -> None:
    """Leave out what is loaded by now, and what a task makes and lets go of."""
    garbage.settle()


@worker_shutdown.connect
def say_goodbye(sender: Any, **_: Any) -> None:
    """Take the sign of a worker away that ends in order."""
    try:
        workers.forget([sender.hostname])
    except bus.BusError:
        return


def check_queues(queues: str | Iterable[str]) -> None:
    """Raise Unfit where one of ``queues``, a list or as the command line has it, is none of ours."""
    names = queues.split(",") if isinstance(queues, str) else queues
    for name in (name.strip() for name in names):
        if name not in settings.QUEUES:
            known = ", ".join(settings.QUEUES)
            raise joining.Unfit(f"--queues: there is no queue {name!r}; the queues are: {known}")


class Presence(bootsteps.StartStopStep):
    """Runs in the worker's own loop, between two tasks: what it tells is that this loop turns."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        self._watch = joining.Watch()
        self._name = consumer.hostname
        self._queues: list[str] = []
        self._began: float | None = None
        self._timer: Any = None
        self._aside = False

    def start(self, consumer: Any) -> None:
        """Begin, with each new connection to the broker."""
        consumer.task_consumer.add_queue(workers.own_queue(self._name))
        consumer.task_consumer.consume()
        self._queues = [
            name for name in consumer.app.amqp.queues.consume_from if name in settings.QUEUES
        ]
        # A new connection takes from all queues.
        self._aside = False
        self._look(consumer)
        self._timer = consumer.timer.call_repeatedly(joining.LOOK_SECONDS, self._look, (consumer,))

    def stop(self, _consumer: Any) -> None:
        """Pause, while there is no connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, consumer: Any) -> None:
        if wrong := self._watch.look():
            raise joining.Unfit(f"This process ends. {wrong}")
        try:
            ahead = workers.ahead()
            self._stand(consumer, aside=abs(ahead) > workers.ASIDE, ahead=ahead)
            if self._began is None:
                self._began = pulse.now()
            workers.give_sign(
                name=self._name,
                role=", ".join(self._queues),
                began=self._began,
                ahead=ahead,
                aside=self._aside,
            )
        except (bus.BusError, Error):
            # Whoever needs them tells of it.
            return

    def _stand(self, consumer: Any, *, aside: bool, ahead: float) -> None:
        """Stop taking tasks, or go on; told once."""
        if aside == self._aside:
            return
        self._aside = aside
        for name in self._queues:
            if aside:
                consumer.task_consumer.cancel_by_queue(name)
            else:
                consumer.add_task_queue(name)
        if aside:
            logger.error("%s It takes no tasks until it is right", workers.told(ahead))
        else:
            logger.warning("The clock of this process is right again; it takes tasks")
