"""Lines of an SRM trace, in the shape of log4j. Pure.

Two shapes are those of a real trace: a peer that is declared down, and a changed vector of states. Others
that carry a state or a service are those of the lab's own trace. The trace does not name its node.
"""

import re

from redundancy.cluster.facts import Event
from redundancy.cluster.reader.context import Context
from redundancy.cluster.reader.text import Line

_LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})\s+(?P<level>[A-Z]+)\s+\[[^\]]*\]\s*(?P<logger>\S+) - (?P<said>.*)"
)
_SHAPES = (
    (
        "peer down",
        re.compile(r"RsrmHeartBeatHandler: peer down, time since last heartbeat\[s\]= (\d+)"),
    ),
    (
        "vector",
        re.compile(r"RsrmAutomaticFallback: peer states vector changed to \[([^,\]]+),([^\]]+)\]"),
    ),
    (
        "state",
        re.compile(r"RsrmStateMachine: state changed from \[[^\]]*\] to \[([^,\]]+),([^\]]+)\]"),
    ),
    ("service", re.compile(r"RsrmServiceMonitor: (.+) is (running|not running)$")),
)


class SrmTrace:
    """Recognises lines of a trace; of those that say nothing of states or services only that they are some."""

    def take(self, line: Line, context: Context) -> bool:
        """Take a line of a trace of SRM."""
        text = line.text
        if not text[:4].isdigit() or (found := _LINE.match(text)) is None:
            return False
        said = found["said"]
        for what, shape in _SHAPES:
            if told := shape.match(said):
                context.event(Event(found["at"], what, told.groups(), context.place(line)))
                return True
        return found["logger"].startswith("rsrm.")

    def end(self, _context: Context) -> None:
        """Nothing is held back."""
