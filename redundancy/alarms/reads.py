"""Which alarms hold, by the states of the nodes, and which are to be seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from redundancy.models import Alarm, AlarmChannel, AlarmKind, NodeRuntime, ServerType
from redundancy.srm.states import (
    CALM,
    FALLBACK_IN_PROGRESS,
    NOT_RESPONDING,
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


@dataclass(frozen=True, slots=True)
class NodeFact:
    """What of a node can raise an alarm."""

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
    """An alarm that holds now. ``settled``: False while the pair is in a transition."""

    kind: AlarmKind
    subject: str
    group: int | None
    group_name: str
    node_name: str
    sentence: str
    settled: bool = True


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
    """Return every alarm that holds, in one query."""
    troubled = Q(server__machine__powered=False) | (
        Q(server__group__ha_enabled=True) & ~Q(state__in=CALM)
    )
    groups = NodeRuntime.objects.filter(troubled).values("server__group")
    nodes = NodeRuntime.objects.filter(
        troubled | Q(server__group__in=groups), server__server_type=ServerType.IMP
    )
    group, machine = "server__group__", "server__machine__"
    rows = nodes.order_by("server__group", "server__slot", "pk").values_list(
        *("pk", "server__name", "server__group", f"{group}name", f"{group}ha_enabled"),
        *(f"{machine}powered", f"{machine}srm_running", "state", "reason", "sentence"),
    )
    return holding(
        NodeFact(pk, name, group, group_name or "", bool(ha), bool(powered), bool(srm), *rest)
        for pk, name, group, group_name, ha, powered, srm, *rest in rows
    )


def holding(nodes: Iterable[NodeFact]) -> list[AlarmCondition]:
    """Return the alarms that hold for these nodes, the nodes of a group one after the other. Pure."""
    alarms: list[AlarmCondition] = []
    groups: dict[int, list[NodeFact]] = {}
    for node in nodes:
        if not node.powered:
            sentence = say("{node} is powered off.", node=node.name)
            alarms.append(_of_node(AlarmKind.SERVER_DOWN, node, sentence))
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
    return AlarmChannel.objects.all()


def unacknowledged() -> QuerySet[Alarm]:
    """Return the alarms that nobody has acknowledged, the newest first."""
    return Alarm.objects.filter(acknowledged_at=None)


def all_alarms() -> QuerySet[Alarm]:
    """Return every alarm, those first that are open or not acknowledged."""
    return Alarm.objects.order_by("-pk")
