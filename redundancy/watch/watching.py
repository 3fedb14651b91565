"""One look at a real cluster: pull, read, keep. And looking in a thread beside a worker."""

import io
import logging
import threading
import traceback
from collections.abc import Callable
from datetime import datetime

from django.db import Error, connection
from django.utils import timezone

from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import Reading, read_streams
from redundancy.cluster.reader.sources import Unreadable
from redundancy.cluster.snapshot import Snapshot
from redundancy.errors import Refused
from redundancy.models import ClusterWatch
from redundancy.outage import OutageLog
from redundancy.pull.sources import PullFailed, Source
from redundancy.srm.words import say
from redundancy.watch import writes
from redundancy.watch.configured import Watched, watched

logger = logging.getLogger(__name__)

Pull = Callable[[Source, str], list[tuple[str, bytes]]]
Now = Callable[[], datetime]
_outages = OutageLog()
# A look takes memory, and asks a system that others depend on: one at a time in a process.
_looking = threading.Lock()


def pull_texts(source: Source, password: str) -> list[tuple[str, bytes]]:
    """Ask the cluster. Raises PullFailed."""
    # Here, since a worker that looks at nothing does without what asks.
    from redundancy.pull.pulling import pull

    return pull(source, password)


def look(
    at: Watched, *, pull: Pull | None = None, now: Now = timezone.now, due_only: bool = False
) -> ClusterWatch | None:
    """Look once, if it is due; return how the watch stands then, None where nobody looked now.

    Whatever goes wrong on the way is told as the failure of the watch. Raises django.db.Error.
    """
    began = now()
    row, mine = writes.begin_look(at, began, due_only=due_only)
    if not mine or row is None:
        return None
    why = ""
    try:
        reading, snapshot = _read((pull or pull_texts)(at.source, at.password()))
        writes.note_seen(watched=at, began=began, reading=reading, snapshot=snapshot, now=now())
    except PullFailed as failed:
        why = failed.rule
    except Refused as refused:
        why = refused.rule
    except Error:
        raise
    except Exception as broken:
        why = say("The look broke off: {error}.", error=type(broken).__name__)
        # Without its text, in which a library may have put what was sent.
        trace = "".join(traceback.format_tb(broken.__traceback__))
        logger.error("the look at the real cluster broke off: %s\n%s", type(broken).__name__, trace)
    if why:
        # A library may have told anything.
        why = why.replace("\x00", "") if "\x00" in why else why
        writes.note_failure(watched=at, began=began, why=why, now=now())
    return ClusterWatch.objects.filter(pk=row.pk).first()


def _read(texts: list[tuple[str, bytes]]) -> tuple[Reading, Snapshot]:
    """Return what the answers tell; PullFailed where that is not one whole cluster."""
    try:
        reading = read_streams((name, io.BytesIO(data)) for name, data in texts)
    except Unreadable as error:
        raise PullFailed(say("{file}: {rule}", file=error.file or "-", rule=error.rule)) from None
    if reading.refused or reading.dropped:
        raise PullFailed(say("Not all of the answers could be read."))
    snapshots = assemble(reading)
    if len(snapshots) > 1:
        raise PullFailed(
            say(
                "The answers are of {number} moments, by the clocks in them.", number=len(snapshots)
            )
        )
    if not snapshots or not snapshots[0].groups:
        raise PullFailed(say("The answers tell of no presence redundancy group."))
    return reading, snapshots[0]


def look_beside() -> threading.Thread | None:
    """Look in a thread of its own if it is due: no session move shall wait for a slow answer.

    Return the thread; None where nothing is watched, or this process is looking.
    """
    at = watched()
    if at is None or not _looking.acquire(blocking=False):
        return None
    thread = threading.Thread(target=_work, args=(at,), name="watch", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        _looking.release()
        raise
    return thread


def _work(at: Watched) -> None:
    try:
        look(at, due_only=True)
        _outages.over("watch")
    except Error as error:
        _outages.note(error, "watch")
    finally:
        _looking.release()
        connection.close()
