"""A real cluster of the tests: what it answers is a text, and looking at it reads no clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from redundancy.models import ClusterWatch
from redundancy.pull.sources import PullFailed, Source
from redundancy.watch import watching
from redundancy.watch.configured import Watched
from tests.cluster.inputs import STATUS

PASSWORD = "correct horse battery"
BEGIN = datetime(2026, 11, 29, 1, 20, tzinfo=UTC)
PUB, SUB = "imp-pub", "imp-sub"
NORMAL = f"""admin:utils ha status
Subcluster Name: DefaultCUPSubCluster
Node 1 Name : {PUB} State: Normal
Node 2 Name : {SUB} State: Normal

"""
FAILED_OVER = NORMAL.replace(
    f"{PUB} State: Normal", f"{PUB} State: Failed Over Reason: Critical Service Down"
).replace(
    f"{SUB} State: Normal", f"{SUB} State: Running in Backup Mode Reason: Critical Service Down"
)
OFF = NORMAL.replace("State: Normal", "State: Unknown Reason: High Availability Not Enabled")


def dated(text: str, date: str = "Sun Nov 29, 2026 01:20:00") -> str:
    """Return an answer with the clock and the uptime of its node."""
    return text + STATUS.format(date=date)


def at(
    *,
    name: str = "Lisbon",
    minutes: float = 5,
    keep: int = 50,
    host: str = "cucm.example.com",
    password: Callable[[], str] = lambda: PASSWORD,
) -> Watched:
    """Return what is watched."""
    return Watched(Source("ssh", host, "ann", 22), name, minutes, keep, password)


class Real:
    """A real cluster, and the clock of whoever looks at it. ``text``: what it answers, or why it does not."""

    def __init__(self, text: str = NORMAL, watched: Watched | None = None) -> None:
        self.text = text
        self.why = ""
        self.watched = watched or at()
        self.now = BEGIN
        self.asked = 0

    def pull(self, source: Source, password: str) -> list[tuple[str, bytes]]:
        """Answer."""
        assert (source, password) == (self.watched.source, PASSWORD)
        self.asked += 1
        if self.why:
            raise PullFailed(self.why)
        return [("ha.txt", self.text.encode())]

    def look(
        self, text: str | None = None, *, why: str = "", after: float = 5, due_only: bool = False
    ) -> ClusterWatch | None:
        """Look once, so many minutes after the last time."""
        self.now += timedelta(minutes=after)
        self.text, self.why = self.text if text is None else text, why
        return watching.look(self.watched, pull=self.pull, now=lambda: self.now, due_only=due_only)


def watched(text: str) -> ClusterWatch:
    """Return the watch of a cluster that was seen once, now."""
    real = Real(text)
    real.now = datetime.now(UTC)
    row = real.look(after=0)
    assert row is not None
    return row
