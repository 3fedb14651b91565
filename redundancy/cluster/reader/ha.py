"""``utils ha status`` in both of its dialects. Pure.

guide   ``Node 1 Name : imp-pub State: Normal``, and ``Reason: …`` behind it unless the state says it all
field   a block for each node: ``Name:``, ``State:`` and ``Reason:`` on lines of their own, after a tab
"""

import re
from dataclasses import dataclass

from redundancy.cluster.facts import Of
from redundancy.cluster.reader.context import Context
from redundancy.cluster.reader.text import Line
from redundancy.srm.states import NOT_RESPONDING, SHORT, Reason, State

_GROUP = re.compile(r"\s*Subcluster Name\s*:\s*(\S.*)")
_NUMBER = re.compile(r"\s*Node\s+(\d{1,6})\s*:?\s*$")
_GUIDE = re.compile(r"\s*Node\s+(\d{1,6})\s+Name\s*:")
_NAME = re.compile(r"\s*Name\s*:\s*(\S+)\s*$")
# Name, state and reason on one line.
_NAMED = re.compile(r"\s*Name\s*:\s*\S+\s+State\s*:")
_PART = re.compile(r"\s*(?:State|Reason)\s*:")
_WHOLE = re.compile(
    r"\s*(?:(?:Node\s+\d+\s+)?Name\s*:\s*(?P<name>\S+))?"
    r"(?:\s*State\s*:\s*(?P<state>\S.*?))?(?:\s*Reason\s*:\s*(?P<reason>\S.*))?\s*$"
)
# Terminals wrap at 80 characters, and a node with a long name may need 190.
_MOST_PARTS = 4
# The vendor's page has these two besides; no state machine does.
_MORE_REASONS = ("System Error", NOT_RESPONDING)


def _by_words(*names: str) -> dict[str, str]:
    return {" ".join(name.lower().split()): name for name in names}


STATES = _by_words(*State, NOT_RESPONDING) | {
    short.lower(): state for state, short in SHORT.items()
}
REASONS = _by_words(*Reason, *_MORE_REASONS)


def known(names: dict[str, str], text: str) -> str | None:
    """Return the name that ``text`` is, in whatever case and spacing; None when it is none."""
    return names.get(" ".join(text.lower().split()))


def _goes_on(names: dict[str, str], text: str) -> bool:
    """Return whether a longer name begins with ``text``: a wrapped line may have cut it there."""
    start = " ".join(text.lower().split())
    return any(name.startswith(start) and name != start for name in names)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a line says of a node. ``open``: that the next line may belong to it."""

    name: str
    state: str | None
    reason: str | None
    open: bool


def _read(text: str) -> _Told | None:
    """Return what a line says; None where it is not whole, or names no known state or reason."""
    found = _WHOLE.match(text)
    if found is None:
        return None
    words, why = found["state"], found["reason"]
    state = known(STATES, words) if words else None
    reason = known(REASONS, why) if why else None
    if (words and state is None) or (why and reason is None) or not (words or why):
        return None
    # The guide's dialect leaves the reason out where the state is Normal.
    ends = _goes_on(REASONS, why) if why else state != State.NORMAL
    return _Told(found["name"] or "", state, reason, ends)


class HaStatus:
    """Recognises the states of nodes."""

    def __init__(self) -> None:
        self._group = ""
        # The number of the last node, and whether it is the one whose name comes.
        self._number = 0
        self._numbered = False
        self._name = ""
        # The line of a group that has no node yet.
        self._begun: Line | None = None
        # A line that is not whole, or may go on: its text, and the lines that it is made of.
        self._text = ""
        self._held: list[Line] = []

    def take(self, line: Line, context: Context) -> bool:
        """Take a line of the status."""
        if self._held:
            if self._join(line):
                return True
            self._flush(context)
        text = line.text
        if found := _GROUP.match(text):
            return self._begin_group(found[1], line, context)
        if not self._group:
            return False
        if found := _NUMBER.match(text) or _GUIDE.match(text):
            if int(found[1]) <= self._number:
                # Of another session that is mixed in: whose nodes follow is not known.
                self._group = ""
                return False
            self._number, self._numbered = int(found[1]), True
            if _NUMBER.match(text):
                return True
        inside = not text or text[0].isspace()
        if (found := _NAME.match(text)) and (inside or self._numbered):
            self._begin(found[1], line, context)
            return True
        named = _NAMED.match(text) is not None and (inside or self._numbered)
        if named or _GUIDE.match(text) or (self._name and _PART.match(text)):
            self._text, self._held = text, [line]
            told = _read(text)
            if told is not None and not told.open:
                self._flush(context)
            return True
        if not text:
            self._begun = None
        elif not inside and not text.startswith("Node"):
            # Of another output: what it calls a name is no node.
            self._group = ""
        return False

    def end(self, context: Context) -> None:
        """End the output."""
        self._flush(context)
        self._group, self._number, self._name, self._begun = "", 0, "", None

    def _begin_group(self, name: str, line: Line, context: Context) -> bool:
        """Begin a group; two in a row, of which the first has no node, are two sessions that are mixed."""
        before, self._begun = self._begun, line
        if before is not None and before.number == line.number - 1:
            self._group = ""
            return False
        self._group, self._number, self._name = name, 0, ""
        context.tell(Of.GROUP, name, "listed", "yes", line)
        return True

    def _begin(self, name: str, line: Line, context: Context) -> None:
        self._begun = None
        self._name = name
        # Some texts name nodes without their numbers.
        self._number += not self._numbered
        self._numbered = False
        context.tell(Of.NODE, name, "group", self._group, line)
        context.tell(Of.GROUP, self._group, f"node {self._number}", name, line)

    def _join(self, line: Line) -> bool:
        """Put a wrapped line behind what is held; return whether it belongs there."""
        text = line.text
        if not text.strip() or _GROUP.match(text) or _NUMBER.match(text) or _GUIDE.match(text):
            return False
        if _NAME.match(text) or _NAMED.match(text) or _PART.match(text):
            return False
        if len(self._held) >= _MOST_PARTS:
            return False
        for between in ("", " "):
            if _read(self._text + between + text) is not None:
                self._text += between + text
                self._held.append(line)
                return True
        if _read(self._text) is not None:
            return False
        self._text += text
        self._held.append(line)
        return True

    def _flush(self, context: Context) -> None:
        """Tell what is held; where it is no known state or reason it is not understood."""
        held, self._held = self._held, []
        if not held:
            return
        told = _read(self._text)
        if told is None:
            for line in held:
                context.missed(line)
            return
        if told.name:
            self._begin(told.name, held[0], context)
        if told.state is not None:
            context.tell(Of.NODE, self._name, "state", told.state, held[0])
        if told.reason is not None:
            context.tell(Of.NODE, self._name, "reason", told.reason, held[0])
