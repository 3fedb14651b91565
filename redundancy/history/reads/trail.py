"""The audit trail: who signed in and who changed what, from which address; by wall time."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import Q

from redundancy.history.reads.events import Place
from redundancy.models import EventKind, HaEvent, SignIn
from redundancy.srm.words import say

ROWS = 50


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """A line of the trail. ``event``: key of the change; None of a sign-in."""

    at: datetime
    pk: int
    who: str
    address: str
    what: str
    kind: str
    event: HaEvent | None = None
    failed: bool = False

    @property
    def place(self) -> str:
        """Return its place in the trail, as an address carries it."""
        return f"{_CHANGE if self.event else _SIGN_IN}-{Place(self.at, self.pk)}"


_SIGN_IN, _CHANGE = "s", "c"


def trail_page(
    *, who: str = "", before: str = "", rows: int = ROWS
) -> tuple[list[TrailEntry], str] | None:
    """Return the lines before a place, the newest first, and the place where the next page begins.

    The place is empty when there is no next page. None: ``before`` is no place.

    Args:
        who: User name; everybody when empty.
        before: A place that an earlier page ended at; the newest lines when empty.
        rows: Lines of a page.

    """
    source, _, rest = before.partition("-")
    place = Place.parse(rest)
    if before and (place is None or source not in (_SIGN_IN, _CHANGE)):
        return None
    # Of the same moment sign-ins come after changes: both lists are read by the same order.
    changes = _changes(who, _older("recorded_at", place, same=source == _CHANGE), rows + 1)
    sign_ins = _sign_ins(
        who, _older("at", place, same=source == _SIGN_IN, all_of=source == _CHANGE), rows + 1
    )
    merged = sorted(
        [*changes, *sign_ins], key=lambda e: (e.at, e.event is not None, e.pk), reverse=True
    )
    shown = list(islice(merged, rows))
    return shown, shown[-1].place if len(merged) > rows else ""


def _older(column: str, place: Place | None, *, same: bool, all_of: bool = False) -> Q:
    """Return the condition for what is before a place: ``same`` list, or ``all_of`` that moment too."""
    if place is None:
        return Q()
    older = Q(**{f"{column}__lt": place.at})
    if same:
        older |= Q(**{column: place.at, "pk__lt": place.pk})
    if all_of:
        older |= Q(**{column: place.at})
    return older


def _changes(who: str, older: Q, limit: int) -> list[TrailEntry]:
    found = HaEvent.objects.exclude(actor="").exclude(kind=EventKind.STATE).filter(older)
    if who:
        found = found.filter(actor=who)
    return [
        TrailEntry(
            at=event.recorded_at,
            pk=event.pk,
            who=event.actor,
            address=event.address or "",
            what=event.sentence,
            kind=event.get_kind_display(),
            event=event,
        )
        for event in found.order_by("-recorded_at", "-pk")[:limit]
    ]


def _sign_ins(who: str, older: Q, limit: int) -> list[TrailEntry]:
    found = SignIn.objects.filter(older)
    if who:
        found = found.filter(username=who)
    return [
        TrailEntry(
            at=row.at,
            pk=row.pk,
            who=row.username or say("unknown user"),
            address=row.address or "",
            what=_outcome(row),
            kind=say("Sign-in"),
            failed=not row.ok,
        )
        for row in found.order_by("-at", "-pk")[:limit]
    ]


def _outcome(row: SignIn) -> str:
    if row.ok:
        return say("Signed in.")
    if row.refused:
        return say("Sign-in refused: too many had failed before. The password was not looked at.")
    return say("Sign-in failed.") if row.username else say("Sign-in failed: no user has this name.")
