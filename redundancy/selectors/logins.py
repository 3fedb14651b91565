"""How the clients of a group log in after its last move, counted over time."""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Count, F, Func, IntegerField, Q, Value, When
from django.db.models.sql.compiler import SQLCompiler

from redundancy.models import PresenceSession, SessionMove
from redundancy.relogin import expected_peak
from redundancy.srm.words import say

# Seconds that a span of the plot may have; at most so many spans.
WIDTHS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST = 60


class Whole(Func):
    """A number without its fraction."""

    function = "FLOOR"
    output_field = IntegerField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, Any]:
        """Return the same without a call of Python for each row."""
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS INTEGER)")


@dataclass(frozen=True, slots=True)
class Span:
    """Some seconds after a move. ``begin`` and ``end``: seconds after it; ``active``: at its end."""

    begin: float
    end: float
    logins: int
    active: int

    @property
    def rate(self) -> float:
        """Return the logins per second."""
        return self.logins / (self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Logins:
    """The logins after the last move of a group.

    ``width``: seconds of a span. ``spans``: those that have begun. ``stayed``: users who were not
    moved and are logged in. ``waiting``: clients whose login is to come. ``elapsed``: seconds since
    the move; None when everybody is back.
    """

    move: SessionMove
    width: int
    spans: tuple[Span, ...]
    stayed: int
    waiting: int
    elapsed: float | None

    @property
    def done(self) -> int:
        """Return how many have logged in since the move."""
        return sum(span.logins for span in self.spans)

    @property
    def others(self) -> int:
        """Return how many of the moved the sessions do not tell of any more."""
        return max(0, self.move.moved - self.done - self.waiting)

    @property
    def whither(self) -> str:
        """Return where the sessions went."""
        return self.move.holder_name or say("their assigned servers")

    @property
    def peak(self) -> Span:
        """Return the span with the most logins per second."""
        return max(self.spans, key=lambda span: span.rate)

    @property
    def expected(self) -> float:
        """Return the logins per second that evenly spread clients would make."""
        return expected_peak(self.move.moved, self.move.lower, self.move.upper)

    def until(self, percent: int) -> float | None:
        """Return the seconds after which so many of the moved were back, at most; None before."""
        wanted = percent / 100 * (self.done + self.waiting)
        done = accumulate(span.logins for span in self.spans)
        return next(
            (span.end for span, sum_ in zip(self.spans, done, strict=True) if sum_ >= wanted), None
        )

    @property
    def milestones(self) -> tuple[tuple[int, float | None], ...]:
        """Return after how many seconds 50, 95 and 100 % were back."""
        return tuple((percent, self.until(percent)) for percent in (50, 95, 100))

    def gone_at(self, afterwards: float) -> float:
        """Return the lab time from which ``logins_of`` does not tell them any more."""
        return self.move.at + self.move.upper + afterwards

    @property
    def version(self) -> str:
        """Return a text that changes with what is shown."""
        now = len(self.spans) if self.waiting else "all"
        return f"{self.move.pk}.{now}.{self.done}.{self.waiting}.{self.stayed}"


def logins_of(group_id: int, now: float, *, afterwards: float = math.inf) -> Logins | None:
    """Return the logins after the group's last move at lab time ``now``, in two queries.

    None when no session of it was ever moved, or none tells of it any more, or when the last client
    logged in more than ``afterwards`` seconds ago: all sessions are counted only where it matters.
    """
    move = SessionMove.objects.filter(group=group_id, moved__gt=0).select_related("event").first()
    if move is None or now > move.at + move.upper + afterwards:
        return None
    # Who asks may have looked at the clock just before the move was stored.
    now = max(now, move.at)
    width = next((width for width in WIDTHS if width * MOST >= move.upper), WIDTHS[-1])
    # All that were moved by it are where they are since that very moment; so is one who logged in
    # just then, but to log in is not to be moved.
    of_move = Q(since=move.event.at, relogin_at__gt=F("limits_at"))
    span = Whole((F("relogin_at") - move.at) / float(width))
    rows = (
        PresenceSession.objects.filter(node__in=[move.first_id, move.second_id])
        .annotate(span=Case(When(of_move, then=span), default=Value(-1)))
        .values("span")
        .annotate(all=Count("pk"), done=Count("pk", filter=Q(relogin_at__lte=now)))
        .order_by("span")
    )
    counts = {row["span"]: (row["all"], row["done"]) for row in rows}
    stayed = counts.pop(-1, (0, 0))[1]
    if not counts:
        return None
    waiting = sum(everybody - done for everybody, done in counts.values())
    last = max(counts) if not waiting else int((now - move.at) // width)
    done = [counts.get(number, (0, 0))[1] for number in range(last + 1)]
    return Logins(
        move=move,
        width=width,
        spans=tuple(
            Span(
                number * width,
                (number + 1) * width,
                logins,
                stayed + sum_,
            )
            for number, (logins, sum_) in enumerate(zip(done, accumulate(done), strict=True))
        ),
        stayed=stayed,
        waiting=waiting,
        elapsed=now - move.at if waiting else None,
    )
