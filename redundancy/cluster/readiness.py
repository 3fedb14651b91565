"""May a node be restarted now, who notices, for how long by its limits, and what would shorten it. Pure.

Asked is the vendor's routine: High Availability off, two minutes, restart, compare, High Availability on. What a
text does not tell makes it unknown, never ready.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.cluster.explaining import (
    down,
    explained,
    no_pair,
    number_of,
    side_of,
    unreadable,
    unsure,
)
from redundancy.cluster.snapshot import Group, Node, Snapshot
from redundancy.login_profiles import NODE_SIZES, Mode, row_for
from redundancy.relogin import PERCENTS, LoginBand, peak_of, rate_in_words, span_of, until_of
from redundancy.srm.states import BACKUP_MODES, FAILED_OVER_STATES, State
from redundancy.srm.words import duration, listed, say, say_count, together


class Ready(StrEnum):
    """Whether a node may be restarted now. The value is its name in data."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


WORDS: dict[Ready, str] = {
    Ready.YES: say("It may be restarted, by the routine"),
    Ready.NO: say("It should not be restarted now"),
    Ready.UNKNOWN: say("It cannot be told"),
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a restart of ``node`` would do. ``against`` and ``untold``: why not, and what is not known.

    ``cautions``: what does not forbid it. ``notices``: who notices, and for how long; ``shorter``: what would
    shorten it.
    """

    node: Node
    against: tuple[str, ...]
    untold: tuple[str, ...]
    cautions: tuple[str, ...]
    notices: tuple[str, ...]
    shorter: tuple[str, ...]

    @property
    def ready(self) -> Ready:
        """The answer."""
        if self.against:
            return Ready.NO
        return Ready.UNKNOWN if self.untold else Ready.YES

    @property
    def words(self) -> str:
        """The answer in words."""
        return WORDS[self.ready]


def readiness(
    snapshot: Snapshot, group: Group, node: Node, per_node: dict[str, int] | None
) -> Readiness:
    """Return whether ``node`` may be restarted; ``per_node``: users that are told to be assigned, None: none is."""
    pair = snapshot.pair(group)
    odd = no_pair(group, pair)
    peer = None if odd else next((each for each in pair if each.name != node.name), None)
    served = None if odd else _served(group, node, peer)
    users = None if per_node is None or served is None else sum(per_node.get(n, 0) for n in served)
    limits = limits_of(node)
    return Readiness(
        node,
        tuple(_against(snapshot, group, node, peer)),
        (*filter(None, [odd]), *_untold(group, node, peer)),
        () if odd else tuple(_cautions(group, node, peer)),
        tuple(_notices(node, served, users, limits)),
        tuple(_shorter(node, peer, per_node, users, limits)),
    )


def _served(group: Group, node: Node, peer: Node | None) -> tuple[str, ...] | None:
    """Return the nodes whose users ``node`` serves now; None where that is not told."""
    if peer is None:
        return (node.name,)
    if group.ha is None or group.ha.disputed:
        return None
    if group.ha.text == "off":
        return (node.name,)
    side = side_of(node)
    if side is None or side[1] is None:
        return None
    if side[1] is State.NORMAL:
        return (node.name,)
    if side[1] in BACKUP_MODES:
        return node.name, peer.name
    return () if side[1] in FAILED_OVER_STATES else None


def limits_of(node: Node) -> tuple[int, int] | None:
    """Return the re-login limits of a node in seconds, lower and upper; None where one is not told, or they cannot be."""
    lower, upper = (
        number_of(node.parameters.get(PARAMETER_BY_KEY[key].name))
        for key in ("relogin_lower", "relogin_upper")
    )
    if (
        lower is None
        or upper is None
        or lower > upper
        or upper > PARAMETER_BY_KEY["relogin_upper"].high
    ):
        return None
    return lower, upper


def _against(snapshot: Snapshot, group: Group, node: Node, peer: Node | None) -> Iterator[str]:
    on = group.ha is not None and group.ha.text == "on" and not group.ha.disputed
    if on and peer is not None:
        sides = [side for each in (node, peer) if (side := side_of(each)) is not None]
        if any(side[1] is not State.NORMAL for side in sides):
            found = explained(snapshot, group)
            yield together([say("The pair is not Normal."), found.cause, found.advice])
    if on and (apart := _versions_apart(node, peer)):
        yield apart
    if peer is None:
        return
    idle = on and peer.state is not None and peer.state.text == State.IDLE
    # Those of an Idle node were stopped by SRM, and a fallback starts them.
    if not idle and (missing := down(peer)):
        yield say(
            "Not running on {peer}, the other node: {services}. Mend that first: with High Availability on again it "
            "would fail over.",
            services=listed(missing),
            peer=peer.name,
        )
    if peer.reached is not None and peer.reached.text == "no":
        yield say(
            "{peer}, the other node, is not reached by the node that was asked.", peer=peer.name
        )


def _versions_apart(node: Node, peer: Node | None) -> str:
    """Return that the nodes run different versions; empty where they do not, or it is not told."""
    if peer is None or node.version is None or peer.version is None:
        return ""
    if node.version.disputed or peer.version.disputed or node.version.text == peer.version.text:
        return ""
    return say(
        "{one} runs version {version}, {two} runs {version2}: High Availability stays off until both run the same.",
        one=node.name,
        two=peer.name,
        version=node.version.text,
        version2=peer.version.text,
    )


def _untold(group: Group, node: Node, peer: Node | None) -> Iterator[str]:
    if group.ha is None or group.ha.disputed:
        yield say("Whether High Availability of {group} is enabled is not told.", group=group.name)
    if group.ha is None or group.ha.text == "on":
        for each in (node, peer):
            if each is not None and side_of(each) is None:
                yield say(
                    "The state of {node} is not told, or not with its reason.", node=each.name
                )
    for each in (node, peer):
        if each is not None and not each.services:
            yield say("The services of {node} are not told.", node=each.name)
        elif each is not None and (missing := unsure(each)):
            yield say(
                "Whether these run on {node} is not told: {services}.",
                services=listed(missing),
                node=each.name,
            )
        elif each is not None and (unread := unreadable(each)):
            yield say(
                "Whether these run on {node} could not be read: {services}.",
                services=listed(unread),
                node=each.name,
            )


def _cautions(group: Group, node: Node, peer: Node | None) -> Iterator[str]:
    if peer is None:
        yield say(
            "{node} is alone in its group: nobody serves its users while it restarts.",
            node=node.name,
        )
        return
    if group.ha is not None and group.ha.text == "on":
        yield say(
            "High Availability of {group} is on. The vendor's routine: note the users of each node, switch it off, wait "
            "2 minutes, restart, compare the sessions, switch it on again.",
            group=group.name,
        )
    if group.ha is not None and group.ha.text == "off" and (apart := _versions_apart(node, peer)):
        yield apart
    if missing := down(node):
        yield say(
            "Not running on {node} now: {services}.", services=listed(missing), node=node.name
        )
    if node.role is not None and node.role.text == "Publisher":
        yield say(
            "{node} is the publisher of the database: nothing can be configured while it is away.",
            node=node.name,
        )


def _notices(
    node: Node, served: tuple[str, ...] | None, users: int | None, limits: tuple[int, int] | None
) -> Iterator[str]:
    if served is None:
        yield say("Whom {node} serves now is not told.", node=node.name)
        return
    if not served:
        yield say("{node} serves nobody now: no user notices.", node=node.name)
        return
    if users is None:
        yield say("How many users are assigned to {nodes} is not told.", nodes=listed(served))
    else:
        yield say_count(
            "{count:,} user of {nodes} is without service from the restart on.",
            "{count:,} users of {nodes} are without service from the restart on.",
            users,
            nodes=listed(served),
        )
    for name, value in node.counters.items():
        yield say("{counter} of {node}: {value}.", counter=name, node=node.name, value=value.text)
    yield say(
        "How long {node} takes to start is not told by any output; it comes before what follows.",
        node=node.name,
    )
    if limits is None:
        yield say(
            "The re-login limits of {node} are not told: no forecast of the logins is made.",
            node=node.name,
        )
    elif users:
        yield together(
            [_spread(node, users, limits), say("So clients that have the limits of now.")]
        )


@lru_cache(maxsize=256)
def _peak(lower: int, upper: int, users: int) -> float:
    """Return the logins per second to expect at the peak. It takes milliseconds, and nodes have much the same limits."""
    return peak_of([LoginBand(lower, upper, users)])


def _spread(node: Node, users: int, limits: tuple[int, int]) -> str:
    bands = [LoginBand(*limits, users)]
    back = together(
        (
            say(
                "{percent} % after {time}",
                percent=percent,
                time=duration(until_of(percent / 100, bands)),
            )
            for percent in PERCENTS
        ),
        ", ",
    )
    return say(
        "Logins at {where}: {rate} per second at the peak, the busiest {span}, which half of such "
        "moves stay below. Back again: {back}.",
        where=node.name,
        rate=rate_in_words(_peak(*limits, users)),
        span=duration(span_of(limits[1])),
        back=back,
    )


def _shorter(
    node: Node,
    peer: Node | None,
    per_node: dict[str, int] | None,
    users: int | None,
    limits: tuple[int, int] | None,
) -> Iterator[str]:
    if not users or limits is None or per_node is None:
        return
    lower, upper = limits
    own = per_node.get(node.name, 0)
    others = per_node.get(peer.name, 0) if peer is not None else 0
    # As the table counts: the users of the fuller node, or of the group where one of them has none.
    mode = Mode.ACTIVE_ACTIVE if own and others else Mode.ACTIVE_STANDBY
    counted = max(own, others) if own and others else own + others
    rows = {size: row_for(size, mode, counted) for size in NODE_SIZES}
    less = {size: row.upper for size, row in rows.items() if row and lower <= row.upper < upper}
    if not less:
        yield say(
            "By the vendor's table no Upper Limit below {upper} s is meant for {users:,} users.",
            upper=upper,
            users=counted,
        )
        return
    yield say(
        "A smaller Upper Limit. The vendor's table has for {users:,} users: {limits}.",
        users=counted,
        limits=together(
            (
                say("{upper} s on a node for {size:,} users", upper=limit, size=size)
                for size, limit in less.items()
            ),
            ", ",
        ),
    )
    for limit in sorted({min(less.values()), max(less.values())}, reverse=True):
        yield say(
            "With {upper} s the last one is back {less} sooner, at {rate} logins per second at the peak.",
            upper=limit,
            less=duration(upper - limit),
            rate=rate_in_words(_peak(lower, limit, users)),
        )
