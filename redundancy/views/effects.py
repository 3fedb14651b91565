"""What an action of high availability will do, told before it is done."""

from redundancy.models import Server, ServiceStatus
from redundancy.relogin import expected_peak, rate_in_words
from redundancy.selectors import nodes, parameters
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.services import services_of, stopped_by_srm
from redundancy.srm.sentences import listed
from redundancy.srm.states import NOT_RESPONDING, NOT_SERVING, SERVING_FOR_PEER, TRANSITIONS, State

ACTIONS = {"failover": "Failover", "fallback": "Fallback", "recover": "Recover"}
# In these some sessions are, or are about to be, away from home.
_AWAY = (SERVING_FOR_PEER | NOT_SERVING | TRANSITIONS) - {State.INITIALIZING}


def users(number: int) -> str:
    """Return ``1 user``, ``500 users``."""
    return f"{number:,} user{'' if number == 1 else 's'}"


def _disconnected(who: str, number: int, away: str, entered: str) -> str:
    be, log = ("is", "logs") if number == 1 else ("are", "log")
    return f"{users(number)}{who} {be} disconnected{away} and {log} in at {entered}."


def _logins(number: int, node: Server) -> list[str]:
    """Return how the re-login limits of the node they go to spread the logins of ``number`` users."""
    if not number:
        return []
    lower = int(parameters.value("relogin_lower", node))
    upper = int(parameters.value("relogin_upper", node))
    if upper <= lower:
        return [f"All {users(number)} log in at {node.name} at once, {lower} s later."]
    peak = expected_peak(number, lower, upper)
    return [
        f"Logins at {node.name}: {rate_in_words(peak)} per second at the peak, "
        f"between {lower} s and {upper} s after the move."
    ]


def failover(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a failover of ``row`` does."""
    return [
        _disconnected(f" on {row.name}", row.active, "", peer.name),
        f"The critical services of {row.name} are stopped; they stay stopped until a fallback, or until "
        "High Availability is disabled.",
        *_logins(row.presence.sessions, servers[peer.server_id]),
    ]


def fallback(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a fallback to ``row`` does."""
    returning = max(0, row.assigned - row.presence.sessions)
    return [
        f"The critical services of {row.name} are started where they are stopped.",
        _disconnected(f" of {row.name}", returning, f" from {peer.name}", row.name),
        *_logins(returning, servers[row.server_id]),
    ]


def recover(row: NodeRow, peer: NodeRow) -> list[str]:
    """Return what a recovery of the pair does."""
    return [
        f"The Server Recovery Manager of {row.name} and of {peer.name} is restarted.",
        "Critical services that are stopped are started on both nodes.",
        f"{users(row.assigned + peer.assigned)} may be without service until both nodes are Normal.",
    ]


def of_action(action: str, row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return the effects of ``action``, a key of ACTIONS."""
    match action:
        case "failover":
            return failover(row, peer, servers)
        case "fallback":
            return fallback(row, peer, servers)
        case _:
            return recover(row, peer)


def _services_after_disabling(server_id: int) -> tuple[list[str], bool]:
    """Return which services of a node come back with HA off, and whether a critical one does not."""
    server = nodes.node(server_id)
    if server is None:
        return [], False
    back = stopped_by_srm(server)
    return back, any(
        row.monitored and row.status != ServiceStatus.STARTED and row.name not in back
        for row in services_of(server)
    )


def of_disabling(live: GroupLive) -> list[str]:
    """Return what switching HA off does now; empty when everybody is at home."""
    if not any(row.state in _AWAY or row.state == NOT_RESPONDING for row in live.rows):
        return []
    effects = []
    for row in live.rows:
        guests = max(0, row.presence.sessions - row.assigned)
        if guests:
            away = f" from {row.name}"
            effects.append(_disconnected("", guests, away, "the node they are assigned to"))
    for row in live.rows:
        back, stays_down = _services_after_disabling(row.server_id)
        if back:
            effects.append(f"What SRM stopped on {row.name} is started again: {listed(back)}.")
        idle = row.state in NOT_SERVING or row.state == NOT_RESPONDING
        if row.assigned and idle and stays_down:
            effects.append(
                f"{row.name} serves nobody now: its {users(row.assigned)} may be without service "
                "until its critical services run."
            )
    return [*effects, "Nobody takes over from a node that fails while High Availability is off."]
