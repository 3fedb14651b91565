"""What each node of a cluster hears of its peer, by the columns that are read of thousands."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from redundancy.fingerprint import PASSING
from redundancy.selectors.access import Access
from redundancy.srm import facts
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Node, Policy, replace
from redundancy.srm.words import say


class Sound(StrEnum):
    """What a node's SRM makes of its peer's heartbeats."""

    HEARD = "heard"
    LATE = "late"
    SILENT = "silent"
    WAITING = "not heard yet"
    DEAF = "does not listen"
    UNSEEN = "nobody looks"

    @property
    def hears(self) -> bool:
        """Return whether the peer counts as alive."""
        return self in {Sound.HEARD, Sound.LATE}


@dataclass(frozen=True, slots=True)
class Ear:
    """What one node has heard of its peer.

    ``heard_at``: lab seconds of the last heartbeat, None for never. ``heard_back``: the peer said in
    it that it hears this node. ``leaving``: the peer said in it that it goes down. ``holds_until``: lab
    seconds at which ``sound`` is another if nothing more is heard; None when it stays.
    """

    sound: Sound
    heard_at: float | None = field(default=None, metadata=PASSING)
    heard_back: bool = False
    leaving: bool = False
    holds_until: float | None = field(default=None, metadata=PASSING)

    @property
    def never(self) -> str:
        """Return what stands in the place of an age where nothing was heard."""
        return "–" if self.sound in {Sound.DEAF, Sound.UNSEEN} else say("not yet")


class Row(NamedTuple):
    """What is read of each node, as the database tells it; the names are those of ``COLUMNS``."""

    pk: int
    name: str
    is_publisher: bool
    group_id: int | None
    powered: bool
    srm_running: bool
    stopped_at: float | None
    lost_at: float | None
    again_at: float | None
    state: str
    reason: str
    generation: int | None
    peer_at: float | None
    peer_hears: bool | None
    peer_leaving: bool | None
    listening_since: float | None
    service_down: bool | None

    @property
    def reports(self) -> bool:
        """Whether its SRM runs, so that it can be asked."""
        return bool(self.powered and self.srm_running)

    @property
    def access(self) -> Access:
        """Since when clients cannot log in at it."""
        if self.stopped_at is None and self.lost_at is None and self.again_at is None:
            return _OPEN
        return Access(self.stopped_at, self.lost_at, self.again_at)


COLUMNS = (
    "pk",
    "name",
    "is_publisher",
    "group_id",
    "machine__powered",
    "machine__srm_running",
    "machine__logins_stopped_at",
    "machine__clients_lost_at",
    "machine__logins_again_at",
    "runtime__state",
    "runtime__reason",
    "runtime__generation",
    "runtime__peer_at",
    "runtime__peer_hears",
    "runtime__peer_leaving",
    "runtime__listening_since",
    "runtime__service_down",
)
_OPEN = Access()


# What a peer said, of which nothing but that it leaves counts for a time limit.
_SAID = {
    leaving: Heartbeat("", 0, 0, 0, State.UNKNOWN, Reason.HA_NOT_ENABLED, 0, True, True, leaving)
    for leaving in (False, True)
}
_BLANK = Node("", "", first=False)


def _listener(row: Row) -> Node:
    """Return the node of ``row`` with what it has heard, and when."""
    return replace(
        _BLANK,
        peer=None if row.peer_hears is None else _SAID[bool(row.peer_leaving)],
        peer_at=row.peer_at or 0.0,
        listening_since=row.listening_since or 0.0,
    )


def in_time(policy: Policy) -> float:
    """Return the seconds for which a peer that was heard is neither late nor silent, see ``facts.late_at``."""
    return facts.late_at(replace(_BLANK, peer=_SAID[False]), policy)


def sound_of(
    row: Row, generation: int, policy: Policy, now: float, heard_for: float, *, seeing: bool
) -> Sound:
    """Return what the node of ``row`` makes of its peer's heartbeats at ``now``.

    ``heard_for``: what ``in_time`` says.
    """
    if not row.reports:
        return Sound.DEAF
    if not seeing:
        return Sound.UNSEEN
    if row.generation != generation:
        # High Availability was switched on a moment ago: what it remembers is of another time.
        return Sound.WAITING
    heard = row.peer_hears is not None and not row.peer_leaving
    if heard and now - (row.peer_at or 0.0) < heard_for:
        # So are most of thousands: none of these is made up as a node.
        return Sound.HEARD
    node = _listener(row)
    if node.peer is None:
        return Sound.SILENT if facts.peer_gone(node, now, policy) else Sound.WAITING
    if not facts.peer_heard(node, now, policy):
        return Sound.SILENT
    return Sound.LATE if facts.late(node, now, policy) else Sound.HEARD


def ear_of(row: Row, sound: Sound, policy: Policy) -> Ear:
    """Return what the node of ``row`` has heard, of which it makes ``sound``."""
    if sound in {Sound.DEAF, Sound.UNSEEN, Sound.WAITING} or row.peer_hears is None:
        return Ear(sound)
    if sound is Sound.SILENT:
        return Ear(sound, row.peer_at, bool(row.peer_hears), bool(row.peer_leaving))
    until = facts.late_at if sound is Sound.HEARD else facts.gone_at
    return Ear(sound, row.peer_at, bool(row.peer_hears), holds_until=until(_listener(row), policy))
