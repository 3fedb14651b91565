"""What one step of SRM writes into its trace, in the shape of the field's log4j lines. Pure.

The lines of a peer declared down and of a changed state vector are those of a real trace, to the
letter; the others follow their shape.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from redundancy.srm.facts import silence
from redundancy.srm.states import Reason, State
from redundancy.srm.types import (
    Action,
    Heartbeat,
    MoveSessions,
    Node,
    PowerDown,
    RestartServices,
    SendHeartbeat,
    StartServices,
    StateChanged,
    StopServices,
)
from redundancy.srm.words import english


class Level(IntEnum):
    """How much is written: the lines of a level and of all below it."""

    ERROR = 1
    WARN = 2
    INFO = 3
    DEBUG = 4


# The classes whose names stand in the lines.
HEARTBEAT, FALLBACK = "RsrmHeartBeatHandler", "RsrmAutomaticFallback"
STATES, SERVICES, MOVES, ADMIN = (
    "RsrmStateMachine",
    "RsrmServiceMonitor",
    "RsrmUserMover",
    "RsrmAdminHandler",
)
GONE = frozenset({Reason.PEER_DOWN, Reason.PEER_DOWN_DURING_INITIALIZATION})


class Line(NamedTuple):
    """A line of the trace: how grave it is, which class says it, and what."""

    level: Level
    source: str
    message: str

    def at(self, now: float) -> str:
        """Return the line as it is written at ``now``, seconds since 1970 in UTC."""
        return f"{_stamp(now)} {self.level.name} [HS] rsrm.{self.source} - {self.source}: {self.message}"


# All lines of a step have the same one.
@lru_cache(maxsize=1)
def _stamp(now: float) -> str:
    moment = datetime.fromtimestamp(now, tz=UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03}"


def trace_lines(
    before: Node,
    after: Node,
    heard: Heartbeat | None,
    actions: Iterable[tuple[Action, str]],
    refused: Sequence[tuple[str, str]],
    now: float,
) -> Iterator[Line]:
    """Yield what a step writes that took ``before`` to ``after`` at ``now``.

    ``heard``: the heartbeat in the inbox. ``actions`` and ``refused`` (sentences) each with the name
    of who caused them.
    """
    if heard is not None and after.peer == heard and before.peer != heard:
        yield _debug_heard(heard)
    old, new = before.peer, after.peer
    if new is not None and (old is None or old.incarnation != new.incarnation):
        yield Line(Level.INFO, HEARTBEAT, f"peer up, incarnation= {new.incarnation}")
    yield from _services(before, after)
    for action, actor in actions:
        yield from _action(action, actor, before, now)
    for sentence, actor in refused:
        yield Line(
            Level.WARN, ADMIN, f"request of {actor or 'unknown'} refused: {english(sentence)}"
        )
    if _vector(before) != _vector(after):
        said, own = _vector(after)
        yield Line(Level.INFO, FALLBACK, f"peer states vector changed to [{said},{own}]")


def _vector(node: Node) -> tuple[str, str]:
    """Return what the peer last said, and the own state."""
    return (node.peer.state if node.peer else State.UNKNOWN), node.state


def _debug_heard(heard: Heartbeat) -> Line:
    said = f"seq= {heard.seq}, state= {heard.state}, epoch= {heard.epoch}, healthy= {heard.healthy}"
    return Line(Level.DEBUG, HEARTBEAT, f"heartbeat received from {heard.sender}, {said}")


def _services(before: Node, after: Node) -> Iterator[Line]:
    known = {service.name: service.up for service in before.services}
    for service in after.services:
        if service.name not in known:
            yield Line(Level.DEBUG, SERVICES, f"{service.name} is monitored")
        if known.get(service.name, True) == service.up:
            continue
        if service.up is None:
            yield Line(Level.WARN, SERVICES, f"{service.name} cannot be read")
        elif service.up:
            yield Line(Level.INFO, SERVICES, f"{service.name} is running")
        else:
            yield Line(Level.WARN, SERVICES, f"{service.name} is not running")


def _action(action: Action, actor: str, before: Node, now: float) -> Iterator[Line]:
    match action:
        case StateChanged():
            if action.new_reason in GONE and action.old_reason not in GONE:
                quiet = int(silence(before, now))
                said = f"peer down, time since last heartbeat[s]= {quiet}"
                yield Line(Level.INFO, HEARTBEAT, said)
            grave = Level.ERROR if action.new_state is State.FAILED else Level.INFO
            change = (
                f"state changed from [{action.old_state},{action.old_reason}] "
                f"to [{action.new_state},{action.new_reason}]: {english(action.sentence)}"
            )
            yield Line(grave, STATES, f"{change} ({actor})" if actor else change)
        case MoveSessions(kind, epoch):
            yield Line(Level.INFO, MOVES, f"{kind} of users requested, epoch= {epoch}")
        case StartServices():
            yield Line(Level.INFO, SERVICES, "starting critical services")
        case RestartServices():
            yield Line(Level.INFO, SERVICES, "restarting critical services")
        case StopServices():
            yield Line(Level.INFO, SERVICES, "stopping critical services")
        case PowerDown(reboot):
            yield Line(Level.INFO, STATES, f"node goes down{' for a restart' if reboot else ''}")
        case SendHeartbeat(heartbeat):
            said = f"seq= {heartbeat.seq}, state= {heartbeat.state}, epoch= {heartbeat.epoch}"
            yield Line(Level.DEBUG, HEARTBEAT, f"heartbeat sent, {said}")
