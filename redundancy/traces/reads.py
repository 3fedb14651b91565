"""Traces and log collections: what there is to read."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import QuerySet

from redundancy import trace_store
from redundancy.models import CollectionPiece, Incident, LogCollection

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


def tail(node_id: int, search: str = "") -> Tail:
    """Return the last lines of a node's trace that contain ``search``, in whatever case."""
    wanted = search.casefold()
    fitting = (line for line in trace_store.read_back(node_id) if wanted in line.casefold())
    found = list(islice(fitting, LINES + 1))
    return Tail(tuple(reversed(found[:LINES])), len(found) > LINES)


def collections() -> QuerySet[LogCollection]:
    """Return every log collection that is kept, the newest first."""
    return LogCollection.objects.all()


def file_of(job: LogCollection) -> Iterator[bytes]:
    """Yield the file of ``job`` as far as it is made, piece by piece."""
    pieces = CollectionPiece.objects.filter(job=job).order_by("number")
    # All by one statement: pieces of before and after a deletion are never mixed.
    for data in pieces.values_list("data", flat=True).iterator(chunk_size=4):
        yield bytes(data)


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
