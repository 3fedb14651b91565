"""The Celery application: one static beat entry, two queues."""

import os
import signal
import time
from typing import Any

from celery import Celery
from celery.signals import beat_init, before_task_publish, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")
# Django's checks are for who changes the program. They load all pages, which workers and beat do without.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("cucm_admin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["redundancy"])
app.steps["consumer"].add("cucm_admin.worker:Presence")


@celeryd_init.connect
def worker_begins(instance: Any, options: dict[str, Any], **_: Any) -> None:
    """Let a worker end before it takes anything when it does not fit the installation."""
    # Here, since other processes do without it.
    from cucm_admin import worker

    worker.begin(instance, options)


@beat_init.connect
def beat_ends_at_once(**_: Any) -> None:
    """Let the system end beat on a signal.

    Celery's own handler raises ``SystemExit`` wherever beat is. In the middle of sending, it ends
    in long tracebacks, or is lost and beat runs on. Beat keeps nothing that must be put away.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@before_task_publish.connect
def say_when_it_was_sent(headers: dict[str, Any], **_: Any) -> None:
    """Let each message carry its time of sending: the beat monitor tells how old the oldest is."""
    headers["sent_at"] = time.time()
