"""Whether what pages show of servers, groups and users may have changed: asked at each poll, so cheap.

Whatever an administrator or the lab does leaves an event, what an SRM takes notice of besides
counts in ``SrmNews``, and a real client that logs in gets a new ``ClientLogin``. What changes with time alone is a heartbeat that is late, which
the sweep of each second notes there, and what ``holds_until`` looks for.
"""

import time
from collections.abc import Iterable

from django.db import connection

from redundancy.models import ClientLogin, HaEvent, NodeRuntime, PresenceSession, SrmNews
from redundancy.selectors import policy as policies
from redundancy.selectors.watching import last_event
from redundancy.srm import facts
from redundancy.srm.codec import node_from_json

# Wall seconds in which a transaction that has numbered its events is over.
_OPEN_SECONDS = 60.0
# Events that were numbered, by a guess, while this process did not look yet.
_BEFORE = 1000

_EVENTS, _NEWS = HaEvent._meta.db_table, SrmNews._meta.db_table
_LOGINS = ClientLogin._meta.db_table
# One statement sees one moment. Sums: what is committed late has a smaller key than what was seen before.
_SQL = f"""
SELECT newest, told, keys, looks, late, late_nodes, login
FROM (SELECT MAX(id) AS newest FROM {_EVENTS}) AS n,
     (SELECT COUNT(*) AS told, SUM(id) AS keys FROM {_EVENTS} WHERE id > %s) AS e,
     (SELECT MAX(looks) AS looks, MAX(late) AS late, MAX(late_nodes) AS late_nodes FROM {_NEWS}) AS r,
     (SELECT MAX(id) AS login FROM {_LOGINS}) AS c
"""

Stamp = tuple[int, ...]


class _Floor:
    """The event up to which all are committed or never will be: the newest one of a while ago."""

    def __init__(self) -> None:
        self._kept: tuple[int, int, float] | None = None

    def get(self) -> int:
        """Return its key."""
        if self._kept is None:
            newest = last_event()
            self._kept = (newest - _BEFORE, newest, time.monotonic())
        return self._kept[0]

    def rise(self, newest: int) -> None:
        """Take notice of the newest event there is now."""
        if self._kept is None or time.monotonic() - self._kept[2] > _OPEN_SECONDS:
            self._kept = (self._kept[1] if self._kept else newest, newest, time.monotonic())


_floor = _Floor()


def stamp() -> Stamp:
    """Return numbers of which at least one changes with what is shown, in one statement.

    Only equal ones say something, and only to this process: that nothing was changed. What follows
    from the time alone they tell of heartbeats that were late when the last sweep looked.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [_floor.get()])
        found = tuple(int(number or 0) for number in cursor.fetchone())
    _floor.rise(found[0])
    return found


def holds_until(now: float, nodes: Iterable[int] | None = None) -> float:
    """Return the lab time until which nothing changes with time alone; ``now`` when it may at once.

    Args:
        now: The lab time of the stamp that is to be kept.
        nodes: Keys of those that are shown, with every time limit of their SRM. None: of all, and of
            their limits that of a peer that is late already.

    """
    sessions = PresenceSession.objects.filter(relogin_at__gt=now)
    runtimes = NodeRuntime.objects.all()
    if nodes is None:
        runtimes = runtimes.filter(late_at__lt=now)
    else:
        sessions, runtimes = sessions.filter(node__in=nodes), runtimes.filter(pk__in=nodes)
    if sessions.exists():
        return now
    policy = policies.current()
    known = (node_from_json(m) for m in runtimes.values_list("memory", flat=True) if m)
    moments = [
        moment
        for node in known
        # The silence of a peer that said goodbye is no deadline to SRM, but is shown.
        for moment in (
            *facts.deadlines(node, policy),
            facts.gone_at(node, policy),
        )
        if moment > now
    ]
    return min(moments, default=float("inf"))
