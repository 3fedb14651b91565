"""Play clients: log in, hear that the node is lost, wait, log in at the other node.

A few threads log clients in, each over a connection of its own; others listen. A client keeps the re-login
limits of its last login; at an event it draws a time between them, counted from the event, and then logs in
at the backup node of its configuration with the one-time password that it holds. Ours, for the vendor
tells nothing of it: a login that fails is tried again after another such time, at the node that the failure
names, if it names one; a client whose one-time password is not taken shows the password of its user; one
that was disconnected without a move dials its own node; one whose session was ended stays away.
"""

import heapq
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redundancy.jabber.pace import Pace
from redundancy.jabber.waves import Wave
from redundancy.jabber.wire import Line, NotDone
from redundancy.soap.epas.waiting import MOST_KEYS

# Wall seconds for which one request listens, and for which nobody must have lost its node before all are
# taken to be back.
LISTENS, SETTLES = 2, 3.0
# Wall seconds before a client tries again that has no limits yet, and the fewest of all others.
FIRST_AGAIN, LEAST = (2.0, 5.0), 0.5
# Failures after which a client stays away.
FINAL = {"wrong-password", "not-assigned"}
# The limits of a client that could not ask for its own.
_DEFAULTS = (120.0, 537.0)


@dataclass(slots=True, eq=False)
class Person:
    """A user with a client. ``key``: its session key while it is connected; ``node``: at which node.

    ``dial`` and ``secret``: where and with what it logs in next. ``away``: it stays away.
    """

    userid: str
    secret: str = field(repr=False)
    dial: str = ""
    key: str = field(default="", repr=False)
    node: str = ""
    backup: str = ""
    once: str = field(default="", repr=False)
    lower: float = _DEFAULTS[0]
    upper: float = _DEFAULTS[1]
    away: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """How it stands. ``rate``: logins a second, of the last seconds."""

    clients: int
    connected: int
    away: int
    logins: int
    rate: float
    failures: Counter[str]

    @property
    def waiting(self) -> int:
        """Return how many are to log in."""
        return self.clients - self.connected - self.away


class Player:
    """Plays a client for each of ``users``; at most ``connections`` log in at once."""

    def __init__(
        self,
        open_line: Callable[[], Line],
        users: Sequence[str],
        password: str,
        *,
        connections: int,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._open_line = open_line
        self._password = password
        self._draw = draw
        self._people = [Person(userid, password) for userid in users]
        self._lock = threading.Condition()
        self._due: list[tuple[float, int, Person]] = []
        self._number = itertools.count()
        self._ended = False
        self._rate = 1.0
        self._connected = self._away = 0
        self._logins: list[float] = []
        self.pace = Pace()
        # Those of a wave that are not back.
        self._lost: set[Person] = set()
        self._wave: Wave | None = None
        self.waves: list[Wave] = []
        self.failures: Counter[str] = Counter()
        self.refused = ""
        chunks = [
            self._people[start : start + MOST_KEYS] for start in range(0, len(users), MOST_KEYS)
        ]
        self._threads = [
            threading.Thread(target=self._log_in_those_due, daemon=True) for _ in range(connections)
        ] + [threading.Thread(target=self._listen, args=(chunk,), daemon=True) for chunk in chunks]

    def start(self) -> None:
        """Let everybody sign in."""
        now = time.monotonic()
        with self._lock:
            self.pace.begin(now)
            for person in self._people:
                heapq.heappush(self._due, (now, next(self._number), person))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop, without logging anybody out, and wait for what is asked just now."""
        with self._lock:
            self._ended = True
            self._lock.notify_all()
        for thread in self._threads:
            thread.join(LISTENS + 5.0)

    def numbers(self) -> Numbers:
        """Return how it stands now; closes the wave when everybody is back."""
        with self._lock:
            now = time.monotonic()
            wave = self._wave
            if wave is not None and not self._lost and now - wave.heard >= SETTLES:
                self._close(wave)
            recent = sum(
                1 for each in itertools.takewhile(lambda m: m > now - 3, reversed(self._logins))
            )
            return Numbers(
                len(self._people),
                self._connected,
                self._away,
                len(self._logins),
                recent / 3,
                Counter(self.failures),
            )

    def _close(self, wave: Wave) -> None:
        self.waves.append(wave)
        self._wave = None

    # Logging in.

    def _log_in_those_due(self) -> None:
        line = self._open_line()
        try:
            while (person := self._next()) is not None:
                try:
                    self._log_in(line, person)
                except NotDone as failed:
                    self._failed(person, failed)
        finally:
            line.close()

    def _next(self) -> Person | None:
        idle = False
        with self._lock:
            while not self._ended:
                now = time.monotonic()
                wait = self._due[0][0] - now if self._due else None
                if wait is not None and wait <= 0:
                    if idle:
                        self.pace.busy(now)
                    return heapq.heappop(self._due)[2]
                if not idle:
                    self.pace.idle()
                    idle = True
                self._lock.wait(wait)
            return None

    def _log_in(self, line: Line, person: Person) -> None:
        values = {"username": person.userid, "password": person.secret}
        told = line.ask("login", values, node=person.dial)
        at = time.monotonic()
        key, person.node = str(told["session-key"]), str(told["node"])
        with self._lock:
            self._logins.append(at)
            self._connected += 1
            if person in self._lost and self._wave is not None:
                self._wave.back.append(at)
            self._lost.discard(person)
            person.once, person.dial, person.secret = "", person.node, self._password
        try:
            self._learn(line, person, key)
        except NotDone as failed:
            # It lost its node already: that it hears.
            if failed.code != "session-over":
                self._count(failed)
        with self._lock:
            # Whole only with what it fetches.
            self.pace.login(time.monotonic())
            # Only now it listens: what it needs then is known.
            person.key = key

    def _learn(self, line: Line, person: Person, key: str) -> None:
        told: dict[str, Any] = line.ask("get-all-config", {"session-key": key}, node=person.node)
        person.lower = float(told["client-relogin-lower-limit"])
        person.upper = float(told["client-relogin-upper-limit"])
        person.backup = told.get("backup-node", "")
        self._rate = float(told["clock-rate"])
        if person.backup:
            once = line.ask("get-onetime-password", {"session-key": key}, node=person.node)
            person.once = str(once["onetime-password"])

    def _failed(self, person: Person, failed: NotDone) -> None:
        self._count(failed)
        one_time = person.secret != self._password
        person.secret = self._password
        now = time.monotonic()
        with self._lock:
            if failed.code in FINAL and not one_time:
                person.away = True
                self._away += 1
                self._lost.discard(person)
                if failed.code == "wrong-password":
                    self.refused = failed.reason
                return
            if failed.code == "not-here" and failed.node and failed.node != person.dial:
                person.dial, wait = failed.node, 0.0
            elif one_time and failed.code == "wrong-password":
                wait = 0.0
            elif person not in self._lost:
                wait = self._draw(*FIRST_AGAIN)
            else:
                wait = max(LEAST, self._draw(person.lower, person.upper) / self._rate)
            self._at(now + wait, person)

    def _count(self, failed: NotDone) -> None:
        with self._lock:
            self.failures[failed.word] += 1
            if self._wave is not None:
                self._wave.failures[failed.word] += 1

    def _at(self, moment: float, person: Person) -> None:
        heapq.heappush(self._due, (moment, next(self._number), person))
        # All: those that listen wait on it, too.
        self._lock.notify_all()

    # Listening.

    def _listen(self, people: Iterable[Person]) -> None:
        line = self._open_line()
        try:
            while not self._ended:
                listening = {person.key: person for person in people if person.key}
                pause = 0.3 if not listening else self._hear(line, listening)
                with self._lock:
                    if not self._ended and pause:
                        self._lock.wait_for(lambda: self._ended, pause)
        finally:
            line.close()

    def _hear(self, line: Line, listening: dict[str, Person]) -> float:
        """Ask once who lost its node; return the wall seconds until the next time."""
        values = {"session-key": list(listening), "wait": LISTENS}
        try:
            told: dict[str, Any] = line.ask("await-event", values, waits=LISTENS)
        except NotDone as failed:
            self._count(failed)
            return 1.0
        now = time.monotonic()
        with self._lock:
            for event in told.get("event", []):
                self._lose(listening[event["session-key"]], event, now)
        return float(told.get("again-after") or 0)

    def _lose(self, person: Person, event: dict[str, Any], now: float) -> None:
        if person.key != event["session-key"]:
            return
        person.key = ""
        self._connected -= 1
        if event["why"] == "over":
            person.away = True
            self._away += 1
            return
        ago = float(event["seconds-ago"])
        if event["why"] == "moved":
            person.dial, person.secret = person.backup, person.once or self._password
        begun = now - ago / self._rate
        # A move after all were back is another one, even where nobody has looked since.
        over = self._wave
        if over is not None and not self._lost and begun > max(over.back, default=over.heard):
            self._close(over)
        if self._wave is None:
            self._wave = Wave(begun, self._rate)
        self._lost.add(person)
        self._wave.lose(begun, now, person.lower, person.upper)
        wait = self._draw(person.lower, person.upper)
        self._at(begun + wait / self._rate, person)
