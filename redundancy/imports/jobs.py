"""Imports of users on Celery: each step is a task of its own, so that session moves get in between."""

import logging
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

import cucm_admin.celery  # noqa: F401 - the tasks below are sent by this application
from redundancy.imports import reads, writes
from redundancy.models import UserImport
from redundancy.srm.words import say

# The worker that takes up what another one left; by its name in the Procfile.
MOVES_WORKER = "moves@"

logger = logging.getLogger(__name__)


@shared_task
def import_users(job_id: int, step: int, again: bool = False) -> None:
    """Do one step of an import and queue the next one."""
    try:
        following = writes.work(job_id=job_id, step=step, again=again)
    except DatabaseError:
        # The database was busy or away; `resume_imports` asks again.
        logger.exception("step %s of import %s was not carried out", step, job_id)
    except Exception:
        logger.exception("import %s failed", job_id)
        writes.fail(job_id=job_id, step=step, why=say("The import failed; its log says why."))
    else:
        if following is not None:
            import_users.delay(job_id, following)


@shared_task
def resume_imports(at_once: bool = False) -> None:
    """Queue the steps that nobody has done for a while: their worker is gone, or they were never queued.

    ``at_once``: do not wait; a worker that still does one is not disturbed.
    """
    writes.expire()
    before = timezone.now() - (timedelta() if at_once else reads.STALE)
    for job_id, step in reads.unfinished(before):
        import_users.delay(job_id, step, again=True)


def go_on(job: UserImport) -> None:
    """Queue the next step of ``job``. Where the broker does not answer, ``resume_imports`` does so later."""
    try:
        import_users.delay(job.pk, job.step)
    except BrokerError:
        logger.exception("import %s was not queued", job.pk)


@worker_ready.connect
def resume_at_start(sender: Any, **_: Any) -> None:
    """Go on at once with what the worker before this one was killed at."""
    if str(sender.hostname).startswith(MOVES_WORKER):
        resume_imports.delay(at_once=True)
