"""Sessions on their way from one node of a group to the other, of one group or of many at once.

Of many in two statements, whatever their number: the ways go along as one parameter, a table that the
statements join.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, Expression, FloatField, QuerySet, Value, When
from django.db.models.functions import Random

from redundancy.clock import lab_datetime
from redundancy.models import WHEN_IT_COMES, PresenceSession, PresenceUser
from redundancy.selectors import limits
from redundancy.selectors.enterprise import ClientSettings
from redundancy.selectors.limits import Limit
from redundancy.srm.clients import PUSH_MARKS, PUSH_STEP, PUSH_WAIT, push_below


@dataclass(frozen=True, slots=True)
class Way:
    """Where sessions go: from one node (by its key) to another of the same ``group``.

    ``homewards``: only those of users that are assigned to ``goal``. ``known``: who was to log in at
    ``start`` after that (lab seconds) has not. ``lower`` and ``upper``: the re-login limits of ``goal``.
    """

    group: int
    start: int
    goal: int
    homewards: bool
    known: float
    lower: Limit
    upper: Limit


@dataclass(frozen=True, slots=True)
class Passed:
    """How many users went along a way, ``pushed`` of them with push clients, and the limits of the others."""

    moved: int
    pushed: int
    lower: float
    upper: float


def logs_in_at(played: Expression) -> Expression:
    """Return when the client of a session that is sent to log in does so: a played one at ``played``."""
    real = When(by_client=True, then=Value(WHEN_IT_COMES))
    return Case(real, default=played, output_field=FloatField())


def move_along(ways: Sequence[Way], now: float, clients: ClientSettings) -> list[Passed]:
    """Move the sessions along these ways, which do not meet; return what passed along each.

    Each client waits a time of its own between the limits that it keeps from its last login, or
    between those of push clients, and logs in then; a real one when it does.
    """
    if len(ways) > 1:
        return _along_many(ways, now, clients)
    # The database finds the best plan for one statement about one node.
    return [_along_one(way, now, clients) for way in ways]


def _along_one(way: Way, now: float, clients: ClientSettings) -> Passed:
    login = limits.last_login(way.known)
    low, high = way.lower.at(login), way.upper.at(login)
    leaving = _leaving(way)
    # Only where the node had several limits does it depend on the sessions which ones count.
    several = len(way.lower.values) > 1 or len(way.upper.values) > 1
    theirs = limits.pushed(clients.push)
    others = leaving.exclude(theirs) if clients.push else leaving
    pushed = leaving.filter(theirs).count() if clients.push else 0
    bands = limits.bands_of(others, way.lower, way.upper, way.known) if several else []
    moved = leaving.update(
        node=way.goal,
        since=lab_datetime(now),
        relogin_at=logs_in_at(now + low + (high - low) * Random()),
        limits_at=login,
    )
    return _passed(way, moved, pushed, [(band.lower, band.upper) for band in bands])


def _leaving(way: Way) -> QuerySet[PresenceSession]:
    sessions = PresenceSession.objects
    if not way.homewards:
        return sessions.filter(node=way.start)
    # So SQLite goes through the sessions in the order of their keys, not of an index.
    return sessions.filter(user__in=PresenceUser.objects.filter(home=way.goal)).exclude(
        node=way.goal
    )


def _passed(way: Way, moved: int, pushed: int, bands: Sequence[tuple[float, float]]) -> Passed:
    return Passed(
        moved,
        pushed,
        min((low for low, _ in bands), default=min(way.lower.values)),
        max((high for _, high in bands), default=max(way.upper.values)),
    )


# The table of ways: each has a row for every span of logins that has limits of its own.
_COLUMNS = {
    "number": "int",
    "start": "bigint",
    "goal": "bigint",
    "homewards": "int",
    "known": "float8",
    "first": "float8",
    "until": "float8",
    "low": "float8",
    "high": "float8",
}
# Made once: else the databases would take the parameter apart for each session.
_TABLE = {
    "sqlite": "(WITH m AS MATERIALIZED (SELECT "
    + ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in _COLUMNS)
    + " FROM json_each(%s)) SELECT * FROM m) w",
    "postgresql": "(WITH m AS MATERIALIZED (SELECT "
    + ", ".join(f"{name}" for name in _COLUMNS)
    + " FROM json_to_recordset(%s::json) AS r("
    + ", ".join(f'"{name}" {kind}' for name, kind in _COLUMNS.items())
    + ")) SELECT * FROM m) w",
}
_LOGIN = "CASE WHEN s.relogin_at <= w.known THEN s.relogin_at ELSE s.limits_at END"


def _rows(ways: Sequence[Way]) -> Iterator[dict[str, Any]]:
    for number, way in enumerate(ways):
        for first, until, low, high in limits.spans(way.lower, way.upper):
            yield {
                "number": number,
                "start": way.start,
                "goal": way.goal,
                "homewards": int(way.homewards),
                "known": way.known,
                "first": first,
                "until": until,
                "low": low,
                "high": high,
            }


def _along_many(ways: Sequence[Way], now: float, clients: ClientSettings) -> list[Passed]:
    sessions, users = PresenceSession._meta.db_table, PresenceUser._meta.db_table
    table, param = _TABLE[connection.vendor], json.dumps(list(_rows(ways)))
    leaving = (
        f"s.node_id = w.start AND {_LOGIN} >= w.first AND {_LOGIN} < w.until "
        f"AND (w.homewards = 0 OR EXISTS (SELECT 1 FROM {users} u "
        "WHERE u.home_id = w.goal AND u.id = s.user_id))"
    )
    push = f"s.user_id * {PUSH_STEP} %% {PUSH_MARKS} < {push_below(clients.push)}"
    low, high = (
        f"CASE WHEN {push} THEN {wait} ELSE w.{name} END" if clients.push else f"w.{name}"
        for name, wait in zip(("low", "high"), PUSH_WAIT, strict=True)
    )
    since = PresenceSession._meta.get_field("since").get_db_prep_save(lab_datetime(now), connection)
    draw = "RAND()" if connection.vendor == "sqlite" else "RANDOM()"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT w.number, w.low, w.high, COUNT(*), SUM(CASE WHEN {push} THEN 1 ELSE 0 END) "
            f"FROM {table} JOIN {sessions} s ON {leaving} "
            "GROUP BY w.number, w.low, w.high",
            [param],
        )
        found = cursor.fetchall()
        cursor.execute(
            f"UPDATE {sessions} AS s SET node_id = w.goal, since = %s, "
            "relogin_at = CASE WHEN s.by_client THEN %s "
            f"ELSE %s + {low} + (({high}) - ({low})) * {draw} END, limits_at = {_LOGIN} "
            f"FROM {table} WHERE {leaving}",
            [since, WHEN_IT_COMES, now, param],
        )
        moved = cursor.rowcount
    rows: dict[int, list[tuple[Any, ...]]] = {}
    for number, *row in found:
        rows.setdefault(number, []).append(tuple(row))
    passed = [_sum_up(way, rows.get(number, ())) for number, way in enumerate(ways)]
    if moved != sum(each.moved for each in passed):
        raise RuntimeError(f"{moved} sessions were moved, other than were counted")
    return passed


def _sum_up(way: Way, rows: Sequence[tuple[Any, ...]]) -> Passed:
    bands = [(low, high) for low, high, number, pushed in rows if number > pushed]
    return _passed(way, sum(row[2] for row in rows), sum(row[3] for row in rows), bands)
