"""The words of SRM's decisions: why something happened, and why something has not happened yet.

Pages show these sentences and tests assert them, so they carry the figures they rest on.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from redundancy.srm import facts
from redundancy.srm.states import NOT_SERVING, TRANSITIONS, State
from redundancy.srm.types import MoveKind, Node, Policy, Request

ENABLED = "High Availability was enabled."
DISABLED = "High Availability was disabled."
RECOVERED = "Both SRMs are restarted to recover."
# Stands for the names of services that cannot be told.
A_SERVICE = "a critical service"


def duration(seconds: float) -> str:
    """Return a length of time as an administrator writes it: ``12 min 41 s``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (secs, "s")]
    shown = [f"{amount} {unit}" for amount, unit in parts if amount]
    return " ".join(shown) or "0 s"


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: ``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def are(names: Sequence[str]) -> str:
    """Return the verb that goes with so many names."""
    return "is" if len(names) == 1 else "are"


def fill(why: str, node: Node, now: float, policy: Policy) -> str:
    """Return the sentence of a table's row with its figures filled in."""
    unbroken = facts.unbroken_since(node)
    worst = facts.longest_down(node, now, policy)
    down, down_for = down_names(node), duration(now - worst.since) if worst else "0 s"
    # With a figure stand only those it is true of: down for as long as the worst of them.
    overdue = [s.name for s in facts.down(node) if duration(now - s.since) == down_for]
    text = why.format(
        peer=node.peer_name,
        down=listed(down),
        are=are(down),
        overdue=listed(overdue),
        were="was" if len(overdue) == 1 else "were",
        down_for=down_for,
        down_limit=duration(policy.critical_service_delay),
        gone=gone(node, now, policy),
        unheard=duration(now - node.listening_since),
        healthy=duration(now - unbroken) if unbroken is not None else "0 s",
    )
    # Names keep their spelling at the beginning of a sentence.
    named = why.startswith("{") and not text.startswith(A_SERVICE)
    return (text if named else text[:1].upper() + text[1:]) + "."


def down_names(node: Node) -> list[str]:
    """Return the names of the services that are down, or what stands for them."""
    return [service.name for service in facts.down(node)] or [A_SERVICE]


def gone(node: Node, now: float, policy: Policy) -> str:
    """Return why the peer counts as down."""
    if facts.announced(node):
        return f"{node.peer_name} announced that it is being shut down or restarted"
    limit = duration(facts.silence_limit(node, policy))
    if node.peer is None:
        return f"{node.peer_name} was never heard since this SRM listens (limit {limit})"
    silent = duration(facts.silence(node, now))
    return f"No heartbeat from {node.peer_name} for {silent} (limit {limit})"


def why_not(node: Node, request: Request) -> str:
    """Return why a request of the administrator is refused in the present state."""
    what = request.value.capitalize()
    if node.state in TRANSITIONS:
        return f"{what} is not offered while {node.name} is {node.state}."
    if request is Request.FAILOVER and node.state is State.NORMAL:
        return f"{what} needs {node.peer_name} to be heard and Normal."
    if request is Request.FALLBACK and node.state in NOT_SERVING - {State.FAILED_OVER_DOWN}:
        return f"{what} needs {node.peer_name} to run in backup mode and to hear {node.name}."
    if request is Request.FALLBACK and node.state is State.FAILED_OVER_DOWN:
        down = down_names(node)
        return (
            f"{what} needs all critical services of {node.name} to run; "
            f"{listed(down)} {are(down)} not running."
        )
    return f"{what} is not offered while {node.name} is {node.state}."


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
    return " ".join(sentence for sentence in found if sentence)


def clock_time(moment: float) -> str:
    """Return a moment of lab time as ``10:07:12``, in UTC."""
    return f"{datetime.fromtimestamp(moment, tz=UTC):%H:%M:%S}"


def _waiting(node: Node) -> str:
    if node.starting_since is not None:
        return "Waits for its critical services to start."
    match node.state:
        case State.INITIALIZING if node.peer is not None and not node.peer.hears:
            return f"Waits for {node.peer_name} to hear this node."
        case State.FAILING_OVER:
            return f"Waits for {node.peer_name} to take the users over."
        case State.FALLING_BACK:
            return f"Waits for {node.peer_name} to take its users back."
        case State.TAKING_OVER | State.TAKING_BACK if node.move is not None:
            home = node.move.kind is MoveKind.HOME
            return "The users are being moved home." if home else "The users are being moved here."
        case State.BACKUP | State.BACKUP_ACTIVATED if not node.holds:
            return f"Serves nobody of {node.peer_name} until it is heard: it may hold the users."
    return ""


def _silence(node: Node, now: float, policy: Policy) -> str:
    """Return when a silent peer will be declared down."""
    late = facts.late(node, now, policy)
    if not late or facts.peer_gone(node, now, policy) or node.state is State.FAILED:
        return ""
    since = facts.heard_at(node)
    until = since + facts.silence_limit(node, policy)
    if node.peer is None:
        return f"Waits for {node.peer_name} until {clock_time(until)}."
    return (
        f"No heartbeat from {node.peer_name} since {clock_time(since)}; "
        f"it is declared down at {clock_time(until)}."
    )


def _services(node: Node, policy: Policy) -> str:
    """Return which service of a serving node is down, and what comes of it."""
    if node.state not in {State.NORMAL, State.BACKUP, State.BACKUP_ACTIVATED}:
        return ""
    return " ".join(
        f"{service.name} has not been running since {clock_time(service.since)}; "
        f"the limit is {clock_time(service.since + policy.critical_service_delay)}."
        for service in facts.down(node)
    )


def _fallback(node: Node, policy: Policy) -> str:
    """Return when the node will fall back by itself, or why it will not."""
    if node.state not in {State.FAILED_OVER, State.AFFECTED}:
        return ""
    if not policy.automatic_fallback:
        return "Automatic fallback is disabled; Fallback by hand is possible."
    unbroken = facts.unbroken_since(node)
    if unbroken is None:
        return "Automatic fallback waits for all critical services to run."
    return (
        f"Automatic fallback at {clock_time(unbroken + policy.fallback_after)}; the "
        f"{duration(policy.fallback_after)} began at {clock_time(unbroken)}, {_began(node, policy)}."
    )


def _began(node: Node, policy: Policy) -> str:
    """Return what the unbroken wait began with: the last thing that broke it."""
    last = max(node.services, key=lambda service: service.since)
    what, when = f"when {last.name} was started", last.since
    if node.started_at >= when:
        what, when = "when its SRM was started", node.started_at
    # A node follows its services within an interval; later, its own change of state was the last.
    if when < node.since - policy.heartbeat_interval:
        return f"when it became {node.state}"
    return what
