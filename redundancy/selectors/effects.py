"""What a change will do to users and services, in sentences that are read before it is made."""

from collections.abc import Iterable

from redundancy.catalog import DATABASE
from redundancy.models import RedundancyGroup, Server, ServiceStatus
from redundancy.relogin import rate_in_words
from redundancy.selectors import forecast, nodes
from redundancy.selectors.forecast import Expected
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.services import services_of, stopped_by_srm
from redundancy.srm.states import AWAY, FAILED_OVER_STATES, NOT_RESPONDING
from redundancy.srm.words import duration, listed, say, say_count, together

HOME = say("the node they are assigned to")
UNPROTECTED = say("Nobody takes over from a node that fails while High Availability is off.")


def users(number: int) -> str:
    """Return ``1 user``, ``500 users``."""
    return say_count("{count:,} user", "{count:,} users", number)


def logged_in(node: str, number: int) -> str:
    """Return how many users are logged in on a node."""
    return say("Logged in on {node} now: {users}.", node=node, users=users(number))


def _logins(expected: Expected, where: str) -> list[str]:
    """Return how the logins at ``where`` are spread, as expected."""
    if not expected.moved:
        return []
    back = together(
        (
            say("{percent} % after {time}", percent=percent, time=duration(at))
            for percent, at in expected.milestones
        ),
        ", ",
    )
    return [
        say(
            "Logins at {where}: {rate} per second at the peak. Back again: {back}.",
            where=where,
            rate=rate_in_words(expected.peak),
            back=back,
        )
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
        say_count(
            "{count:,} user on {row} is disconnected and logs in at {peer}.",
            "{count:,} users on {row} are disconnected and log in at {peer}.",
            expected.disconnected,
            row=row.name,
            peer=peer.name,
        ),
        say(
            "Stopped on {row}, until a fallback or until High Availability is disabled: {stopped}.",
            row=row.name,
            stopped=listed(stopped),
        )
        if stopped
        else say("No critical service of {row} runs that would have to be stopped.", row=row.name),
        *_logins(expected, peer.name),
    ]


def fallback(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a fallback to ``row`` does."""
    node = servers[row.server_id]
    assert node.group is not None
    expected = forecast.of_homecoming(node.group)
    return [
        say("The critical services of {row} are started where they are stopped.", row=row.name),
        _moved(expected, row.name),
        say_count(
            "{count:,} user of {row} is disconnected from {peer} and logs in at {row}.",
            "{count:,} users of {row} are disconnected from {peer} and log in at {row}.",
            expected.disconnected,
            row=row.name,
            peer=peer.name,
        ),
        *_logins(expected, row.name),
    ]


def _moved(expected: Expected, where: str) -> str:
    return say_count(
        "{count:,} session moves to {where}.",
        "{count:,} sessions move to {where}.",
        expected.moved,
        where=where,
    )


def recover(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a recovery of the pair does."""
    group = servers[row.server_id].group
    assert group is not None
    expected = forecast.of_homecoming(group)
    home = [_moved(expected, HOME), *_logins(expected, HOME)] if expected.moved else []
    return [
        say(
            "The Server Recovery Manager of {row} and of {peer} is restarted.",
            row=row.name,
            peer=peer.name,
        ),
        say("Critical services that are stopped are started on both nodes."),
        say_count(
            "{count:,} user may be without service until both nodes are Normal.",
            "{count:,} users may be without service until both nodes are Normal.",
            row.assigned + peer.assigned,
        ),
        *home,
    ]


def of_action(action: str, row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return the effects of ``action``, a key of ``wording.ACTIONS``."""
    of = {"failover": failover, "fallback": fallback, "recover": recover}[action]
    return of(row, peer, servers)


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


def of_deleting(groups: Iterable[RedundancyGroup]) -> list[str]:
    """Return what deleting ``groups`` does to their servers."""
    released = sorted(server.name for group in groups for server in group.servers.all())
    return [say("Unassigned by it: {servers}.", servers=", ".join(released))] if released else []


def of_disabling(live: GroupLive) -> list[str]:
    """Return what switching HA off does now; empty when everybody is at home."""
    if not any(row.state in AWAY or row.state == NOT_RESPONDING for row in live.rows):
        return []
    effects = []
    expected = forecast.of_homecoming(RedundancyGroup(pk=live.group_id))
    if expected.moved:
        effects += [
            _moved(expected, HOME),
            say_count(
                "{count:,} user is disconnected and logs in at {where}.",
                "{count:,} users are disconnected and log in at {where}.",
                expected.disconnected,
                where=HOME,
            ),
            *_logins(expected, HOME),
        ]
    for row in live.rows:
        back, stays_down = _services_after_disabling(row.server_id)
        if back:
            effects.append(
                say(
                    "What SRM stopped on {row} is started again: {back}.",
                    row=row.name,
                    back=listed(back),
                )
            )
        idle = row.state in FAILED_OVER_STATES or row.state == NOT_RESPONDING
        if row.assigned and idle and stays_down:
            effects.append(
                say_count(
                    "{row} serves nobody now: its {count:,} user may be without service "
                    "until its critical services run.",
                    "{row} serves nobody now: its {count:,} users may be without service "
                    "until its critical services run.",
                    row.assigned,
                    row=row.name,
                )
            )
    return [*effects, UNPROTECTED]
