"""What an action of high availability will do, told before it is done."""

from redundancy.catalog import DATABASE
from redundancy.models import RedundancyGroup, Server, ServiceStatus
from redundancy.relogin import rate_in_words
from redundancy.selectors import forecast, nodes
from redundancy.selectors.forecast import Expected
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.services import services_of, stopped_by_srm
from redundancy.srm.states import NOT_RESPONDING, NOT_SERVING, SERVING_FOR_PEER, TRANSITIONS, State
from redundancy.srm.words import listed
from redundancy.templatetags.lab import duration

ACTIONS = {"failover": "Failover", "fallback": "Fallback", "recover": "Recover"}
HOME = "the node they are assigned to"
# In these some sessions are, or are about to be, away from home.
_AWAY = (SERVING_FOR_PEER | NOT_SERVING | TRANSITIONS) - {State.INITIALIZING}


def users(number: int) -> str:
    """Return ``1 user``, ``500 users``."""
    return f"{number:,} user{'' if number == 1 else 's'}"


def _disconnected(who: str, number: int, away: str, entered: str) -> str:
    be, log = ("is", "logs") if number == 1 else ("are", "log")
    return f"{users(number)}{who} {be} disconnected{away} and {log} in at {entered}."


def _logins(expected: Expected, where: str) -> list[str]:
    """Return how the logins at ``where`` are spread, as expected."""
    if not expected.moved:
        return []
    back = ", ".join(f"{percent} % after {duration(at)}" for percent, at in expected.milestones)
    return [
        f"Logins at {where}: {rate_in_words(expected.peak)} per second at the peak. Back again: {back}."
    ]


def failover(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a failover of ``row`` does."""
    node = servers[row.server_id]
    assert node.group is not None
    expected = forecast.of_takeover(node.group, servers[peer.server_id])
    stopped = [
        service.name
        for service in services_of(node)
        if service.monitored
        and service.name != DATABASE
        and service.status == ServiceStatus.STARTED
    ]
    return [
        _moved(expected, peer.name),
        _disconnected(f" on {row.name}", expected.disconnected, "", peer.name),
        f"Stopped on {row.name}, until a fallback or until High Availability is disabled: {listed(stopped)}."
        if stopped
        else f"No critical service of {row.name} runs that would have to be stopped.",
        *_logins(expected, peer.name),
    ]


def fallback(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a fallback to ``row`` does."""
    node = servers[row.server_id]
    assert node.group is not None
    expected = forecast.of_homecoming(node.group)
    return [
        f"The critical services of {row.name} are started where they are stopped.",
        _moved(expected, row.name),
        _disconnected(f" of {row.name}", expected.disconnected, f" from {peer.name}", row.name),
        *_logins(expected, row.name),
    ]


def _moved(expected: Expected, where: str) -> str:
    sessions = f"{expected.moved:,} session{'' if expected.moved == 1 else 's'}"
    return f"{sessions} move{'s' if expected.moved == 1 else ''} to {where}."


def recover(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a recovery of the pair does."""
    group = servers[row.server_id].group
    assert group is not None
    expected = forecast.of_homecoming(group)
    home = [_moved(expected, HOME), *_logins(expected, HOME)] if expected.moved else []
    return [
        f"The Server Recovery Manager of {row.name} and of {peer.name} is restarted.",
        "Critical services that are stopped are started on both nodes.",
        f"{users(row.assigned + peer.assigned)} may be without service until both nodes are Normal.",
        *home,
    ]


def of_action(action: str, row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return the effects of ``action``, a key of ACTIONS."""
    match action:
        case "failover":
            return failover(row, peer, servers)
        case "fallback":
            return fallback(row, peer, servers)
        case _:
            return recover(row, peer, servers)


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
    expected = forecast.of_homecoming(RedundancyGroup(pk=live.group_id))
    if expected.moved:
        effects += [_moved(expected, HOME), _disconnected("", expected.disconnected, "", HOME)]
        effects += _logins(expected, HOME)
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
