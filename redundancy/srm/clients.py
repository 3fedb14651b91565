"""The Jabber clients of a pair in virtual time: whose login is still to come after a move."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Mapping

# Client Re-Login Lower and Upper Limit, in seconds, where nobody changed them.
LIMITS = (120.0, 537.0)

# When a client logs in, and the login whose limits it keeps.
_Client = tuple[float, float]


class Clients:
    """The clients of the users that have a session, by the node that the users are assigned to.

    They log in after a move as the live system lets them: each at a moment of its own, evenly
    between the limits that were in force at its last login; one that still waits keeps those of the
    login before. Who they are is reckoned only when somebody asks, because most never do.

    Args:
        users: Users by the node they are assigned to; all are logged in when the time begins.
        seed: Of the moments.
    """

    def __init__(self, users: Mapping[str, int], seed: int) -> None:
        self._random = random.Random(seed)
        self._clients = {home: [(0.0, 0.0)] * number for home, number in users.items()}
        # How many there are, reckoned or not.
        self._numbers = dict(users)
        # From when which limits held, the newest last.
        self._limits: list[tuple[float, tuple[float, float]]] = [(-math.inf, LIMITS)]
        self._later: list[Callable[[], None]] = []

    def set_limits(self, lower: float, upper: float, now: float) -> None:
        """Let clients that log in from now on get these limits."""
        if (lower, upper) != self._limits[-1][1]:
            self._limits.append((now, (lower, upper)))

    def move(self, home: str, now: float) -> None:
        """Let the clients of this home log in elsewhere."""
        self._later.append(lambda: self._move(home, now))

    def sessions(self, home: str) -> int:
        """Return how many clients this home has."""
        return self._numbers[home]

    def sign_out(self, home: str, number: int) -> None:
        """Take so many clients of this home away, picked at random."""
        self._numbers[home] -= number
        self._later.append(lambda: self._sign_out(home, number))

    def sign_in(self, home: str, number: int, now: float) -> None:
        """Let so many more clients of this home log in now."""
        self._numbers[home] += number
        self._later.append(lambda: self._clients[home].extend([(now, now)] * number))
        self._later.append(lambda: self._clients[home].sort())

    def active(self, home: str, now: float) -> int:
        """Return how many clients of this home have logged in by now."""
        while self._later:
            self._later.pop(0)()
        return bisect_right(self._clients[home], (now, math.inf))

    def _sign_out(self, home: str, number: int) -> None:
        clients = self._clients[home]
        self._clients[home] = sorted(self._random.sample(clients, len(clients) - number))

    def _move(self, home: str, now: float) -> None:
        self._clients[home] = sorted(
            self._moved(relogin_at if relogin_at <= now else limits_at, now)
            for relogin_at, limits_at in self._clients[home]
        )

    def _moved(self, login: float, now: float) -> _Client:
        at = bisect_right(self._limits, login, key=lambda each: each[0]) - 1
        lower, upper = self._limits[at][1]
        return now + lower + (upper - lower) * self._random.random(), login
