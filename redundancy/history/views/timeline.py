"""The timeline of a group: the states of its nodes over time, and what happened on them."""

import math
from datetime import UTC, datetime

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from redundancy import clock
from redundancy.history.reads import incidents, timeline
from redundancy.history.timeline.layout import DAY, HOUR, WEEK, Picture, draw_timeline
from redundancy.history.timeline.model import build_timeline
from redundancy.history.views.events import APPLICATION
from redundancy.models import EventKind, RedundancyGroup
from redundancy.selectors import groups
from redundancy.selectors.observing import observer
from redundancy.selectors.wording import TONES
from redundancy.srm.words import say
from redundancy.times import lab_time
from redundancy.views.chrome import Link
from redundancy.views.numbers import whole_number
from redundancy.views.paging import pager_of

ZOOMS: dict[str, tuple[str, float]] = {
    "hour": (say("Hour"), HOUR),
    "day": (say("Day"), DAY),
    "week": (say("Week"), WEEK),
}
# Tone -> states it is drawn for.
LEGEND = (
    ("ok", say("Normal")),
    ("busy", say("in transition")),
    ("warn", say("one node serves both")),
    ("bad", say("critical services do not run, or failed")),
    ("off", say("High Availability off")),
    ("silent", say("its SRM does not report")),
)
# Bands over all lanes, and what they stand for.
BANDS = (("incident", say("incident")), ("unseen", say("nobody could see the nodes")))
# Rows of the table on a page.
LINES = 50
# Beyond this no moment has a date.
LATEST = 10**11


@require_safe
def group_timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the ``zoom`` (hour, day or week) that ends at the lab second ``end``; by default now."""
    group = get_object_or_404(groups.find_groups(), pk=pk)
    zoom = request.GET.get("zoom", "hour")
    if zoom not in ZOOMS:
        raise BadRequest(say("zoom: must be hour, day or week."))
    now = clock.lab_now()
    end = _end(request)
    shown = now if end is None else float(end)
    picture = _picture(group, shown, ZOOMS[zoom][1], now)
    page = Paginator(picture.timeline.lines, LINES).get_page(request.GET.get("page"))
    # Further pages are of the same time span: the present goes on.
    here = f"?zoom={zoom}&end={math.ceil(shown)}"
    context = {
        "lines": page,
        "pager": pager_of(page, lambda number: f"{here}&page={number}"),
        "title": say("Timeline of {group}", group=group.name),
        "application": APPLICATION,
        "group": group,
        "picture": picture,
        "timeline": picture.timeline,
        "tones": LEGEND,
        "bands": BANDS,
        "span": say(
            "{begin} to {end}",
            begin=lab_time(picture.timeline.begin),
            end=lab_time(picture.timeline.end),
        ),
        "kinds": [kind for kind in EventKind if kind != EventKind.STATE],
        "zooms": [
            (label, f"?zoom={name}" + (f"&end={end}" if end is not None else ""), name == zoom)
            for name, (label, _) in ZOOMS.items()
        ],
        "steps": _steps(zoom, shown, now),
        "related_links": [
            Link(say("HA Event History"), f"{reverse('event_history')}?group={group.name}"),
            Link(say("Presence Redundancy Group"), reverse("group_edit", args=[pk])),
        ],
    }
    return render(request, "history/timeline.html", context)


def _end(request: HttpRequest) -> int | None:
    text = request.GET.get("end", "")
    end = whole_number(text)
    if text and (end is None or end > LATEST):
        raise BadRequest(say("end: must be lab time in seconds since 1970."))
    return end


def _picture(group: RedundancyGroup, end: float, length: float, now: float) -> Picture:
    found = timeline.happened(group, end - length, end)
    content = build_timeline(
        begin=end - length,
        end=end,
        now=now,
        nodes=found.nodes,
        before=found.before,
        events=found.events,
        incidents=incidents.between(group.pk, end - length, end),
        unseen=found.unseen,
        unseen_since=observer(group.pk).unseen_since,
        tones={state.value: tone for state, tone in TONES.items()},
        cut=found.cut,
    )
    local = timezone.localtime(datetime.fromtimestamp(end, tz=UTC)).utcoffset()
    return draw_timeline(content, offset=local.total_seconds() if local else 0)


def _steps(zoom: str, end: float, now: float) -> list[tuple[str, str]]:
    """Return where one goes from here: label and address."""
    half = ZOOMS[zoom][1] / 2
    found = [(say("Earlier"), f"?zoom={zoom}&end={int(end - half)}")]
    if end + half < now:
        found.append((say("Later"), f"?zoom={zoom}&end={int(end + half)}"))
    if end < now:
        found.append((say("Now"), f"?zoom={zoom}"))
    return found
