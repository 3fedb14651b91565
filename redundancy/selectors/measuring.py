"""How clients logged in after moves, as their sessions tell: the records that ``selectors.logins`` describes."""

import json
from collections.abc import Collection
from typing import Any

from django.db import connection

from redundancy.models import HaEvent, Machine, PresenceSession, SessionMove
from redundancy.relogin import span_of

# The nodes of moves, as a table that the statement can join; they go along as one parameter.
_PLACES = {
    "sqlite": "(SELECT json_extract(value, '$[0]') AS move_id, json_extract(value, '$[1]') AS node_id, "
    "json_extract(value, '$[2]') AS width FROM json_each(%s))",
    "postgresql": "(SELECT (value->>0)::bigint AS move_id, (value->>1)::bigint AS node_id, "
    "(value->>2)::float8 AS width FROM json_array_elements(%s::json))",
}
# A number without its fraction; SQLite's own FLOOR would call Python for each row.
_WHOLE = {"sqlite": "CAST({} AS INTEGER)", "postgresql": "FLOOR({})::integer"}


def measure(move: SessionMove, now: float) -> dict[str, Any]:
    """Return the record of a move as its sessions tell at lab time ``now``; one query."""
    return measure_all([move], now)[move.pk]


def measure_all(moves: Collection[SessionMove], now: float) -> dict[int, dict[str, Any]]:
    """Return the same of several moves, by their keys, in one query."""
    records: dict[int, dict[str, Any]] = {
        move.pk: {
            "width": span_of(move.latest),
            "counts": [],
            "waited": 0.0,
            "last": 0.0,
            "overtaken": 0,
        }
        for move in moves
    }
    at = {move.pk: move.at for move in moves}
    places = [
        (move.pk, node, float(records[move.pk]["width"]))
        for move in moves
        for node in (move.first_id, move.second_id)
        if node
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [now, now, json.dumps(places)])
        rows = cursor.fetchall()
    for pk, span, number, waited, last in rows:
        record = records[pk]
        if span is None:
            record["overtaken"] = number
            # Who was moved again had waited until then.
            record["waited"] += number * (now - at[pk])
        else:
            record["waited"] += waited
            record["counts"].append([span, number])
            record["last"] = max(record["last"], last)
    for record in records.values():
        record["counts"].sort()
        record["waited"], record["last"] = round(record["waited"], 1), round(record["last"], 1)
    return records


def _statement() -> str:
    """Return the statement: of each move and span how many, how long they waited, when the last came.

    A session belongs to the move that it is where it is since, and that it got a later login of: see
    ``login_counts.of_move``. Without a span: whose client has not logged in.
    """
    moves, events, sessions, machines = (
        kind._meta.db_table for kind in (SessionMove, HaEvent, PresenceSession, Machine)
    )
    span = _WHOLE[connection.vendor].format("x.after / x.width")
    # Made once: else the databases would take the parameter apart, and look for it all, for each session.
    return (
        "WITH p AS MATERIALIZED (SELECT q.move_id, q.node_id, q.width, m.at, e.at AS since, "
        # Who was to log in later has not.
        "CASE WHEN k.logins_stopped_at < %s THEN k.logins_stopped_at ELSE %s END AS known "
        f"FROM {_PLACES[connection.vendor]} q "
        f"JOIN {moves} m ON m.event_id = q.move_id JOIN {events} e ON e.id = m.event_id "
        f"LEFT JOIN {machines} k ON k.server_id = q.node_id) "
        f"SELECT x.move_id, CASE WHEN x.done THEN {span} END, COUNT(*), SUM(x.after), MAX(x.after) "
        "FROM (SELECT p.move_id, p.width, s.relogin_at - p.at AS after, "
        "s.relogin_at <= p.known AS done "
        f"FROM p JOIN {sessions} s ON s.node_id = p.node_id AND s.since = p.since "
        "AND s.relogin_at > s.limits_at) x GROUP BY 1, 2"
    )
