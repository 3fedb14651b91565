"""How the clients of a group log in after a move, counted over time.

Live, after the last move, for the plot; and as a record of few numbers that lasts longer than the
sessions tell of a move. ``SessionMove.logins`` holds the record as JSON::

    {"width": 5, "counts": [[24, 17], [25, 31], …], "waited": 81234.5, "last": 536.2, "overtaken": 0}

``counts``: how many logged in ``width`` seconds each after the move, by the number of that span;
``waited``: seconds that all of them waited, together; ``last``: seconds until the last one;
``overtaken``: how many were moved again, or are still to come, before they had logged in.
All of these are users; the clients of a user log in together, and logins per second count them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from redundancy.fingerprint import PASSING
from redundancy.models import SessionMove
from redundancy.relogin import PERCENTS, even_rate, rate_in_words, span_of
from redundancy.selectors.login_counts import SpanCount, count_logins
from redundancy.selectors.measuring import measure
from redundancy.selectors.stamp import Stamp, stamp
from redundancy.srm.words import say

_NOBODY = SpanCount(0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class Span:
    """Some seconds after a move. ``begin`` and ``end``: seconds after it; ``active``: at its end.

    ``logins``: of clients; ``active``: users.
    """

    begin: float
    end: float
    logins: int
    active: int

    @property
    def rate(self) -> float:
        """Return the logins per second."""
        return self.logins / (self.end - self.begin)

    @property
    def rate_in_words(self) -> str:
        """Return the logins per second as pages show them."""
        return rate_in_words(self.rate)


@dataclass(frozen=True, slots=True)
class Logins:
    """The logins after the last move of a group.

    ``width``: seconds of a span. ``spans``: those that have begun. ``stayed``: users who were not
    moved and are logged in. ``waiting``: users whose clients' logins are to come. ``last``: seconds
    after the move of the last login so far. ``elapsed``: seconds since the move; None when everybody
    is back.
    """

    move: SessionMove
    width: int
    spans: tuple[Span, ...]
    stayed: int
    waiting: int
    last: float
    elapsed: float | None = field(metadata=PASSING)

    @property
    def done(self) -> int:
        """Return how many users have logged in since the move."""
        return self.logins // self.move.clients_per_user

    @property
    def logins(self) -> int:
        """Return how many clients have logged in since the move."""
        return sum(span.logins for span in self.spans)

    @property
    def waiting_clients(self) -> int:
        """Return how many clients are to log in."""
        return self.waiting * self.move.clients_per_user

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
    def expected_in_words(self) -> str:
        """Return the logins per second that evenly spread clients would make."""
        return rate_in_words(self.expected)

    @property
    def expected(self) -> float:
        """Return the logins per second that evenly spread clients would make."""
        others = self.move.sessions * (100 - self.move.push_clients) / 100
        return even_rate(others, self.move.lower, self.move.upper)

    @property
    def push_window(self) -> tuple[float, float] | None:
        """Return between how many seconds after the move push clients log in.

        None without any, and where they had waited already before the logins began.
        """
        if not self.move.push_clients or self.move.again:
            return None
        return self.move.window(push=True)

    @property
    def push_expected(self) -> float:
        """Return the logins per second that evenly spread push clients would make."""
        pushed = self.move.sessions * self.move.push_clients / 100
        return even_rate(pushed, *self.move.window(push=True))

    @property
    def push_expected_in_words(self) -> str:
        """Return the same as pages show it."""
        return rate_in_words(self.push_expected)

    @property
    def milestones(self) -> tuple[tuple[int, float | None], ...]:
        """Return after how many seconds, at most, so many percent of the moved were back."""
        everybody = self.done + self.waiting
        users = self.move.clients_per_user
        counts = [(span.end, span.logins // users) for span in self.spans]
        return tuple(
            (percent, _until(percent, everybody, counts, self.last)) for percent in PERCENTS
        )

    def gone_at(self, afterwards: float) -> float:
        """Return the lab time from which ``logins_of`` does not tell them any more."""
        return self.move.at + self.move.latest + afterwards


def last_move(group_id: int) -> SessionMove | None:
    """Return the last move of sessions of the group, with its event; None when none was ever moved."""
    return SessionMove.objects.filter(group=group_id, moved__gt=0).select_related("event").first()


def logins_of(
    move: SessionMove | None, now: float, *, afterwards: float = math.inf, at: Stamp | None = None
) -> Logins | None:
    """Return the logins after a group's last move at lab time ``now``, in a constant number of queries.

    None without a move, when no session tells of it any more, or when the last client
    logged in more than ``afterwards`` seconds ago: all sessions are counted only where it matters. ``at``:
    the stamp of now, where it is known.
    """
    if move is None or now > move.at + move.latest + afterwards:
        return None
    # Who asks may have looked at the clock just before the move was stored.
    now = max(now, move.at)
    width = span_of(move.latest)
    counts, stayed = count_logins(move, width, now, at or stamp())
    if not counts:
        return None
    waiting = sum(each.everybody - each.done for each in counts.values())
    newest = max(counts) if not waiting else int((now - move.at) // width)
    done = [counts.get(number, _NOBODY).done for number in range(newest + 1)]
    return Logins(
        move=move,
        width=width,
        spans=tuple(
            Span(
                number * width,
                (number + 1) * width,
                logins * move.clients_per_user,
                stayed + sum_,
            )
            for number, (logins, sum_) in enumerate(zip(done, accumulate(done), strict=True))
        ),
        stayed=stayed,
        waiting=waiting,
        last=max(each.last for each in counts.values()),
        elapsed=now - move.at if waiting else None,
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """The record of the logins after a move. ``complete``: nobody is to come any more.

    All numbers are of users; ``per_user``: how many clients each has.
    """

    moved: int
    width: float
    counts: tuple[tuple[int, int], ...]
    waited: float
    last: float
    overtaken: int
    complete: bool
    per_user: int = 1

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
        ends = (((span + 1) * self.width, count) for span, count in self.counts)
        return _until(percent, everybody, ends, self.last)

    @property
    def peak(self) -> float:
        """Return the logins per second in the busiest span."""
        most = max((count for _, count in self.counts), default=0)
        return most * self.per_user / self.width


def measured_logins(move: SessionMove, now: float) -> Measured:
    """Return the logins of a move: as recorded, or as the sessions tell at lab time ``now``."""
    record = move.logins or measure(move, now)
    return Measured(
        **record | {"counts": tuple((span, count) for span, count in record["counts"])},
        moved=move.moved,
        per_user=move.clients_per_user,
        complete=move.logins is not None or not record["overtaken"],
    )


def _until(
    percent: int, everybody: int, counts: Iterable[tuple[float, int]], last: float
) -> float | None:
    """Return after how many seconds, at most, so many of everybody had logged in; None while they had not.

    ``counts``: the end of each span with its logins; ``last``: when the last one logged in.
    """
    done = 0
    for end, logins in counts:
        done += logins
        if done * 100 >= percent * everybody:
            return min(end, last)
    return None
