"""Reads of what is watched: how it was last seen, and whether that can still be taken for how it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from redundancy.cluster import reads as clusters
from redundancy.cluster.document import Unusable
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import ClusterSnapshot, ClusterWatch
from redundancy.srm.words import duration, say

# Intervals after which what was seen is not taken for how it is, and minutes of one where nobody looks by itself.
STALE_INTERVALS, ONCE_MINUTES = 2.5, 10.0
_HEAVY = tuple(f"snapshot__{name}" for name in ("document", "people", "rest"))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a watch stands. ``age``: whole minutes since it was last seen; None: never, or a clock is wrong.

    ``fresh``: whether what was seen is taken for how it is now.
    """

    row: ClusterWatch
    age: int | None
    fresh: bool

    @property
    def told(self) -> ClusterSnapshot | None:
        """The snapshot that says how it was, without its documents."""
        return self.row.snapshot


def age_in_words(minutes: int) -> str:
    """Return whole minutes as an age is told."""
    return duration(minutes * 60) if minutes else say("less than a minute")


def standings(now: datetime) -> list[Standing]:
    """Return how all watches stand at ``now`` (wall time), without documents."""
    return [standing(row, now) for row in watches()]


def watches() -> QuerySet[ClusterWatch]:
    """Return all watches, by their names, without documents."""
    return ClusterWatch.objects.select_related("snapshot").defer(*_HEAVY)


def standing(row: ClusterWatch, now: datetime) -> Standing:
    """Return how one stands at ``now`` (wall time). Pure."""
    if row.seen_at is None or now < row.seen_at - timedelta(minutes=1):
        return Standing(row, None, False)
    age = max(timedelta(), now - row.seen_at)
    return Standing(row, int(age.total_seconds() // 60), age <= fresh_for(row))


def fresh_for(row: ClusterWatch) -> timedelta:
    """Return for how long after a look what it saw is taken for how it is."""
    return timedelta(minutes=STALE_INTERVALS * (row.minutes or ONCE_MINUTES))


def last_seen(row: ClusterWatch) -> Snapshot | None:
    """Return how it was last seen, with its users; None where nothing is kept that can be used."""
    kept = ClusterSnapshot.objects.defer("rest").filter(pk=row.snapshot_id or 0).first()
    try:
        return None if kept is None else clusters.whole(kept)
    except Unusable:
        return None
