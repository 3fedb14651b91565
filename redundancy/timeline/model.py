"""A group's states over a span of lab time and the events on them, without where they are drawn.

Pure: built from rows that the selectors hand over; no queries, no clock. Times are lab seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redundancy.templatetags.lab import duration, lab_time

if TYPE_CHECKING:
    from redundancy.models import HaEvent


@dataclass(frozen=True, slots=True)
class Span:
    """A node's state from ``begin`` to ``end``, as far as the picture shows it.

    ``tone``: ok, busy, warn, bad or off. ``event``: key of the change it began with; None when that
    is not known. ``since``: when it began, maybe before the picture. ``lasts``: whether it goes on
    beyond ``end``.
    """

    begin: float
    end: float
    since: float
    lasts: bool
    node: str
    state: str
    reason: str
    tone: str
    sentence: str
    event: int | None

    @property
    def said(self) -> str:
        """Return the state with its reason, where that says more."""
        more = self.reason and self.reason != self.state
        return f"{self.state}, {self.reason}" if more else self.state

    @property
    def label(self) -> str:
        """Return all of it in words: what is heard, shown on hovering, and said in the table."""
        until = "" if self.lasts else f", for {duration(self.end - self.since)}"
        why = f". {self.sentence}" if self.sentence else ""
        return f"{self.said}{until}{why}"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment, other than a change of state. ``node``: empty of the group."""

    at: float
    node: str
    kind: str
    kind_label: str
    sentence: str
    actor: str
    event: int

    @property
    def label(self) -> str:
        """Return all of it in words."""
        who = f" By {self.actor}." if self.actor else ""
        return f"{self.kind_label}: {self.sentence}{who}"


@dataclass(frozen=True, slots=True)
class Lane:
    """What is drawn of one node, or, with an empty ``name``, of the group as a whole."""

    name: str
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table beside the picture."""

    at: float
    node: str
    text: str
    tone: str
    event: int | None

    @property
    def time(self) -> str:
        """Return when it was."""
        return lab_time(self.at)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture's content, from ``begin`` to ``end``.

    ``cut``: there were more events; what is shown begins with the oldest one that was read.
    """

    begin: float
    end: float
    now: float
    lanes: tuple[Lane, ...]
    cut: bool = False

    @property
    def lines(self) -> tuple[Line, ...]:
        """Return all that the picture shows, the newest first, as rows of a table."""
        found = [
            Line(span.since, span.node, span.label, span.tone, span.event)
            for lane in self.lanes
            for span in lane.spans
        ]
        found += [
            Line(mark.at, mark.node, mark.label, "", mark.event)
            for lane in self.lanes
            for mark in lane.marks
        ]
        return tuple(sorted(found, key=lambda line: (-line.at, -(line.event or 0))))


def build(
    *,
    begin: float,
    end: float,
    now: float,
    nodes: Sequence[str],
    before: Mapping[str, "HaEvent"],
    events: Iterable["HaEvent"],
    tones: Mapping[str, str],
    cut: bool = False,
) -> Timeline:
    """Return the timeline of a group.

    Args:
        begin: Where it begins.
        end: Where it ends; what is later than ``now`` stays empty.
        now: The present.
        nodes: Names of the group's nodes, in the order of its lanes.
        before: The last change of state before ``begin`` of each node that had one.
        events: What happened from ``begin`` to ``end``, the oldest first.
        tones: State -> tone.
        cut: Whether there were more events, older ones, that were not read.

    """
    happened = list(events)
    named = dict.fromkeys([*nodes, *(e.node_name for e in happened if e.node_name)])
    lanes = [
        Lane(
            name,
            tuple(_spans(name, before.get(name), happened, begin, min(end, now), tones)),
            tuple(_marks(name, happened)),
        )
        for name in named
    ]
    of_group = tuple(_marks("", happened))
    if of_group:
        lanes.append(Lane("", (), of_group))
    return Timeline(begin, end, now, tuple(lanes), cut)


def _spans(
    name: str,
    before: "HaEvent | None",
    events: list["HaEvent"],
    begin: float,
    end: float,
    tones: Mapping[str, str],
) -> Iterable[Span]:
    changes = [event for event in events if event.node_name == name and event.new_state]
    if before is not None:
        changes.insert(0, before)
    ends = [change.at.timestamp() for change in changes[1:]]
    for number, change in enumerate(changes):
        since = change.at.timestamp()
        last = number == len(ends)
        yield Span(
            begin=max(since, begin),
            end=end if last else ends[number],
            since=since,
            lasts=last,
            node=name,
            state=change.new_state,
            reason=change.new_reason,
            tone=tones.get(change.new_state, "off"),
            sentence=change.sentence,
            event=change.pk,
        )


def _marks(name: str, events: list["HaEvent"]) -> Iterable[Mark]:
    for event in events:
        if event.node_name == name and not event.new_state:
            yield Mark(
                at=event.at.timestamp(),
                node=name,
                kind=event.kind,
                kind_label=event.get_kind_display(),
                sentence=event.sentence,
                actor=event.actor,
                event=event.pk,
            )
