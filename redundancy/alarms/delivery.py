"""Deliver what channels are to be told of alarms."""

import logging
import threading

from django.db import close_old_connections
from django.utils import timezone

from redundancy.alarms import channels, writes

logger = logging.getLogger(__name__)
_at_work = threading.Lock()


def deliver() -> int:
    """Deliver every notice that is due, one after the other; return how many were tried."""
    tried = 0
    while (notice := writes.claim(timezone.now())) is not None:
        tried += 1
        try:
            alarm = notice.alarm
            # The same title for all notices of one alarm: mail programs make one thread of them.
            title = f"[{alarm.kind}] {alarm.node_name or alarm.group_name}"
            error = channels.send(notice.channel.url, title, notice.text)
        except Exception as broken:
            logger.exception("channel %s broke", notice.channel)
            error = type(broken).__name__
        if error:
            writes.note_failure(notice, error, timezone.now())
        else:
            writes.note_delivery(notice, timezone.now())
    return tried


def deliver_beside() -> None:
    """Deliver in a thread of its own: no channel may delay a session move. One thread at a time."""

    def work() -> None:
        if not _at_work.acquire(blocking=False):
            return
        try:
            deliver()
        finally:
            _at_work.release()
            close_old_connections()

    threading.Thread(target=work, name="alarms", daemon=True).start()
