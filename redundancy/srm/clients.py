"""The Jabber clients of a pair in virtual time: whose login is still to come after a move."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Mapping

# Client Re-Login Lower and Upper Limit, in seconds, where nobody changed them.
LIMITS = (120.0, 537.0)
# The same for the push clients, which are in the background, whatever the limits of the node are.
PUSH_WAIT = (600.0, 1200.0)

# Which users have push clients: a share of these marks, which are spread evenly over the users.
PUSH_STEP, PUSH_MARKS = 6185, 10007

# When a client logs in, the login whose limits it keeps, and the number of its user.
_Client = tuple[float, float, int]


def push_below(percent: int) -> int:
    """Return the mark below which a user has push clients, where so many percent of the users do."""
    return round(PUSH_MARKS * percent / 100)


def has_push_clients(number: int, percent: int) -> bool:
    """Return whether user ``number`` has push clients, where so many percent of the users do.

    It is the same users at every move. Of users with consecutive numbers, or with every so manieth,
    they are a share as good as exact: the step is the golden section of the marks.
    """
    return number * PUSH_STEP % PUSH_MARKS < push_below(percent)


class Clients:
    """The clients of the users that have a session, by the node that the users are assigned to.

    One for each user, who may have several: those log in together.

    They log in after a move as the live system lets them: each at a moment of its own, evenly
    between the limits that were in force at its last login; one that still waits keeps those of the
    login before. Push clients have limits of their own. So do those that lost their node, or tried there in vain, when it lets them in
    again: see ``operations.access``. Who they are is reckoned only when somebody asks, because most
    never do.

    Args:
        users: Users by the node they are assigned to; all are logged in when the time begins.
        seed: Of the moments.
    """

    def __init__(self, users: Mapping[str, int], seed: int) -> None:
        self._random = random.Random(seed)
        self._clients = {
            home: [(0.0, 0.0, user) for user in range(number)] for home, number in users.items()
        }
        self._next = dict(users)
        # How many percent of the users have push clients.
        self._push = 0
        # How many there are, reckoned or not.
        self._numbers = dict(users)
        # From when which limits held, the newest last.
        self._limits: list[tuple[float, tuple[float, float]]] = [(-math.inf, LIMITS)]
        self._later: list[Callable[[], None]] = []

    def set_limits(self, lower: float, upper: float, now: float) -> None:
        """Let clients that log in from now on get these limits."""
        if (lower, upper) != self._limits[-1][1]:
            self._limits.append((now, (lower, upper)))

    def set_push(self, percent: int) -> None:
        """Let so many percent of the users have push clients from now on."""
        self._push = percent

    def move(self, home: str, now: float, stopped_at: float = math.inf) -> None:
        """Let the clients of this home log in elsewhere.

        ``stopped_at``: since when they could not log in where they were; who tried after it failed.
        """
        push = self._push
        self._later.append(lambda: self._move(home, now, stopped_at, push))

    def let_in(self, home: str, now: float, stopped_at: float, lost_at: float | None) -> None:
        """Let the clients of this home log in where they are, which they could not since ``stopped_at``.

        ``lost_at``: when those who were logged in were disconnected; None when they were not.
        """
        push = self._push
        self._later.append(lambda: self._let_in(home, now, stopped_at, lost_at, push))

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
        first = self._next[home]
        self._next[home] += number
        some = [(now, now, user) for user in range(first, first + number)]
        self._later.append(lambda: self._clients[home].extend(some))
        self._later.append(lambda: self._clients[home].sort())

    def active(self, home: str, now: float) -> int:
        """Return how many clients of this home have logged in by now."""
        while self._later:
            self._later.pop(0)()
        return bisect_right(self._clients[home], (now, math.inf, 0))

    def _sign_out(self, home: str, number: int) -> None:
        clients = self._clients[home]
        self._clients[home] = sorted(self._random.sample(clients, len(clients) - number))

    def _move(self, home: str, now: float, stopped_at: float, push: int) -> None:
        known = min(now, stopped_at)
        self._clients[home] = sorted(
            self._moved(relogin_at if relogin_at <= known else limits_at, user, now, push)
            for relogin_at, limits_at, user in self._clients[home]
        )

    def _moved(self, login: float, user: int, now: float, push: int) -> _Client:
        lower, upper = self._limits_at(login, user, push)
        return now + lower + (upper - lower) * self._random.random(), login, user

    def _let_in(
        self, home: str, now: float, stopped_at: float, lost_at: float | None, push: int
    ) -> None:
        self._clients[home] = sorted(
            self._back(client, now, stopped_at, lost_at, push) for client in self._clients[home]
        )

    def _back(
        self, client: _Client, now: float, stopped_at: float, lost_at: float | None, push: int
    ) -> _Client:
        relogin_at, limits_at, user = client
        if relogin_at <= stopped_at:
            if lost_at is None:
                return client
            relogin_at, limits_at, _ = self._moved(relogin_at, user, lost_at, push)
        if relogin_at > now:
            return relogin_at, limits_at, user
        lower, upper = self._limits_at(limits_at, user, push)
        if relogin_at + lower > now:
            return self._moved(limits_at, user, relogin_at, push)
        some, more = self._random.random(), self._random.random()
        rest = some * math.sqrt(lower**2 + more * (upper**2 - lower**2))
        return now + rest, limits_at, user

    def _limits_at(self, login: float, user: int, push: int) -> tuple[float, float]:
        if has_push_clients(user, push):
            return PUSH_WAIT
        return self._limits[bisect_right(self._limits, login, key=lambda each: each[0]) - 1][1]
