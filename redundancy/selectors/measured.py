"""How the clients of a session move logged in, as few numbers that last longer than the sessions tell.

``SessionMove.logins`` holds them as JSON::

    {"width": 5, "counts": [[24, 17], [25, 31], …], "waited": 81234.5, "last": 536.2, "overtaken": 0}

``counts``: how many logged in ``width`` seconds each after the move, by the number of that span;
``waited``: seconds that all of them waited, together; ``last``: seconds until the last one;
``overtaken``: how many were moved again, or are still to come, before they had logged in.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import Count, F, Max, Sum

from redundancy.models import PresenceSession, SessionMove
from redundancy.selectors.logins import Whole

# Spans of a record, about.
SPANS = 120


@dataclass(frozen=True, slots=True)
class Measured:
    """The logins after a move. ``complete``: nobody is to come any more."""

    moved: int
    width: float
    counts: tuple[tuple[int, int], ...]
    waited: float
    last: float
    overtaken: int
    complete: bool

    @property
    def logged_in(self) -> int:
        """Return how many logged in."""
        return sum(count for _, count in self.counts)

    @property
    def others(self) -> int:
        """Return how many of the moved sessions tell of nothing: their users were reassigned or deleted."""
        return max(0, self.moved - self.logged_in - self.overtaken)

    def until(self, percent: int) -> float | None:
        """Return the seconds after which so many of the moved had logged in, at most; None if never."""
        everybody = self.logged_in + self.overtaken
        if not self.counts or (percent == 100 and self.overtaken):
            return None
        done = 0
        for span, count in self.counts:
            done += count
            if done * 100 >= percent * everybody:
                return min((span + 1) * self.width, self.last)
        return None


def of_move(move: SessionMove, now: float) -> Measured:
    """Return the logins of a move: as recorded, or as the sessions tell at lab time ``now``."""
    if move.logins is not None:
        return read(move, move.logins, complete=True)
    record = measure(move, now)
    return read(move, record, complete=not record["overtaken"])


def read(move: SessionMove, record: dict[str, Any], *, complete: bool) -> Measured:
    """Return a record as what it is."""
    return Measured(
        moved=move.moved,
        width=record["width"],
        counts=tuple((span, count) for span, count in record["counts"]),
        waited=record["waited"],
        last=record["last"],
        overtaken=record["overtaken"],
        complete=complete,
    )


def measure(move: SessionMove, now: float) -> dict[str, Any]:
    """Return the record of a move as its sessions tell at lab time ``now``; two queries."""
    width = max(1, ceil(move.upper / SPANS))
    after = F("relogin_at") - move.at
    sessions = PresenceSession.objects.filter(
        node__in=[pk for pk in (move.first_id, move.second_id) if pk],
        since=move.event.at,
        relogin_at__gt=F("limits_at"),
    )
    counts = (
        sessions.filter(relogin_at__lte=now)
        .annotate(span=Whole(after / float(width)))
        .values_list("span")
        .annotate(n=Count("pk"), waited=Sum(after), last=Max(after))
        .order_by("span")
    )
    rows = list(counts)
    late = sessions.filter(relogin_at__gt=now).count()
    return {
        "width": width,
        "counts": [[span, number] for span, number, _, _ in rows],
        # Who was moved again had waited until then.
        "waited": round(sum(row[2] for row in rows) + late * (now - move.at), 1),
        "last": round(max((row[3] for row in rows), default=0.0), 1),
        "overtaken": late,
    }
