"""The SRM traces, in the database: every machine writes into the same ones, and shows them whole.

What a step has to tell is one row. Of each node about the last ``KEPT_BYTES`` are kept.
"""

import logging
import random
from collections.abc import Collection, Iterable, Iterator, Mapping

from django.db import Error
from django.db.models import Count, F, QuerySet, Sum, Window

from redundancy.models import TracePiece
from redundancy.models.bulk import insert

# Bytes kept of a node: some 8,000 lines. At the level Info that is some 800 failovers, at Debug half a day.
KEPT_BYTES = 1_000_000
# A node's older lines are let go of about once in so many bytes written.
TRIM_BYTES = 50_000

logger = logging.getLogger(__name__)


def append(told: Mapping[int, Iterable[str]]) -> None:
    """Write lines to the traces of nodes, by key. A database that takes none is told, and harms nobody."""
    texts = {node: "\n".join(lines) for node, lines in told.items()}
    rows = [
        TracePiece(node_id=node, text=text, size=len(text.encode()))
        for node, text in texts.items()
        if text
    ]
    if not rows:
        return
    try:
        insert(rows)
        # By chance: nothing to remember or to count, and no step waits for many nodes at once.
        _trim({row.node_id for row in rows if random.random() * TRIM_BYTES < row.size})
    except Error as error:
        logger.warning("no trace is written: %s", error)


def read(node_id: int) -> Iterator[str]:
    """Yield the lines of a node's trace, the oldest first, each without its end."""
    for text in _texts(node_id).order_by("pk").values_list("text", flat=True).iterator():
        yield from text.split("\n")


def read_back(node_id: int) -> Iterator[str]:
    """Yield the lines of a node's trace, the newest first."""
    for text in _texts(node_id).order_by("-pk").values_list("text", flat=True).iterator(100):
        yield from reversed(text.split("\n"))


def size(node_id: int) -> int:
    """Return how many bytes a node's trace has, with the ends of its lines."""
    told = _texts(node_id).aggregate(bytes=Sum("size"), pieces=Count("pk"))
    return int(told["bytes"] or 0) + int(told["pieces"])


def version(node_id: int) -> int:
    """Return what changes whenever something is written."""
    return _texts(node_id).order_by("-pk").values_list("pk", flat=True).first() or 0


def forget(node_id: int) -> None:
    """Delete the trace of a node that is deleted."""
    _texts(node_id).delete()


def _texts(node_id: int) -> QuerySet[TracePiece]:
    return TracePiece.objects.filter(node_id=node_id)


def _trim(nodes: Collection[int]) -> None:
    """Let go of the older lines of these nodes, by their keys, in one statement; in none for no nodes."""
    if not nodes:
        return
    down_to_it = Window(Sum("size"), partition_by=F("node_id"), order_by=F("pk").desc())
    pieces = TracePiece.objects.filter(node_id__in=nodes).annotate(kept=down_to_it)
    TracePiece.objects.filter(pk__in=pieces.filter(kept__gt=KEPT_BYTES).values("pk")).delete()
