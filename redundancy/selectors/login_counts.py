"""When the sessions at the nodes of a move log in: counted once, and told of any moment.

Which session logs in when is settled by the move; it is time alone that logs them in. So all of them
are counted only when something has changed, as the stamp says; for the moment of a look only those of the
span that it lies in.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Count, F, Func, IntegerField, Max, Q, QuerySet, Value, When
from django.db.models.sql.compiler import SQLCompiler

from redundancy.models import PresenceSession, SessionMove
from redundancy.selectors.access import Access, access_of
from redundancy.selectors.kept import kept
from redundancy.selectors.stamp import Stamp


@dataclass(frozen=True, slots=True)
class SpanCount:
    """The users moved whose clients log in in one span.

    ``everybody``: of the span; ``done``: who has logged in; ``last``: seconds after the move of the last of these.
    """

    everybody: int
    done: int
    last: float


# Node, whether it was moved, number of the span, how many, lab time of the last login.
_Counted = tuple[int, bool, int, int, float]


class _Whole(Func):
    """A number without its fraction."""

    function = "FLOOR"
    output_field = IntegerField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, Any]:
        """Return the same without a call of Python for each row."""
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS INTEGER)")


def at_nodes(move: SessionMove) -> QuerySet[PresenceSession]:
    """Return the sessions at the nodes of a move."""
    return PresenceSession.objects.filter(node__in=_nodes(move))


def of_move(move: SessionMove) -> Q:
    """Return the condition for the sessions that were moved by it, and not again.

    They are where they are since that very moment; so is one who logged in just then, but to log in
    is not to be moved.
    """
    return Q(since=move.event.at, relogin_at__gt=F("limits_at"))


def count_logins(
    move: SessionMove, width: float, now: float, at: Stamp
) -> tuple[dict[int, SpanCount], int]:
    """Return the logins of a move by the number of their span, as lab time ``now`` knows them.

    Also how many users are logged in that were not moved. ``width``: seconds of a span; ``now``: not before the
    move; ``at``: the stamp of now.
    """
    known = _known(move, now)
    present = {node: math.floor((end - move.at) / width) for node, end in known.items()}
    spans: dict[int, list[SpanCount]] = defaultdict(list)
    stayed = 0
    for node, moved, span, number, last in _counted(move, width, at):
        # The span in which the moment lies is counted below; those before it are over.
        over = span < present[node]
        if moved:
            spans[span].append(SpanCount(number, number * over, (last - move.at) * over))
        elif over:
            stayed += number
    for moved, span, number, last in _begun(move, width, known, present):
        if moved:
            spans[span].append(SpanCount(0, number, last - move.at))
        else:
            stayed += number
    return {
        span: SpanCount(
            sum(each.everybody for each in found),
            # What came between the two looks is told by the next stamp.
            min(sum(each.done for each in found), sum(each.everybody for each in found)),
            max(each.last for each in found),
        )
        for span, found in spans.items()
    }, stayed


def _nodes(move: SessionMove) -> list[int]:
    return [pk for pk in (move.first_id, move.second_id) if pk]


def _known(move: SessionMove, now: float) -> dict[int, float]:
    """Return until when the logins at each node are known: who was to log in later has not."""
    nodes = _nodes(move)
    access = access_of(nodes)
    stopped = {pk: access.get(pk, Access()).stopped_at for pk in nodes}
    return {pk: now if at is None else min(now, at) for pk, at in stopped.items()}


def _counted(move: SessionMove, width: float, at: Stamp) -> list[_Counted]:
    """Return how many sessions are of each span at each node; counted anew when something has changed."""
    rows = kept(f"logins:{move.pk}", at, lambda: list(_rows(move, at_nodes(move), width, "node")))
    return [(node, *found) for (node,), found in rows]


def _begun(
    move: SessionMove, width: float, known: dict[int, float], present: dict[int, int]
) -> Iterator[tuple[bool, int, int, float]]:
    """Return who has logged in in the spans that are not over: moved or not, span, how many, the last."""
    alike: dict[float, list[int]] = defaultdict(list)
    for node, end in known.items():
        alike[end].append(node)
    for end, nodes in alike.items():
        number = present[nodes[0]]
        # A second more, for what rounding leaves: the span is told by the same sum for all.
        begin = move.at + number * width - 1 if number >= 0 else None
        some = PresenceSession.objects.filter(node__in=nodes, relogin_at__lte=end)
        if begin is not None:
            some = some.filter(relogin_at__gt=begin)
        for _, found in _rows(move, some, width):
            if found[1] == number or (number < 0 and found[1] < 0):
                yield found


def _rows(
    move: SessionMove, sessions: QuerySet[PresenceSession], width: float, *by: str
) -> Iterator[tuple[tuple[int, ...], tuple[bool, int, int, float]]]:
    """Count ``sessions`` by ``by``, and by whether they were moved and their span; -1: before the move."""
    span = _Whole((F("relogin_at") - move.at) / float(width))
    kind = Case(
        When(of_move(move), then=span * 2 + 1),
        When(relogin_at__lt=move.at, then=Value(-2)),
        default=span * 2,
        output_field=IntegerField(),
    )
    rows = sessions.order_by().annotate(kind=kind).values_list(*by, "kind")
    for *keys, found, number, last in rows.annotate(n=Count("*"), last=Max("relogin_at")):
        yield tuple(keys), (bool(found % 2), found // 2, number, last)
