"""Where everything of a timeline stands. Pure: a timeline in, coordinates and texts out.

Coordinates are user units of the SVG (1 unit = 1 px at natural size). Rules: everything is inside the
picture; a state is never narrower than can be seen and pointed at; events that would stand on each
other become one mark with their number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redundancy.history.timeline.model import Episode, EventMark, Lane, StateSpan, Timeline
from redundancy.srm.words import say, say_count, together
from redundancy.svg_text import fit
from redundancy.times import lab_time

WIDTH = 976
LEFT, RIGHT, TOP = 12, 12, 8
NAME_H, BAR_H, MARKS_H, AXIS_H = 18, 24, 20, 24
# Above the lanes: a strip that names each band which goes over all of them.
STRIP_H, STRIP_GAP = 16, 4
# What is written into a bar that is too short for the whole name of it.
SILENT = say("Not Responding")
LANE_GAP = 12
# A bar is at least so wide, and a mark needs so much room.
THIN = 3
ROOM = 14
TEXT_SIZE = 11
# Events named by a mark that stands for several.
NAMED = 5

HOUR, DAY, WEEK = 3600.0, 86_400.0, 7 * 86_400.0
# Seconds shown -> seconds between two ticks, and which part of a moment the tick says.
_TICKS = ((HOUR, 600.0, slice(11, 16)), (DAY, 10_800.0, slice(11, 16)), (WEEK, DAY, slice(5, 10)))


@dataclass(frozen=True, slots=True)
class SpanBar:
    """A state as drawn."""

    x: float
    y: float
    w: float
    span: StateSpan
    text: str

    h = BAR_H

    @property
    def label(self) -> str:
        """Return what is heard of it, and shown on hovering."""
        moment = lab_time(self.span.since)
        return say(
            "{node}, {moment}: {told}", node=self.span.node, moment=moment, told=self.span.label
        )


@dataclass(frozen=True, slots=True)
class Band:
    """An episode as drawn: a strip above the lanes, and from its ``y`` a band ``over`` all of them."""

    x: float
    y: float
    w: float
    over: float
    episode: Episode
    text: str

    h = STRIP_H

    @property
    def label(self) -> str:
        """Return what is heard of it, and shown on hovering."""
        return _at(self.episode.since, self.episode.label)


@dataclass(frozen=True, slots=True)
class Spot:
    """One event or several on the same spot, as drawn: its middle, and how many."""

    x: float
    y: float
    marks: tuple[EventMark, ...]

    @property
    def kind(self) -> str:
        """Return the kind that all of them have; ``many`` where they differ."""
        kinds = {mark.kind for mark in self.marks}
        return kinds.pop() if len(kinds) == 1 else "many"

    @property
    def number(self) -> str:
        """Return how many there are; empty of one."""
        return str(len(self.marks)) if len(self.marks) > 1 else ""

    @property
    def first(self) -> EventMark:
        """Return the oldest of them."""
        return self.marks[0]

    @property
    def label(self) -> str:
        """Return what is heard of it, and shown on hovering."""
        named = [_at(mark.at, mark.label) for mark in self.marks[:NAMED]]
        if (more := len(self.marks) - NAMED) > 0:
            named.append(say_count("and {count} more", "and {count} more", more))
        return together(named, "; ")


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane as drawn; ``y`` of its name's baseline."""

    lane: Lane
    y: float
    bars: tuple[SpanBar, ...]
    spots: tuple[Spot, ...]

    @property
    def name(self) -> str:
        """Return what stands above it."""
        return self.lane.name or say("Whole group")


@dataclass(frozen=True, slots=True)
class AxisTick:
    """A moment on the axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A timeline as drawn. ``now``: where the present is; None when it is not in the picture.

    ``incidents`` and ``unseen`` are bands.
    """

    timeline: Timeline
    incidents: tuple[Band, ...]
    unseen: tuple[Band, ...]
    rows: tuple[LaneRow, ...]
    ticks: tuple[AxisTick, ...]
    height: float
    axis: float
    now: float | None

    width, left, right, top = WIDTH, LEFT, WIDTH - RIGHT, TOP


def draw_timeline(timeline: Timeline, *, offset: float = 0) -> Picture:
    """Return where everything stands; ``offset``: of the site's time zone from UTC, in seconds."""
    rows: list[LaneRow] = []
    incidents_y = float(TOP)
    unseen_y = incidents_y + (STRIP_H + STRIP_GAP if timeline.incidents else 0)
    y = unseen_y + (STRIP_H + STRIP_GAP if timeline.unseen else 0)
    for lane in timeline.lanes:
        bar_y = y + NAME_H
        marks_y = bar_y + (BAR_H if lane.name else 0)
        rows.append(
            LaneRow(
                lane,
                y + NAME_H - 6,
                tuple(_bars(timeline, lane.spans, bar_y)),
                tuple(_spots(timeline, lane.marks, marks_y + MARKS_H / 2)),
            )
        )
        y = marks_y + MARKS_H + LANE_GAP
    inside = timeline.begin <= timeline.now <= timeline.end
    return Picture(
        timeline=timeline,
        incidents=tuple(_bands(timeline, timeline.incidents, incidents_y, y)),
        unseen=tuple(_bands(timeline, timeline.unseen, unseen_y, y)),
        rows=tuple(rows),
        ticks=tuple(_ticks(timeline, offset)),
        height=y + AXIS_H,
        axis=y,
        now=_x(timeline, timeline.now) if inside else None,
    )


def _x(timeline: Timeline, moment: float) -> float:
    share = (moment - timeline.begin) / (timeline.end - timeline.begin)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * min(max(share, 0.0), 1.0), 1)


def _bars(timeline: Timeline, spans: Sequence[StateSpan], y: float) -> Iterator[SpanBar]:
    for span in spans:
        x, w = _extent(timeline, span)
        text = _fit(span.said, w)
        if span.silent and text != str(span.said):
            text = _fit(SILENT, w)
        yield SpanBar(x, y, w, span, text)


def _bands(
    timeline: Timeline, episodes: Sequence[Episode], y: float, until: float
) -> Iterator[Band]:
    for episode in episodes:
        x, w = _extent(timeline, episode)
        yield Band(x, y, w, until - y, episode, _fit(episode.said, w))


def _extent(timeline: Timeline, lasting: StateSpan | Episode) -> tuple[float, float]:
    x = _x(timeline, lasting.begin)
    w = max(round(_x(timeline, lasting.end) - x, 1), THIN)
    return min(x, WIDTH - RIGHT - w), w


def _fit(words: str, w: float) -> str:
    text = fit(words, w - 10, TEXT_SIZE, bold=True) if w > 40 else ""
    return text if len(text) > 3 else ""


def _at(moment: float, told: str) -> str:
    return say("{moment}: {told}", moment=lab_time(moment), told=told)


def _spots(timeline: Timeline, marks: Sequence[EventMark], y: float) -> Iterator[Spot]:
    group: list[EventMark] = []
    begun = 0.0
    for mark in marks:
        x = _x(timeline, mark.at)
        if group and x - begun >= ROOM:
            yield _spot(begun, y, group)
            group = []
        if not group:
            begun = x
        group.append(mark)
    if group:
        yield _spot(begun, y, group)


def _spot(x: float, y: float, marks: Sequence[EventMark]) -> Spot:
    return Spot(min(max(x, LEFT + ROOM / 2), WIDTH - RIGHT - ROOM / 2), y, tuple(marks))


def _ticks(timeline: Timeline, offset: float) -> Iterator[AxisTick]:
    length = timeline.end - timeline.begin
    _, every, part = next((t for t in _TICKS if length <= t[0]), _TICKS[-1])
    moment = ((timeline.begin + offset) // every + 1) * every - offset
    while moment < timeline.end:
        yield AxisTick(_x(timeline, moment), lab_time(moment)[part])
        moment += every
