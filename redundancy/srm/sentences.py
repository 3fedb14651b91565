"""The words of SRM's decisions: why something happened, and why something has not happened yet.

Pages show these sentences and tests assert them, so they carry the figures they rest on.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from redundancy.srm import facts
from redundancy.srm.states import (
    AWAITING_FALLBACK,
    BACKUP_MODES,
    FAILED_OVER_STATES,
    SERVING,
    State,
)
from redundancy.srm.types import MoveKind, Node, Policy, Request
from redundancy.srm.words import duration, english, listed, mark, say, say_row, together

ENABLED = say("High Availability was enabled.")
DISABLED = say("High Availability was disabled.")
RECOVERED = say("Both SRMs are restarted to recover.")
# Why a request is not even told to an SRM.
HA_OFF = say("High Availability is not enabled.")
REQUEST_UNDER_WAY = say("A request for this group is already being carried out.")
# Stands for the names of services that cannot be told.
A_SERVICE = say("a critical service")
A_SERVICE_FIRST = say("A critical service")
# What version 0.2.0 said, and a history that is kept still does: translated for it.
EARLIER = (mark("All users are served here."),)


def are(names: Sequence[str]) -> str:
    """Return the verb that goes with so many names."""
    return say("is") if len(names) == 1 else say("are")


def fill(why: str, node: Node, now: float, policy: Policy) -> str:
    """Return the sentence of a table's row with its figures filled in."""
    fields = {
        name: figure(node, now, policy) for name, figure in _FIGURES.items() if f"{{{name}}}" in why
    }
    if why.startswith("{down}") and not facts.down(node):
        fields["down"] = A_SERVICE_FIRST
    return say_row(why, fields)


def down_names(node: Node) -> list[str]:
    """Return the names of the services that are down, or what stands for them."""
    return [service.name for service in facts.down(node)] or [A_SERVICE]


def gone(node: Node, now: float, policy: Policy) -> str:
    """Return why the peer counts as down."""
    peer = node.peer_name
    if facts.announced(node):
        return say("{peer} announced that it is being shut down or restarted", peer=peer)
    limit = duration(facts.silence_limit(node, policy))
    if node.peer is None:
        return say(
            "{peer} was never heard since this SRM listens (limit {limit})", peer=peer, limit=limit
        )
    silent = duration(facts.silence(node, now))
    told = {"peer": peer, "silent": silent, "limit": limit}
    return say("No heartbeat from {peer} for {silent} (limit {limit})", **told)


def _down_for(node: Node, now: float, policy: Policy) -> str:
    worst = facts.longest_down(node, now, policy)
    return duration(now - worst.since) if worst else "0 s"


def _overdue(node: Node, now: float, policy: Policy) -> list[str]:
    """Return the names of the services that are down for as long as the worst of them: a figure is true of no others."""
    down_for = _down_for(node, now, policy)
    return [s.name for s in facts.down(node) if duration(now - s.since) == down_for]


def _healthy(node: Node, now: float, _: Policy) -> str:
    unbroken = facts.unbroken_since(node)
    return duration(now - unbroken) if unbroken is not None else "0 s"


# What the templates of the table name: a row needs few of them, and each takes longer than a look at it.
_FIGURES: Mapping[str, Callable[[Node, float, Policy], str]] = {
    "peer": lambda node, *_: node.peer_name,
    "down": lambda node, *_: listed(down_names(node)),
    "are": lambda node, *_: are(down_names(node)),
    "overdue": lambda *seen: listed(_overdue(*seen)),
    "were": lambda *seen: say("was") if len(_overdue(*seen)) == 1 else say("were"),
    "down_for": _down_for,
    "down_limit": lambda *seen: duration(seen[2].critical_service_delay),
    "gone": gone,
    "unheard": lambda node, now, _: duration(now - node.listening_since),
    "healthy": _healthy,
}


def not_reporting(node: str) -> str:
    """Return that this node's SRM does not run, as far as anybody knows."""
    return say("The SRM of {node} does not report.", node=node)


def why_not(node: Node, request: Request) -> str:
    """Return why a request of the administrator is refused in the present state."""
    what = request.value.capitalize()
    peer = node.peer
    if request is Request.FAILOVER and node.state is State.NORMAL:
        if peer is not None and peer.state is State.NORMAL and not peer.healthy:
            return say(
                "{what} needs all critical services of {peer} to run; {peer} reports that not all of them do.",
                what=what,
                peer=node.peer_name,
            )
        return say("{what} needs {peer} to be heard and Normal.", what=what, peer=node.peer_name)
    if request is Request.FALLBACK and node.state in FAILED_OVER_STATES - {State.FAILED_OVER_DOWN}:
        return say(
            "{what} needs {peer} to run in backup mode and to hear {node}.",
            what=what,
            peer=node.peer_name,
            node=node.name,
        )
    if request is Request.FALLBACK and node.state is State.FAILED_OVER_DOWN:
        down = down_names(node)
        return say(
            "{what} needs all critical services of {node} to run; {down} {are} not running.",
            what=what,
            node=node.name,
            down=listed(down),
            are=are(down),
        )
    return say(
        "{what} is not offered while {node} is {state}.",
        what=what,
        node=node.name,
        state=node.state,
    )


def outlook(node: Node, now: float, policy: Policy) -> str:
    """Return what the node waits for, and on what it depends; empty when nothing is going on.

    It names moments, not remaining seconds, so that it stays true while a page shows it.
    """
    if node.state is State.UNKNOWN:
        return ""
    found = [
        _waiting(node),
        _silence(node, now, policy),
        _services(node, policy),
        _fallback(node, policy),
    ]
    return together(found)


def present(node: Node, now: float, policy: Policy, *, serves: bool = True) -> str:
    """Return what holds now of a node in its state, as far as its SRM knows it; empty for nothing.

    ``serves``: whether a client can log in at it, which SRM does not watch.
    """
    names = {"peer": node.peer_name, "node": node.name}
    peer = node.peer if facts.peer_heard(node, now, policy) else None
    if node.state is State.NORMAL and facts.healthy(node):
        if not serves:
            return say("Nobody can log in here.")
        if peer is None or facts.late(node, now, policy):
            return say("The critical services of {node} run.", **names)
        if peer.healthy:
            return say("Both nodes are reachable and their critical services run.")
        return say("{peer} is reachable, and the critical services of {node} run.", **names)
    if node.state in BACKUP_MODES and node.holds:
        if not serves:
            return say("All users are here, and nobody can log in.")
        return say("The sessions of all users are here.")
    if node.state in FAILED_OVER_STATES and peer is not None and peer.state in BACKUP_MODES:
        return say("The users are at {peer}.", **names)
    return ""


def told(led: str, *now: str) -> str:
    """Return what holds ``now`` and, as past, what ``led`` here, unless it is the same."""
    held = [sentence for sentence in now if sentence]
    if not held or english(led) in map(english, held):
        return together(held or [led])
    return together([*held, say("Before: {led}", led=led)] if led else held)


def clock_time(moment: float) -> str:
    """Return a moment of lab time as ``10:07:12``, in UTC."""
    return f"{datetime.fromtimestamp(moment, tz=UTC):%H:%M:%S}"


def _waiting(node: Node) -> str:
    if node.starting_since is not None:
        return say("Waits for its critical services to start.")
    match node.state:
        case State.INITIALIZING if node.peer is not None and not node.peer.hears:
            return say("Waits for {peer} to hear this node.", peer=node.peer_name)
        case State.FAILING_OVER:
            return say("Waits for {peer} to take the users over.", peer=node.peer_name)
        case State.FALLING_BACK:
            return say("Waits for {peer} to take its users back.", peer=node.peer_name)
        case State.TAKING_OVER | State.TAKING_BACK if node.move is not None:
            home = node.move.kind is MoveKind.HOME
            return (
                say("The users are being moved home.")
                if home
                else say("The users are being moved here.")
            )
        case State.BACKUP | State.BACKUP_ACTIVATED if not node.holds:
            return say(
                "Serves nobody of {peer} until it is heard: it may hold the users.",
                peer=node.peer_name,
            )
    return ""


def _silence(node: Node, now: float, policy: Policy) -> str:
    """Return when a silent peer will be declared down."""
    until = facts.missed_until(node, now, policy)
    if until is None:
        return ""
    if node.peer is None:
        return say("Waits for {peer} until {until}.", peer=node.peer_name, until=clock_time(until))
    return say(
        "No heartbeat from {peer} since {since}; it is declared down at {until}.",
        peer=node.peer_name,
        since=clock_time(facts.heard_at(node)),
        until=clock_time(until),
    )


def _services(node: Node, policy: Policy) -> str:
    """Return which service of a serving node is down, and what comes of it."""
    if node.state not in SERVING:
        return ""
    return together(
        say(
            "{service} has not been running since {since}; the limit is {until}.",
            service=service.name,
            since=clock_time(service.since),
            until=clock_time(service.since + policy.critical_service_delay),
        )
        for service in facts.down(node)
    )


def _fallback(node: Node, policy: Policy) -> str:
    """Return when the node will fall back by itself, or why it will not."""
    if node.state not in AWAITING_FALLBACK:
        return ""
    if not policy.automatic_fallback:
        return say("Automatic fallback is disabled; Fallback by hand is possible.")
    unbroken = facts.unbroken_since(node)
    if unbroken is None:
        return say("Automatic fallback waits for all critical services to run.")
    return say(
        "Automatic fallback at {until}; the {wait} began at {since}, {began}.",
        until=clock_time(unbroken + policy.fallback_after),
        wait=duration(policy.fallback_after),
        since=clock_time(unbroken),
        began=_began(node, policy),
    )


def _began(node: Node, policy: Policy) -> str:
    """Return what the unbroken wait began with: the last thing that broke it."""
    last = max(node.services, key=lambda service: service.since)
    what, when = say("when {last} was started", last=last.name), last.since
    if node.started_at >= when:
        what, when = say("when its SRM was started"), node.started_at
    # A node follows its services within an interval; later, its own change of state was the last.
    if when < node.since - policy.heartbeat_interval:
        return say("when it became {state}", state=node.state)
    return what
