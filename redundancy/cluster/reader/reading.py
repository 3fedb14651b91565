"""Read an input: every line offered to who may know it, what is told sorted by when it was collected. Pure.

A *stretch* is what was collected at one go: a file, or a part of one where a new session begins or where the
clock of the text jumps. What a node says of itself without its name is of the node of its session, where one
``show status`` named just one.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from redundancy.cluster.facts import Event, Fact, Of, Place, Unused
from redundancy.cluster.reader.context import Context, Recogniser
from redundancy.cluster.reader.ha import HaStatus
from redundancy.cluster.reader.noise import PROMPT, begins_session, ends_output, is_noise, logged_at
from redundancy.cluster.reader.platform import Cluster, Counters, Services, Status, Versions
from redundancy.cluster.reader.sources import Damaged, Source, open_files, open_streams
from redundancy.cluster.reader.tables import Tables
from redundancy.cluster.reader.text import Line, NoText, read_lines
from redundancy.cluster.reader.trace import SrmTrace
from redundancy.cluster.reader.users import Users
from redundancy.srm.words import say

# Two clocks of a text that are further apart are of two collections.
GAP = timedelta(minutes=30)
# What is kept of an input at most; what is beyond is counted.
MOST_FACTS, MOST_EVENTS, MOST_MISSED, MOST_UNUSED = 250_000, 1_000, 1_000, 200
_LONGEST_SHOWN = 200
# Longer lines are of tables and of users, if of anything.
_WIDE = 600
# Lines that may still turn out to be the header of a table.
_HELD = 40


@dataclass(frozen=True, slots=True)
class _Host:
    """A node that told its status: behind how many facts, and whether it was the one asked."""

    name: str
    at: int
    own: bool


@dataclass(slots=True)
class Stretch:
    """What was collected at one go. ``taken``: by the first clock in it, None where there is none.

    ``logged``: when a terminal program began its log, by the clock of another machine. ``backwards``: clocks that
    are earlier than the one before.
    """

    file: str
    facts: list[Fact] = field(default_factory=list)
    hosts: list[_Host] = field(default_factory=list)
    taken: datetime | None = None
    last: datetime | None = None
    logged: datetime | None = None
    backwards: list[tuple[Place, datetime, datetime]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Missed:
    """A line that was not understood; ``text``: its beginning."""

    place: Place
    text: str


@dataclass(slots=True)
class Reading:
    """All that an input tells.

    ``missed``: the first lines that were not understood, of ``missed_lines`` in all. ``refused``: files that are
    not read, or not to their end, and why. ``dropped``: facts beyond MOST_FACTS.
    """

    files: list[str] = field(default_factory=list)
    lines: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))
    event_lines: int = 0
    unused: list[Unused] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    missed_lines: int = 0
    cut_lines: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    dropped: int = 0
    kept: int = 0


def read(paths: list[Path]) -> Reading:
    """Return what the files tell. Raises Unreadable (``sources``)."""
    reading = Reading()
    for source in open_files(paths):
        read_source(source, reading)
    return reading


def read_streams(named: Iterable[tuple[str, BinaryIO]]) -> Reading:
    """Return what these streams tell, by their names. Raises Unreadable (``sources``)."""
    reading = Reading()
    for source in open_streams(named):
        read_source(source, reading)
    return reading


def read_source(source: Source, reading: Reading) -> None:
    """Add what one file tells."""
    reading.files.append(source.name)
    if source.refused:
        reading.refused.append((source.name, source.refused))
        return
    file = _File(source.name, reading)
    try:
        for line in read_lines(source.stream):
            file.take(line)
    except NoText:
        reading.refused.append((source.name, say("It is neither text nor a ZIP file.")))
    except Damaged as damaged:
        reading.refused.append((source.name, damaged.rule))
    file.close()


class _File:
    """Reads one file."""

    def __init__(self, name: str, reading: Reading) -> None:
        self._name = name
        self._reading = reading
        self._stretch = Stretch(name)
        self._session = 0
        # Where the facts and the hosts of this session begin in the stretch.
        self._since = 0, 0
        self._seen: set[tuple[Of, str, str]] = set()
        # Facts of this stretch since its last clock, the first that tells again what was told before.
        self._again: int | None = None
        self._held: deque[Line] = deque()
        self._context = Context(
            name,
            fact=self._fact,
            event=self._event,
            unused=self._unused,
            clock=self._clock,
            host=self._host,
            missed=self._miss,
            understood=self._take_back,
        )
        tables, users = Tables(), Users()
        self._ha = HaStatus()
        self._wide: tuple[Recogniser, ...] = (tables, users)
        self._recognisers: tuple[Recogniser, ...] = (
            tables,
            self._ha,
            Services(),
            Cluster(),
            SrmTrace(),
            Status(),
            Versions(),
            Counters(),
            users,
        )

    def take(self, line: Line) -> None:
        reading = self._reading
        reading.lines += 1
        reading.cut_lines += line.cut
        text = line.text
        if "admin:" in text and (found := PROMPT.match(text)):
            self._end_output()
            self._context.command = " ".join(found[1].lower().split())
            return
        if begins_session(text):
            self._end_output()
            self._begin_session(text)
        for recogniser in self._wide if len(text) > _WIDE else self._recognisers:
            if recogniser.take(line, self._context):
                if recogniser is not self._ha:
                    self._ha.end(self._context)
                return
        noise = is_noise(text)
        if not noise or not text or ends_output(text):
            # The node that an output named is not that of the next one.
            self._context.header = ""
        if not noise:
            self._miss(line)

    def close(self) -> None:
        """End the file."""
        self._end_output()
        self._begin_session()
        while self._held:
            self._count(self._held.popleft())
        self._keep()

    def _end_output(self) -> None:
        for recogniser in self._recognisers:
            recogniser.end(self._context)
        self._context.command = self._context.header = ""

    def _begin_session(self, text: str = "") -> None:
        self._settle(self._stretch)
        self._session += 1
        self._since = len(self._stretch.facts), len(self._stretch.hosts)
        if (logged := logged_at(text)) is not None:
            before = self._stretch.logged
            if before is not None and abs(logged - before) > GAP:
                self._split(len(self._stretch.facts))
            self._stretch.logged = self._stretch.logged or logged

    def _settle(self, stretch: Stretch) -> None:
        """What a node said of itself in this session is of the one node that told its status."""
        facts, hosts = self._since
        names = {host.name.lower(): host.name for host in stretch.hosts[hosts:] if host.own}
        if len(names) != 1:
            return
        (name,) = names.values()
        mine = f"?{self._session}"
        stretch.facts[facts:] = [
            replace(fact, subject=name) if fact.subject == mine else fact
            for fact in stretch.facts[facts:]
        ]

    def _fact(self, fact: Fact) -> None:
        reading = self._reading
        if reading.kept >= MOST_FACTS:
            reading.dropped += 1
            return
        reading.kept += 1
        if (
            not fact.subject
            and fact.of in {Of.SERVICE, Of.COUNTER, Of.NODE}
            and fact.field != "everywhere"
        ):
            fact = replace(fact, subject=f"?{self._session}")
        if fact.of is not Of.USER and fact.field != "listed":
            if self._again is None and fact.key in self._seen:
                self._again = len(self._stretch.facts)
            self._seen.add(fact.key)
        self._stretch.facts.append(fact)

    def _event(self, event: Event) -> None:
        self._reading.event_lines += 1
        self._reading.events.append(event)

    def _unused(self, unused: Unused) -> None:
        if len(self._reading.unused) < MOST_UNUSED:
            self._reading.unused.append(unused)

    def _host(self, name: str, own: bool) -> None:
        self._stretch.hosts.append(_Host(name, len(self._stretch.facts), own))

    def _clock(self, moment: datetime, place: Place) -> None:
        stretch = self._stretch
        if stretch.last is not None and abs(moment - stretch.last) > GAP:
            # The status that has this clock, and what is told again since the last one, are of the new stretch.
            at = [len(stretch.facts) - 1, *(host.at for host in stretch.hosts[-1:])]
            stretch = self._split(min(at if self._again is None else [*at, self._again]))
        elif stretch.last is not None and moment < stretch.last:
            stretch.backwards.append((place, stretch.last, moment))
        stretch.taken = stretch.taken or moment
        stretch.last = moment
        self._again = None

    def _split(self, at: int) -> Stretch:
        """Begin a new stretch, with the facts from ``at`` on."""
        before = self._stretch
        hosts = [replace(host, at=0) for host in before.hosts if host.at >= at]
        self._stretch = Stretch(self._name, facts=before.facts[at:], hosts=hosts)
        del before.facts[at:]
        before.hosts = [host for host in before.hosts if host.at < at]
        self._settle(before)
        self._since = max(0, self._since[0] - at), 0
        self._reading.stretches.append(before)
        self._seen = {fact.key for fact in self._stretch.facts}
        self._again = None
        return self._stretch

    def _keep(self) -> None:
        if self._stretch.facts:
            self._reading.stretches.append(self._stretch)

    def _miss(self, line: Line) -> None:
        self._held.append(line)
        if len(self._held) > _HELD:
            self._count(self._held.popleft())

    def _take_back(self, lines: list[Line]) -> None:
        numbers = {line.number for line in lines}
        self._held = deque(line for line in self._held if line.number not in numbers)

    def _count(self, line: Line) -> None:
        reading = self._reading
        reading.missed_lines += 1
        if len(reading.missed) < MOST_MISSED:
            place = Place(self._name, line.number)
            reading.missed.append(Missed(place, line.text[:_LONGEST_SHOWN]))
