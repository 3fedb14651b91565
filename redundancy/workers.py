"""Which processes work for the installation, as each of them tells the bus: workers and beat.

Moments are those of the Redis or Valkey server, as in ``pulse``. A process that ends in order takes
its sign away; one that is killed leaves it, so that somebody learns of it.
"""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace

from django.conf import settings
from kombu import Exchange, Queue

from redundancy import bus, clock, pulse

SIGNS = "srm:workers"
CANARIES = "srm:worker-canaries"
# A sign that is not renewed for a day is of nobody any more.
FORGET_SECONDS = 86400
# Wall seconds from which on a process with such a clock takes and sends no tasks: from then on it, or
# whoever takes its tasks, would drop them as too old.
ASIDE = settings.QUEUE_SECONDS / 2
# Wall seconds without a sign after which a process counts as silent: its longest task may take some.
SILENT_SECONDS = 60.0
BEAT = "beat"
# More signs than any installation has processes.
MOST = 500


@dataclass(frozen=True, slots=True)
class Sign:
    """A process as it told of itself.

    ``role``: its queues, or *beat*. ``began`` and ``seen``: first and last sign. ``ahead``: seconds by
    which its wall clock is ahead of that of the server. ``aside``: whether it takes no tasks for that.
    ``canary``: when a canary that was sent to it alone last ran; None where none has.
    """

    name: str
    role: str
    began: float
    seen: float
    ahead: float = 0.0
    aside: bool = False
    canary: float | None = None


def give_sign(*, name: str, role: str, began: float, ahead: float, aside: bool) -> None:
    """Tell that the process ``name`` works now, or stands aside."""
    sign = Sign(name, role, began, pulse.now(), ahead, aside)
    told = {key: value for key, value in asdict(sign).items() if key not in {"name", "canary"}}
    bus.client().hset(SIGNS, name, json.dumps(told))


def note_canary(name: str) -> None:
    """Note that a canary for the process ``name`` runs now."""
    bus.client().hset(CANARIES, name, repr(pulse.now()))


def signs() -> list[Sign]:
    """Return the processes that have told of themselves, by role and name."""
    with bus.client().pipeline(transaction=False) as pipe:
        pipe.hgetall(SIGNS)
        pipe.hgetall(CANARIES)
        told, canaries = pipe.execute()
    found = [Sign(name, **json.loads(text)) for name, text in told.items()]
    ran = {name: float(at) for name, at in canaries.items()}
    return sorted(
        (replace(sign, canary=ran.get(sign.name)) for sign in found),
        key=lambda sign: (sign.role, sign.name),
    )


def forget(names: Iterable[str]) -> None:
    """Take the signs of these processes away, and what waits for them alone."""
    gone = list(names)
    if gone:
        with bus.client().pipeline() as pipe:
            pipe.hdel(SIGNS, *gone)
            pipe.hdel(CANARIES, *gone)
            pipe.delete(*(own_queue(name).name for name in gone))
            pipe.execute()


def forget_old(now: float) -> None:
    """Forget those that were not seen for a day, those whose place another has taken, and any too many."""
    known = sorted(signs(), key=lambda sign: -sign.seen)
    gone = {sign.name for sign in known if now - sign.seen > FORGET_SECONDS}
    gone |= {sign.name for sign in replaced(known, now)} | {sign.name for sign in known[MOST:]}
    forget(gone)


def replaced(known: Iterable[Sign], now: float) -> list[Sign]:
    """Return the silent ones in whose place another of their role began since. Pure.

    Each that began takes the place of one: of two killed workers of which one was started again, one
    is missing. Of beat one is enough, whenever it began.
    """
    by_role: dict[str, list[Sign]] = {}
    for sign in known:
        by_role.setdefault(sign.role, []).append(sign)
    found = []
    for signs_ in by_role.values():
        alive = [sign for sign in signs_ if now - sign.seen <= SILENT_SECONDS]
        # The last one seen first: fewest can have taken its place.
        silent = sorted((s for s in signs_ if now - s.seen > SILENT_SECONDS), key=lambda s: -s.seen)
        for sign in silent:
            after = [other for other in alive if other.began >= sign.seen or sign.role == BEAT]
            if after:
                found.append(sign)
                if sign.role != BEAT:
                    alive.remove(min(after, key=lambda other: other.began))
    return found


def ahead() -> float:
    """Return by how many seconds the wall clock of this process is ahead of those of bus and database.

    0 where it agrees with one of them: then the other one is wrong, which does no harm. Negative: behind.
    Raises bus.BusError or django.db.Error where they cannot be asked.
    """
    by_database = _ahead_of(clock.database_now)
    if abs(by_database) <= clock.AGREE:
        return 0.0
    by_bus = _ahead_of(pulse.now)
    return by_bus if by_database * by_bus > 0 and abs(by_bus) > clock.AGREE else 0.0


def _ahead_of(read: Callable[[], float]) -> float:
    asked = time.time()
    told = read()
    # Read between the two: a pause of this process is no difference of clocks.
    return min(max(told, asked), time.time()) - told


def told(ahead: float) -> str:
    """Return in words, for the log, how far the clock of this process is ahead."""
    return f"The clock of this process is {abs(ahead):,.0f} s {'fast' if ahead > 0 else 'slow'}."


def own_name(name: str) -> str:
    """Return a name for this process that no other has, with ``name`` in front."""
    # Two machines made of one image may have the same name, and their processes the same number.
    return f"{name}:{os.getpid()}:{secrets.token_hex(3)}"


def own_queue(name: str) -> Queue:
    """Return the queue by which canaries reach the worker ``name`` alone."""
    own = f"canary:{name}"
    # Without an exchange nothing of it is kept but its messages.
    return Queue(own, Exchange(""), routing_key=own, auto_delete=True)
