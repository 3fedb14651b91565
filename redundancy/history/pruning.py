"""Let go of what else grows with the years: alarms, user records, imports, planned restarts, sign-in sessions.

By the days of the history, the oldest first, in bounded pieces; never what is still open. What is kept
in lab time is judged by the lab time of that wall moment. Of what was done to users the last record of
each is kept whatever its age: it tells where the user is assigned, and whether signed in.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Model, QuerySet
from django.utils import timezone

from redundancy import clock
from redundancy.keys import unpack
from redundancy.models import (
    Alarm,
    PlannedRestart,
    PresenceUser,
    RecordKind,
    UserImport,
    UserRecord,
)

# Rows deleted in one transaction, and transactions of one table in one run.
CHUNK = 500
CHUNKS = 20
# An import may hold 10,000 errors.
IMPORTS = 5
# What the last records of all users are found among.
MOST_RECORDS = 200_000
_ASSIGNING = (RecordKind.ASSIGNED, RecordKind.UNASSIGNED)


def prune_others(*, days: float, now: datetime | None = None) -> tuple[dict[str, int], bool]:
    """Delete what ended more than ``days`` ago (wall time; 0: nothing), and sign-in sessions that expired.

    Return how many rows of each table were deleted, by its name, and whether there may be more.
    """
    now = now or timezone.now()
    old: list[tuple[QuerySet[Any], int]] = [(Session.objects.filter(expire_date__lt=now), CHUNK)]
    if days:
        before = now - timedelta(days=days)
        lab_before = clock.lab_at(before.timestamp())
        old += [
            (Alarm.objects.filter(cleared_at__lt=lab_before), CHUNK),
            (PlannedRestart.objects.filter(ended_at__lt=lab_before), CHUNK),
            (UserImport.objects.filter(ended_at__lt=before), IMPORTS),
            (LogEntry.objects.filter(action_time__lt=before), CHUNK),
        ]
    deleted: dict[str, int] = {}
    more = False
    for rows, size in old:
        count, left = _delete(rows, size)
        more |= left
        deleted[str(rows.model._meta.model_name)] = count
    if days:
        spare = list(_spare_records(lab_before))
        deleted["userrecord"] = len(spare)
        for start in range(0, len(spare), CHUNK):
            UserRecord.objects.filter(pk__in=spare[start : start + CHUNK]).delete()
    return {name: count for name, count in deleted.items() if count}, more


def _delete(rows: QuerySet[Model], size: int) -> tuple[int, bool]:
    """Delete ``rows`` in pieces of ``size``; return how many, and whether there are more."""
    deleted = 0
    for _ in range(CHUNKS):
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:size])
        rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < size:
            return deleted, False
    return deleted, True


def _spare_records(before: float) -> Iterator[int]:
    """Yield the records from before lab time ``before`` that are the last one of no user."""
    old = UserRecord.objects.filter(at__lt=before).order_by("-at", "-pk")
    if not old.exists():
        return
    users = set(PresenceUser.objects.values_list("pk", flat=True))
    # Who has a later record of the same sort: of the assignment, and of signing in or out.
    later: dict[bool, set[int]] = {True: set(), False: set()}
    rows = old.values_list("pk", "kind", "keys")[:MOST_RECORDS]
    for pk, kind, keys in rows.iterator(chunk_size=CHUNK):
        known = later[kind in _ASSIGNING]
        still = unpack(keys) & users
        if still <= known:
            yield pk
        known |= still
