"""A group's states over a span of lab time and the events on them, without where they are drawn.

Pure: built from rows that the selectors hand over; no queries, no clock. Times are lab seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redundancy.history.timeline.faces import faces
from redundancy.srm.states import NOT_RESPONDING
from redundancy.srm.words import duration, say, together
from redundancy.times import lab_time

if TYPE_CHECKING:
    from redundancy.models import HaEvent, Incident


@dataclass(frozen=True, slots=True)
class StateSpan:
    """What was shown of a node from ``begin`` to ``end``, as far as the picture shows it.

    ``tone``: ok, busy, warn, bad or off. ``event``: key of what it began with. ``since``: when it
    began, maybe before the picture. ``lasts``: whether it goes on beyond ``end``.
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
    event: int

    @property
    def silent(self) -> bool:
        """Return whether its SRM did not report: what it was in meanwhile nobody knew."""
        return self.state == NOT_RESPONDING

    @property
    def said(self) -> str:
        """Return the state with its reason, where that says more."""
        reason = self.reason if self.reason != self.state else ""
        return together([say(self.state), say(reason)], ", ")

    @property
    def label(self) -> str:
        """Return all of it in words: what is heard, shown on hovering, and said in the table."""
        told = self.said
        if not self.lasts:
            told = say("{told}, for {time}", told=told, time=duration(self.end - self.since))
        return together([told, self.sentence], ". ")


@dataclass(frozen=True, slots=True)
class EventMark:
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
        who = say("By {actor}.", actor=self.actor) if self.actor else ""
        return say(
            "{kind}: {sentences}", kind=self.kind_label, sentences=together([self.sentence, who])
        )


@dataclass(frozen=True, slots=True)
class Episode:
    """What concerned the group as a whole from ``begin`` to ``end``, as far as the picture shows it.

    ``incident``: its key. Without one it is a time in which nobody could see the nodes, and ``event``
    the key of what told so; None while it goes on. ``since`` and ``lasts`` as of a span.
    """

    begin: float
    end: float
    since: float
    lasts: bool
    said: str
    incident: int | None = None
    event: int | None = None

    @property
    def label(self) -> str:
        """Return all of it in words."""
        if self.lasts:
            return say("{told}, not over yet", told=self.said)
        return say("{told}, for {time}", told=self.said, time=duration(self.end - self.since))


@dataclass(frozen=True, slots=True)
class Lane:
    """What is drawn of one node, or, with an empty ``name``, of the group as a whole."""

    name: str
    spans: tuple[StateSpan, ...]
    marks: tuple[EventMark, ...]


@dataclass(frozen=True, slots=True)
class TableLine:
    """A row of the table beside the picture. ``incident`` or ``event``: key of what tells more."""

    at: float
    node: str
    text: str
    tone: str = ""
    event: int | None = None
    incident: int | None = None

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
    incidents: tuple[Episode, ...] = ()
    unseen: tuple[Episode, ...] = ()
    cut: bool = False

    @property
    def lines(self) -> tuple[TableLine, ...]:
        """Return all that the picture shows, the newest first, as rows of a table."""
        found = [
            TableLine(span.since, span.node, span.label, span.tone, span.event)
            for lane in self.lanes
            for span in lane.spans
        ]
        found += [
            TableLine(mark.at, mark.node, mark.label, event=mark.event)
            for lane in self.lanes
            for mark in lane.marks
        ]
        found += [
            TableLine(each.since, "", each.label, event=each.event, incident=each.incident)
            for each in (*self.incidents, *self.unseen)
        ]
        return tuple(sorted(found, key=lambda line: (-line.at, -(line.event or 0))))


def build_timeline(
    *,
    begin: float,
    end: float,
    now: float,
    nodes: Sequence[str],
    before: Mapping[str, Sequence["HaEvent"]],
    events: Iterable["HaEvent"],
    tones: Mapping[str, str],
    incidents: Iterable["Incident"] = (),
    unseen: Iterable["HaEvent"] = (),
    unseen_since: float | None = None,
    cut: bool = False,
) -> Timeline:
    """Return the timeline of a group.

    Args:
        begin: Where it begins.
        end: Where it ends; what is later than ``now`` stays empty.
        now: The present.
        nodes: Names of the group's nodes, in the order of its lanes.
        before: What each node was in before ``begin``: the last event of each sort that tells of it.
        events: What happened from ``begin`` to ``end``, the oldest first.
        tones: State -> tone.
        incidents: Those open in the time, the oldest first.
        unseen: What told afterwards since when nobody had seen the nodes, the oldest first.
        unseen_since: Since when nobody sees the nodes now; None while somebody does.
        cut: Whether there were more events, older ones, that were not read.

    """
    happened = list(events)
    named = dict.fromkeys([*nodes, *(e.node_name for e in happened if e.node_name)])
    until = min(end, now)
    lanes = [
        Lane(
            name,
            tuple(_spans(name, before.get(name, ()), happened, begin, until, tones)),
            tuple(_marks(name, happened)),
        )
        for name in named
    ]
    of_group = tuple(_marks("", happened))
    if of_group:
        lanes.append(Lane("", (), of_group))
    return Timeline(
        begin,
        end,
        now,
        tuple(lanes),
        tuple(_incidents(incidents, begin, until)),
        tuple(_unseen(unseen, unseen_since, begin, until)),
        cut,
    )


def _spans(
    name: str,
    before: Sequence["HaEvent"],
    events: list["HaEvent"],
    begin: float,
    end: float,
    tones: Mapping[str, str],
) -> Iterable[StateSpan]:
    told = [*before, *(event for event in events if event.node_name in (name, ""))]
    seen = list(faces(told))
    ends = [face.since for face in seen[1:]]
    for number, face in enumerate(seen):
        last = number == len(ends)
        until = end if last else ends[number]
        if until <= begin or until < face.since:
            continue
        yield StateSpan(
            begin=max(face.since, begin),
            end=until,
            since=face.since,
            lasts=last,
            node=name,
            state=face.state,
            reason=face.reason,
            tone=tones.get(face.state, "bad" if face.state == NOT_RESPONDING else "off"),
            sentence=face.event.sentence,
            event=face.event.pk,
        )


def _marks(name: str, events: list["HaEvent"]) -> Iterable[EventMark]:
    for event in events:
        if event.node_name == name and not event.new_state:
            yield EventMark(
                at=event.at.timestamp(),
                node=name,
                kind=event.kind,
                kind_label=event.get_kind_display(),
                sentence=event.sentence,
                actor=event.actor,
                event=event.pk,
            )


def _incidents(incidents: Iterable["Incident"], begin: float, end: float) -> Iterable[Episode]:
    for each in incidents:
        since = each.opened_at.timestamp()
        closed = each.closed_at.timestamp() if each.closed_at else None
        lasts = closed is None or closed > end
        yield Episode(
            begin=max(since, begin),
            end=end if closed is None or lasts else closed,
            since=since,
            lasts=lasts,
            said=say("Incident {number}: {reason}", number=each.pk, reason=say(each.reason)),
            incident=each.pk,
        )


def _unseen(
    told: Iterable["HaEvent"], since: float | None, begin: float, end: float
) -> Iterable[Episode]:
    said = say("Nobody could see the nodes")
    for event in told:
        began, over = event.inputs["unseen_since"] if event.inputs else 0, event.at.timestamp()
        if began < end and over > begin:
            lasts = over > end
            yield Episode(max(began, begin), min(over, end), began, lasts, said, event=event.pk)
    if since is not None and since < end:
        yield Episode(max(since, begin), end, since, True, said)
