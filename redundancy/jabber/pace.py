"""How many logins a second were carried while every connection had one to do."""

from collections import deque

# Wall seconds over which logins are counted: a short burst is no ceiling.
SECONDS = 10


class Pace:
    """Counts logins; moments are wall seconds of one clock, in order.

    ``best``: the most a second over so many seconds in which no connection was idle; None while there were none.
    Of other seconds the clients tell, who came when they came, and not what they came to.
    """

    def __init__(self) -> None:
        self.best: float | None = None
        self._idle = 0
        self._since = 0.0
        self._logins: deque[float] = deque()

    def begin(self, now: float) -> None:
        """Count from now on: all connections have something to do."""
        self._since = now

    def idle(self) -> None:
        """Note that a connection has nothing to do."""
        self._idle += 1

    def busy(self, now: float) -> None:
        """Note that one that had nothing to do has something."""
        self._idle -= 1
        self._since = now

    def login(self, at: float) -> None:
        """Count a login that was done."""
        self._logins.append(at)
        while self._logins[0] <= at - SECONDS:
            self._logins.popleft()
        if not self._idle and at - self._since >= SECONDS:
            self.best = max(self.best or 0.0, len(self._logins) / SECONDS)
