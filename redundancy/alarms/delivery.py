"""Deliver what channels are to be told of alarms, each channel on its own."""

import logging
import threading

from django.db import connection
from django.utils import timezone

from redundancy.alarms import channels, writes
from redundancy.srm.words import english

logger = logging.getLogger(__name__)

# Channels that are told at the same time; the others wait for the next round.
AT_ONCE = 8
_lock = threading.Lock()
_at_work: set[int] = set()
# Those of them that were to be told of more meanwhile.
_more: set[int] = set()


def deliver_to(channel: int) -> int:
    """Deliver every notice of this channel that is due, one after the other; return how many were tried.

    A channel that has hung ends its round: the rest waits for the next one.
    """
    return _round(channel)[0]


def _round(channel: int) -> tuple[int, bool]:
    """Deliver as ``deliver_to``; return how many were tried, and whether the channel has hung."""
    tried = 0
    with channels.sender() as sender:
        while not sender.over and (notice := writes.claim(timezone.now(), channel)) is not None:
            tried += 1
            try:
                alarm = notice.alarm
                # The same title for all notices of one alarm: mail programs make one thread of them.
                title = f"[{alarm.kind}] {english(alarm.whose)}"
                error = sender.send(notice.channel.url, title, notice.text)
            except Exception as broken:
                logger.exception("channel %s broke", notice.channel)
                error = type(broken).__name__
            if error:
                writes.note_failure(notice, error, timezone.now())
            else:
                writes.note_delivery(notice, timezone.now())
    return tried, sender.over


def deliver_beside() -> None:
    """Deliver in threads of their own: no channel may delay a session move, or another channel."""
    for channel in writes.channels_due(timezone.now()):
        with _lock:
            if channel in _at_work:
                _more.add(channel)
            if channel in _at_work or len(_at_work) >= AT_ONCE:
                continue
            _at_work.add(channel)
        threading.Thread(target=_work, args=(channel,), name="alarms", daemon=True).start()


def _work(channel: int) -> None:
    over = False
    try:
        while not over:
            over = _is_over(channel, hung=_round(channel)[1])
    finally:
        if not over:
            _is_over(channel, hung=True)
        connection.close()


def _is_over(channel: int, *, hung: bool) -> bool:
    """Return whether nothing came meanwhile; whoever comes from then on begins a round of its own."""
    with _lock:
        more = channel in _more and not hung
        _more.discard(channel)
        if not more:
            _at_work.discard(channel)
        return not more
