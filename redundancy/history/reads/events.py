"""The history of high availability: filtered, page after page from where the last one ended.

Nothing is counted, and no page is found by skipping those before it, so that a million events cost
no more than a thousand. Text is no index's business: it is looked for in so many events at a time,
and the page says how far back that was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from redundancy.models import HaEvent, RedundancyGroup, Server

# Events of a page.
ROWS = 50
# Events that one page looks through for a text.
SCAN = 20_000
# Events that an export reads at a time.
CHUNK = 2000
# Names suggested in the fields of the filter.
SUGGESTED = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
# More are no moment that there is, and no key.
_DIGITS = 16
TEXT_COLUMNS = ("sentence__english", "new_state", "new_reason", "actor")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: all that match everything that is given. Times are lab times, both included.

    ``group`` and ``node`` are names as they are now; of what was deleted, as they were.
    """

    group: str = ""
    node: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the history: at an event."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        """Return it as an address carries it."""
        return f"{(self.at - _EPOCH) // _MICRO}-{self.pk}"

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """Return the place that an address carries; None when it is none."""
        micros, _, pk = text.partition("-")
        if not (_digits(micros) and _digits(pk)):
            return None
        return cls(_EPOCH + int(micros) * _MICRO, int(pk))

    @classmethod
    def of(cls, event: HaEvent) -> "Place":
        """Return the place of an event."""
        return cls(event.at, event.pk)


@dataclass(frozen=True, slots=True)
class Page:
    """Events, the newest first.

    ``older`` and ``newer``: where the next page begins on either side; None where there is none.
    ``searched``: the lab time of the last event that was looked through for the text, when there
    are older ones that were not.
    """

    events: tuple[HaEvent, ...]
    older: Place | None = None
    newer: Place | None = None
    searched: datetime | None = None


def matching(wanted: Wanted) -> QuerySet[HaEvent]:
    """Return the events that match, the newest first; the text left out."""
    found = HaEvent.objects.order_by("-at", "-pk")
    if wanted.group:
        group = RedundancyGroup.objects.filter(name__iexact=wanted.group).first()
        gone = Q(group=None, group_name__iexact=wanted.group)
        found = found.filter(Q(group=group) if group else gone)
    if wanted.node:
        node = Server.objects.filter(name__iexact=wanted.node).first()
        gone = Q(node=None, node_name__iexact=wanted.node)
        found = found.filter(Q(node=node) if node else gone)
    if wanted.kind and (wanted.group or wanted.node):
        # Worded so that SQLite, which knows of no statistics, begins with the group's or node's index.
        found = found.filter(kind__in=[wanted.kind, ""])
    elif wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__lte=wanted.until)
    return found


def events_page(
    wanted: Wanted, *, before: Place | None = None, after: Place | None = None, rows: int = ROWS
) -> Page:
    """Return the events next to a place: older than ``before``, or newer than ``after``.

    Without a place: the newest.
    """
    if after is not None:
        return _newer(wanted, after, rows)
    events, edge = _some(wanted, before, rows + 1, down=True)
    shown = events[:rows]
    older = Place.of(shown[-1]) if len(events) > rows else edge
    newer = Place.of(shown[0]) if before is not None and shown else None
    return Page(tuple(shown), older, newer, edge.at if edge and len(events) <= rows else None)


def _newer(wanted: Wanted, after: Place, rows: int) -> Page:
    events, edge = _some(wanted, after, rows + 1, down=False)
    shown = events[:rows]
    if not shown and edge is None:
        # Nothing newer: the newest page is what somebody who came from there wants to see.
        return events_page(wanted, rows=rows)
    newer = Place.of(shown[-1]) if len(events) > rows else edge
    shown.reverse()
    return Page(tuple(shown), Place.of(shown[-1]) if shown else after, newer)


def _some(
    wanted: Wanted, beyond: Place | None, limit: int, *, down: bool
) -> tuple[list[HaEvent], Place | None]:
    """Return up to ``limit`` events beyond a place, nearest first, and how far was looked for a text.

    The second is None when nothing was left to look through.
    """
    found = matching(wanted)
    if beyond is not None:
        found = _beside(found, beyond, "lt" if down else "gt")
    if not down:
        found = found.order_by("at", "pk")
    edge = None
    if wanted.text:
        # SQLite counts from the index; a page that ends here says so.
        last = found.values_list("at", "pk")[SCAN - 1 : SCAN].first()
        edge = Place(*last) if last else None
        if edge is not None:
            found = _beside(found, edge, "gt" if down else "lt", "e")
        text = Q()
        for column in TEXT_COLUMNS:
            text |= Q(**{f"{column}__icontains": wanted.text})
        found = found.filter(text)
    return list(found[:limit]), edge


def _beside(
    found: QuerySet[HaEvent], place: Place, side: str, itself: str = ""
) -> QuerySet[HaEvent]:
    """Return those on one ``side`` of a place, "lt" or "gt"; with what is at it when ``itself`` is "e"."""
    # The first condition alone is what an index can begin with.
    found = found.filter(**{f"at__{side}e": place.at})
    return found.filter(Q(**{f"at__{side}": place.at}) | Q(**{f"pk__{side}{itself}": place.pk}))


def events() -> QuerySet[HaEvent]:
    """Return every event, with its group and its server."""
    return HaEvent.objects.select_related("group", "node")


def everything(wanted: Wanted) -> Iterator[HaEvent]:
    """Yield every event that matches, the newest first, without holding more than a few thousand."""
    place: Place | None = None
    while True:
        events, edge = _some(wanted, place, CHUNK, down=True)
        yield from events
        place = Place.of(events[-1]) if len(events) == CHUNK else edge
        if place is None:
            return


def names() -> tuple[list[str], list[str]]:
    """Return the names of some groups and nodes, to choose from while there are not many."""
    groups = RedundancyGroup.objects.order_by("name").values_list("name", flat=True)
    nodes = Server.objects.filter(runtime__isnull=False).order_by("name")
    return list(groups[:SUGGESTED]), list(nodes.values_list("name", flat=True)[:SUGGESTED])


def _digits(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
