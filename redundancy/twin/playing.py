"""Let groups begin in the states that are told (*Play from here*): memories of SRM, holder and history."""

from collections.abc import Mapping, Sequence

from redundancy.catalog import is_monitored
from redundancy.cluster.lab_plan import Plan, PlannedGroup, PlannedServer
from redundancy.functions import FUNCTION_OF_SERVICE
from redundancy.models import EventKind, HaEvent, NodeRuntime, RedundancyGroup, Server
from redundancy.operations import events, incidents
from redundancy.srm.codec import node_to_json
from redundancy.srm.states import BACKUP_MODES, FAILED_OVER_STATES, Reason, State
from redundancy.srm.types import Node
from redundancy.srm.words import say

# The number of the move that brought everybody to the holder.
EPOCH = 1
_CAUSE = say("It was in this state in the cluster that was read.")


def begin_as_told(
    plan: Plan,
    begun: Sequence[PlannedGroup],
    groups: Mapping[str, RedundancyGroup],
    servers: Mapping[str, Server],
    now: float,
) -> None:
    """Give the nodes of these groups the memories of the states that are told of them."""
    planned = {each.name: each for each in plan.nodes}
    told: list[HaEvent] = []
    for each in begun:
        group = groups[each.name]
        if each.holder:
            group.epoch, group.holder = EPOCH, servers[each.holder]
            group.save(update_fields=["epoch", "holder"])
        first, second = (planned[name] for name in each.nodes)
        for mine, peer in ((first, second), (second, first)):
            server = servers[mine.name]
            node = memory(mine, peer, epoch=group.epoch, now=now, functions=plan.functions)
            NodeRuntime.objects.filter(server=server).update(
                memory=node_to_json(node),
                state=node.state,
                reason=node.reason,
                serial=node.serial,
                since=now,
                sentence=_CAUSE,
            )
            told.append(
                events.event(
                    kind=EventKind.STATE,
                    sentence=_CAUSE,
                    group=group,
                    node=server,
                    at=now,
                    old_state=State.UNKNOWN,
                    old_reason=Reason.HA_NOT_ENABLED,
                    new_state=node.state,
                    new_reason=node.reason,
                    epoch=group.epoch,
                )
            )
    incidents.follow(HaEvent.objects.bulk_create(told))


def memory(
    mine: PlannedServer,
    peer: PlannedServer,
    *,
    epoch: int,
    now: float,
    functions: Sequence[str] = (),
) -> Node:
    """Return what the SRM of a node remembers that begins in the state that is told of it. Pure."""
    assert mine.state is not None  # as the plan says that its group can begin so
    assert mine.reason is not None
    return Node(
        name=mine.name,
        peer_name=peer.name,
        first=mine.slot == 1,
        state=mine.state,
        reason=mine.reason,
        since=now,
        serial=1,
        incarnation=1,
        generation=1,
        epoch=epoch,
        listening_since=now,
        started_at=now,
        stepped_at=now,
        settled_at=now,
        holds=mine.state in BACKUP_MODES,
        handed_over=mine.state in FAILED_OVER_STATES,
        stopped=_stopped(mine, functions) if mine.state is State.IDLE else (),
    )


def _stopped(server: PlannedServer, functions: Sequence[str]) -> tuple[str, ...]:
    """Return the monitored services that do not run: SRM stopped them when the node became Idle."""
    return tuple(
        name
        for name, service in server.services.items()
        if not service.running
        and is_monitored(name, activated=service.activated, configured=_configured(name, functions))
    )


def _configured(name: str, functions: Sequence[str]) -> bool:
    function = FUNCTION_OF_SERVICE.get(name)
    return function is not None and function.key in functions
