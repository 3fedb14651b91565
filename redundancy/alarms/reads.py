"""Which alarms hold, by the states of the nodes, and which are to be seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from redundancy.models import (
    Alarm,
    AlarmChannel,
    AlarmKind,
    NodeRuntime,
    PresenceSession,
    ServerType,
)
from redundancy.selectors import enterprise
from redundancy.selectors.access import is_logged_in, missed_services, nobody_logs_in
from redundancy.srm.states import (
    CALM,
    FALLBACK_IN_PROGRESS,
    NOT_RESPONDING,
    SERVES_NOBODY,
    SERVICE_REASONS,
    SERVING_FOR_PEER,
    SILENCE_REASONS,
    TRANSITIONS,
    Reason,
    State,
)
from redundancy.srm.words import say, together

# Where the node itself, and not its peer, lost a service.
_LOST_SERVICE = frozenset({State.FAILED_OVER_DOWN, State.FAILING_OVER, State.AFFECTED})


# A node is crowded above this share of the users it is made for, for so many lab seconds.
CROWDED_SHARE, CROWDED_SECONDS = 0.8, 600.0


@dataclass(frozen=True, slots=True)
class NodeFact:
    """What of a node can raise an alarm. ``missing``: services for want of which nobody logs in."""

    pk: int
    name: str
    group: int | None
    group_name: str
    ha_enabled: bool
    powered: bool
    srm_running: bool
    state: str
    reason: str
    sentence: str
    missing: tuple[str, ...] = ()

    @property
    def lets_nobody_in(self) -> bool:
        """Whether it lacks services that a login needs, though it is there to serve."""
        idle = self.ha_enabled and self.state in SERVES_NOBODY | TRANSITIONS
        return self.powered and bool(self.missing) and not idle

    @property
    def reports(self) -> bool:
        """Whether its SRM runs; else its state is only the last one that SRM told."""
        return self.powered and self.srm_running

    @property
    def description(self) -> str:
        """Its name with its state and reason, or with what is shown in their place."""
        names = {"node": self.name, "state": self.state, "reason": self.reason}
        if self.reports:
            return say("{node}: {state} / {reason}", **names)
        return say("{node}: {state}", node=self.name, state=NOT_RESPONDING)


@dataclass(frozen=True, slots=True)
class AlarmCondition:
    """An alarm that holds now. ``settled``: False while its sentence is not to be changed, as in a transition.

    ``cluster``: name of the real cluster that it is of; empty: it is of the lab.
    """

    kind: AlarmKind
    subject: str
    group: int | None
    group_name: str
    node_name: str
    sentence: str
    settled: bool = True
    cluster: str = ""


# When an alarm of a node holds whose High Availability is on and whose SRM runs. A node that is calm
# beside a calm peer is not looked at: see `conditions`.
OF_NODE: dict[AlarmKind, Callable[[NodeFact], bool]] = {
    AlarmKind.FAILED: lambda node: node.state == State.FAILED,
    AlarmKind.SERVICE_DOWN: lambda node: (
        node.state in _LOST_SERVICE and node.reason in SERVICE_REASONS
    ),
    AlarmKind.PEER_FAILURE: lambda node: (
        node.state in SERVING_FOR_PEER and node.reason in SILENCE_REASONS
    ),
}


def conditions() -> list[AlarmCondition]:
    """Return every alarm that holds, in three queries at most."""
    shut = Q(server__machine__logins_stopped_at__isnull=False)
    troubled = shut | (Q(server__group__ha_enabled=True) & ~Q(state__in=CALM))
    groups = NodeRuntime.objects.filter(troubled).values("server__group")
    nodes = NodeRuntime.objects.filter(
        troubled | Q(server__group__in=groups), server__server_type=ServerType.IMP
    )
    group, machine = "server__group__", "server__machine__"
    rows = nodes.order_by("server__group", "server__slot", "pk").values_list(
        *("pk", "server__name", "server__group", f"{group}name", f"{group}ha_enabled"),
        *(f"{machine}powered", f"{machine}srm_running", "state", "reason", "sentence"),
        f"{machine}logins_stopped_at",
    )
    found = list(rows)
    closed = [row[0] for row in found if row[-1] is not None]
    missing = missed_services(closed) if closed else {}
    return holding(
        NodeFact(
            pk,
            name,
            group,
            group_name or "",
            bool(ha),
            bool(powered),
            bool(srm),
            state,
            reason,
            sentence,
            missing.get(pk, ()),
        )
        for pk, name, group, group_name, ha, powered, srm, state, reason, sentence, _ in found
    )


def crowded(now: float) -> list[AlarmCondition]:
    """Return the alarms of nodes that had more sessions than they are made for, for ten minutes.

    ``now``: lab seconds. Each client has a session. Counted are those that are there for so long
    already: those who came and went meanwhile would have made them more, never fewer.
    """
    settled = PresenceSession.objects.filter(
        is_logged_in(now), relogin_at__lte=now - CROWDED_SECONDS, node__node_size__isnull=False
    ).order_by()
    node, group = "node__", "node__group__"
    columns = ("node", f"{node}name", f"{node}node_size", f"{node}group", f"{group}name")
    found = settled.values_list(*columns).annotate(n=Count("*"))
    each = enterprise.clients().per_user
    over = [row for row in found if row[-1] * each > CROWDED_SHARE * row[2]]
    return [
        AlarmCondition(
            AlarmKind.CROWDED,
            f"node {pk}",
            of,
            of_name or "",
            name,
            say(
                "{node} has had more than {percent} % of the {size:,} sessions it is made for, for 10 minutes.",
                node=name,
                percent=round(100 * CROWDED_SHARE),
                size=size,
            ),
        )
        for pk, name, size, of, of_name, _ in over
    ]


def holding(nodes: Iterable[NodeFact]) -> list[AlarmCondition]:
    """Return the alarms that hold for these nodes, the nodes of a group one after the other. Pure."""
    alarms: list[AlarmCondition] = []
    groups: dict[int, list[NodeFact]] = {}
    for node in nodes:
        if not node.powered:
            sentence = say("{node} is powered off.", node=node.name)
            alarms.append(_of_node(AlarmKind.SERVER_DOWN, node, sentence))
        if node.lets_nobody_in:
            sentence = nobody_logs_in(node.name, node.missing)
            alarms.append(_of_node(AlarmKind.SERVICE_STOPPED, node, sentence))
        if node.group is None or not node.ha_enabled:
            continue
        groups.setdefault(node.group, []).append(node)
        if node.reports:
            sentence = together([say("{node}.", node=node.description), node.sentence])
            alarms += [
                _of_node(kind, node, sentence) for kind, is_so in OF_NODE.items() if is_so(node)
            ]
    for members in groups.values():
        if any(node.state not in CALM for node in members if node.reports):
            alarms.append(_of_pair(members))
    return alarms


def _of_node(kind: AlarmKind, node: NodeFact, sentence: str) -> AlarmCondition:
    return AlarmCondition(kind, f"node {node.pk}", node.group, node.group_name, node.name, sentence)


def _of_pair(members: list[NodeFact]) -> AlarmCondition:
    reporting = [node for node in members if node.reports]
    by_request = any(
        # Asking for a fallback ends a failover, whatever it began with.
        node.reason == Reason.ON_ADMIN_REQUEST and node.state not in FALLBACK_IN_PROGRESS
        for node in reporting
    )
    nodes = together((node.description for node in members), "; ")
    why = say("An administrator asked for it.") if by_request else ""
    return AlarmCondition(
        AlarmKind.FAILOVER,
        f"group {members[0].group}",
        members[0].group,
        members[0].group_name,
        "",
        together([say("{nodes}.", nodes=nodes), why]),
        settled=not any(node.state in TRANSITIONS for node in reporting),
    )


def channels() -> QuerySet[AlarmChannel]:
    """Return the channels that are told of alarms, by name."""
    return AlarmChannel.objects.defer("url")


def open_alarms(*, real: bool) -> QuerySet[Alarm]:
    """Return the alarms that hold of the lab, or of ``real`` clusters."""
    holding = holding_now()
    return holding.exclude(cluster="") if real else holding.filter(cluster="")


def unacknowledged() -> QuerySet[Alarm]:
    """Return the alarms that nobody has acknowledged, the newest first."""
    return Alarm.objects.filter(acknowledged_at=None)


def holding_now() -> QuerySet[Alarm]:
    """Return the alarms that hold, acknowledged or not."""
    return Alarm.objects.filter(cleared_at=None)


def to_tell() -> QuerySet[Alarm]:
    """Return the alarms that hold, then those cleared that nobody acknowledged; the newest first."""
    told = Alarm.objects.filter(Q(cleared_at=None) | Q(acknowledged_at=None))
    return told.order_by(F("cleared_at").desc(nulls_first=True), "-pk")


def all_alarms() -> QuerySet[Alarm]:
    """Return every alarm, those first that are open or not acknowledged."""
    return Alarm.objects.order_by("-pk")
