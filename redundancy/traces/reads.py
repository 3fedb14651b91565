"""Traces and log collections: what there is to read."""

from collections import deque
from dataclasses import dataclass

from django.db.models import QuerySet

from redundancy import trace_files
from redundancy.models import Incident, LogCollection, Server

# Lines of a trace on its page.
LINES = 500
# The longest span of a log collection, in lab seconds: for more there is the history.
LONGEST = 7 * 86400
# Lab seconds that are collected before an incident's first event, and after its last one.
AROUND = 300
# Incidents offered by the form; others have a link on their page.
RECENT = 50
# A moment of lab time in UTC, as forms and files have it.
SHAPE = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines that were searched for, the oldest first; ``more``: whether older ones fit, too."""

    lines: tuple[str, ...]
    more: bool


def tail(server: Server, search: str = "") -> Tail:
    """Return the last lines that contain ``search``, in whatever case."""
    wanted = search.casefold()
    found: deque[str] = deque(maxlen=LINES + 1)
    found.extend(line for line in trace_files.read(server.pk) if wanted in line.casefold())
    kept = list(found)[-LINES:]
    return Tail(tuple(kept), len(found) > LINES)


def collections() -> QuerySet[LogCollection]:
    """Return every log collection that is kept, the newest first."""
    return LogCollection.objects.all()


def recent_incidents() -> QuerySet[Incident]:
    """Return the incidents whose logs can be collected, the newest first: those of present groups."""
    return Incident.objects.filter(group__isnull=False).select_related("group", "last_event")


def span_of(incident: Incident, now: float) -> tuple[float, float]:
    """Return from when to when (lab seconds) the logs of ``incident`` are collected.

    Until ``now`` while it is open; of one that lasted too long, its beginning.
    """
    since = incident.opened_at.timestamp() - AROUND
    last = incident.last_event
    until = now if last is None else min(last.at.timestamp() + AROUND, now)
    return since, min(until, since + LONGEST)
