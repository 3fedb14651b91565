"""What a change will do to users and services, in sentences that are read before it is made."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from redundancy.catalog import CONNECTION_SERVICES, DATABASE, LOGIN_SERVICES, XCP_ROUTER
from redundancy.models import RedundancyGroup, Server, ServiceStatus
from redundancy.relogin import rate_in_words
from redundancy.selectors import client_words, deployed, forecast, nodes
from redundancy.selectors.access import (
    UNSEEN,
    missed_services,
    nobody_logs_in,
    still_missing,
    without_clients,
)
from redundancy.selectors.forecast import Expected
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.services import ServiceRow, services_of, services_of_all, stopped_by_srm
from redundancy.srm.states import AWAY, NOT_RESPONDING
from redundancy.srm.words import duration, listed, say, say_count, together

HOME = say("the node they are assigned to")
TEMPORARY = say(
    "Temporary presence, of people who are no contacts, stays as it was before the move until the client "
    "subscribes to it again."
)
ROUTER_AFTERWARDS = say(
    "After a node was removed, restart the {router} on all nodes of the cluster.", router=XCP_ROUTER
)
# What runs on one node only, and fails over to none.
SINGLE = say(
    "The Cisco Sync Agent, the Cisco Intercluster Sync Agent and the administration page run on one node "
    "only: while it is away, nobody takes them over."
)
UNPROTECTED = say("Nobody takes over from a node that fails while High Availability is off.")


def users(number: int) -> str:
    """Return ``1 user``, ``500 users``."""
    return say_count("{count:,} user", "{count:,} users", number)


def logged_in(node: str, number: int) -> str:
    """Return how many users are logged in on a node."""
    return say("Logged in on {node} now: {users}.", node=node, users=users(number))


def of_login_services(node: str, services: Sequence[str], *, again: bool = False) -> list[str]:
    """Return what it does to clients that ``services``, which a login needs, stop on ``node``.

    ``again``: they start again at once. Empty where no client notices.
    """
    if not services:
        return []
    cut = any(name in CONNECTION_SERVICES for name in services)
    if again:
        lost = say(
            "Everybody who is logged in at {node} is disconnected, and logs in again after a random time "
            "between the re-login limits.",
            node=node,
        )
        return [lost] if cut else []
    shut = say(
        "Nobody can log in at {node} without {services}.", node=node, services=listed(services)
    )
    lost = say("Everybody who is logged in at {node} is disconnected.", node=node)
    return [*([lost] if cut else []), together([shut, UNSEEN])]


def _logins(expected: Expected, where: str, *, failed: bool = False) -> list[str]:
    """Return how the logins at ``where`` are spread, as expected. ``failed``: both nodes have."""
    if not expected.moved:
        return []
    back = together(
        (
            say("{percent} % after {time}", percent=percent, time=duration(at))
            for percent, at in expected.milestones
        ),
        ", ",
    )
    kept = "" if failed else client_words.KEPT
    return [
        say(
            "Logins at {where}: {rate} per second at the peak, the busiest {span}, which half of such "
            "moves stay below. Back again: {back}.",
            where=where,
            rate=rate_in_words(expected.peak),
            span=duration(expected.span),
            back=back,
        ),
        *([client_words.several(expected.per_user)] if expected.per_user > 1 else []),
        *([together([client_words.pushed(expected.pushed), kept])] if expected.pushed else []),
        TEMPORARY,
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
    shut = shut_after("failover", node, servers[peer.server_id])
    disconnected = say_count(
        "{count:,} user on {row} is disconnected and logs in at {peer}.",
        "{count:,} users on {row} are disconnected and log in at {peer}.",
        expected.disconnected,
        row=row.name,
        peer=peer.name,
    )
    return [
        _moved(expected, peer.name),
        *_arriving(expected, disconnected, peer.name, shut),
        say(
            "Stopped on {row}, until a fallback or until High Availability is disabled: {stopped}.",
            row=row.name,
            stopped=listed(stopped),
        )
        if stopped
        else say("No critical service of {row} runs that would have to be stopped.", row=row.name),
        *shut,
        *deployed.rooms_after_failover(node, peer.name),
        *([] if shut else _logins(expected, peer.name)),
    ]


def fallback(row: NodeRow, peer: NodeRow, servers: dict[int, Server]) -> list[str]:
    """Return what a fallback to ``row`` does."""
    node = servers[row.server_id]
    assert node.group is not None
    expected = forecast.of_homecoming(node.group)
    shut = shut_after("fallback", node, servers[peer.server_id])
    disconnected = say_count(
        "{count:,} user of {row} is disconnected from {peer} and logs in at {row}.",
        "{count:,} users of {row} are disconnected from {peer} and log in at {row}.",
        expected.disconnected,
        row=row.name,
        peer=peer.name,
    )
    return [
        _restarted(node),
        _moved(expected, row.name),
        *_arriving(expected, disconnected, row.name, shut),
        *shut,
        *deployed.rooms_after_fallback(node),
        *([] if shut else _logins(expected, row.name)),
    ]


def _arriving(
    expected: Expected, disconnected: str, where: str, shut: Sequence[str]
) -> Iterator[str]:
    """Give whom the move to ``where`` disconnects; that they log in there only where ``shut`` is empty."""
    if shut:
        return _interrupted(expected, _disconnected(expected), "")
    return _interrupted(expected, disconnected, where)


def shut_after(action: str, node: Server, peer: Server) -> list[str]:
    """Return that nobody can log in where ``action`` on ``node`` moves users; empty where they can.

    ``action``: ``failover`` or ``fallback``.
    """
    there = peer if action == "failover" else node
    missing = missed_services([there.pk]).get(there.pk, ())
    without = still_missing(missing, action, router_runs=XCP_ROUTER not in missing)
    return [nobody_logs_in(there.name, without)] if without else []


def _restarted(node: Server) -> str:
    """Return what becomes of the services of a node that takes its users back."""
    critical = [row for row in services_of(node) if row.monitored and row.name != DATABASE]
    names = {"node": node.name, "services": listed([row.name for row in critical])}
    if not any(row.started for row in critical):
        return say("SRM starts the critical services of {node}: {services}.", **names)
    return say(
        "SRM restarts the critical services of {node}: {services}. Every running XCP service "
        "restarts with {router}.",
        router=XCP_ROUTER,
        **names,
    )


def _interrupted(expected: Expected, disconnected: str, where: str) -> Iterator[str]:
    """Give ``disconnected``, which tells whom the move disconnects, and who only waited for a login.

    ``where``: at which node they log in then; empty where that is not certain.
    """
    if expected.disconnected:
        yield disconnected
    waiting = expected.moved - expected.disconnected
    if waiting and where:
        yield say_count(
            "{count:,} user who still waits to log in is moved, too, and logs in at {where}.",
            "{count:,} users who still wait to log in are moved, too, and log in at {where}.",
            waiting,
            where=where,
        )
    elif waiting:
        yield say_count(
            "{count:,} user who still waits to log in is moved, too.",
            "{count:,} users who still wait to log in are moved, too.",
            waiting,
        )


def _disconnected(expected: Expected, where: str = "") -> str:
    if where:
        return say_count(
            "{count:,} user is disconnected and logs in at {where}.",
            "{count:,} users are disconnected and log in at {where}.",
            expected.disconnected,
            where=where,
        )
    return say_count(
        "{count:,} user is disconnected.",
        "{count:,} users are disconnected.",
        expected.disconnected,
    )


def _moved(expected: Expected, where: str) -> str:
    if expected.per_user > 1:
        return say_count(
            "{sessions:,} sessions of {count} user move to {where}.",
            "{sessions:,} sessions of {count:,} users move to {where}.",
            expected.moved,
            where=where,
            sessions=expected.sessions,
        )
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
    home = [_moved(expected, HOME), *_logins(expected, HOME, failed=True)] if expected.moved else []
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


def of_deleting(groups: Iterable[RedundancyGroup]) -> list[str]:
    """Return what deleting ``groups`` does to their servers."""
    chosen = list(groups)
    released = sorted(server.name for group in chosen for server in group.servers.all())
    if not released:
        return []
    unassigned = say("Unassigned by it: {servers}.", servers=", ".join(released))
    return [unassigned, *of_leaving(group.name for group in chosen if group.servers.all())]


def of_leaving(groups: Iterable[str]) -> list[str]:
    """Return what it does to ``groups``, by their names, that a node leaves them."""
    interrupted = say(
        "On the vendor's system this interrupts {groups}, whose services are restarted; the lab does not "
        "play that.",
        groups=listed(groups),
    )
    return [interrupted, ROUTER_AFTERWARDS]


@dataclass(frozen=True, slots=True)
class _Afterwards:
    """A node with HA off. ``back``: services that SRM stopped, and that come back; ``unserved``: why nobody is served."""

    back: Sequence[str]
    unserved: str = ""


def _after_disabling(live: GroupLive) -> dict[int, _Afterwards]:
    """Return of each node of the group, by its key, how it is with HA off; in three queries."""
    servers = list(nodes.of_keys(row.server_id for row in live.rows))
    services = services_of_all(servers)
    unused = without_clients(list(services))
    return {
        server.pk: _afterwards(server, services[server.pk], has_clients=server.pk not in unused)
        for server in servers
    }


def _afterwards(
    server: Server, services: Sequence[ServiceRow], *, has_clients: bool
) -> _Afterwards:
    if not server.machine.powered:
        why = say("{row} has no power, and must be powered on.", row=server.name)
        return _Afterwards((), why)
    back = stopped_by_srm(server, services)
    needed = LOGIN_SERVICES if has_clients else ()
    down = [
        each.name
        for each in services
        if each.status != ServiceStatus.STARTED
        and each.name not in back
        and (each.monitored or each.name in needed)
    ]
    if not down:
        return _Afterwards(back)
    why = say(
        "{row} will serve nobody: somebody must start {services}.",
        row=server.name,
        services=listed(down),
    )
    return _Afterwards(back, why)


def of_disabling(live: GroupLive) -> list[str]:
    """Return what switching HA off does now; empty when everybody is at home, and served there."""
    afterwards = _after_disabling(live)
    rows = [(row, afterwards[row.server_id]) for row in live.rows if row.server_id in afterwards]
    shut = [row.server_id for row, then in rows if row.assigned and then.unserved]
    away = any(row.state in AWAY or row.state == NOT_RESPONDING for row in live.rows)
    if not away and not shut:
        return []
    effects = []
    expected = forecast.of_homecoming(RedundancyGroup(pk=live.group_id))
    if expected.moved:
        welcome = expected
        if shut:
            welcome = forecast.of_homecoming(RedundancyGroup(pk=live.group_id), but=shut)
        where = HOME if welcome.moved == expected.moved else ""
        effects += [
            _moved(expected, HOME),
            *_interrupted(expected, _disconnected(expected, where), where),
            *_logins(welcome, HOME),
        ]
    for row, then in rows:
        if then.back:
            effects.append(
                say(
                    "What SRM stopped on {row} is started again: {back}.",
                    row=row.name,
                    back=listed(then.back),
                )
            )
        if row.server_id in shut:
            effects.append(
                together(
                    [
                        then.unserved,
                        say_count(
                            "Its {count:,} user is without service until then.",
                            "Its {count:,} users are without service until then.",
                            row.assigned,
                        ),
                    ]
                )
            )
    return [*effects, UNPROTECTED]
