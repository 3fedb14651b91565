"""What the tests of the audit do to a pair, and what is found."""

from redundancy.models import (
    EventKind,
    HaEvent,
    NodeRuntime,
    PresenceSession,
    RedundancyGroup,
    Server,
)
from redundancy.monitor.audit import audit
from redundancy.operations import events
from redundancy.operations.moves import MoveRequest, move_sessions
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind


def node(name: str) -> Server:
    return Server.objects.get(name=name)


def found() -> list[tuple[str, str]]:
    return [(breach.invariant, breach.sentence) for breach in audit()]


def holds(server: Server) -> None:
    """Let the node believe that it serves everybody, as of the present epoch."""
    assert server.group is not None
    memory = {"holds": True, "epoch": server.group.epoch}
    NodeRuntime.objects.filter(server=server).update(memory=memory)


def move(group: RedundancyGroup, name: str, kind: MoveKind) -> None:
    group.refresh_from_db()
    move_sessions(MoveRequest(node(name).pk, kind, group.epoch, group.ha_generation))


def state(name: str, to: State, why: Reason, *, at: float = 0, cause: str = "because") -> HaEvent:
    """Change a state as the sweep does: memory and event."""
    runtime = NodeRuntime.objects.get(server__name=name)
    event = events.record(
        kind=EventKind.STATE,
        sentence=cause,
        node=Server.objects.select_related("group").get(name=name),
        old_state=runtime.state,
        old_reason=runtime.reason,
        new_state=to,
        new_reason=why,
        epoch=0,
        at=at or None,
    )
    NodeRuntime.objects.filter(pk=runtime.pk).update(state=to, reason=why)
    return event


def stray(group: RedundancyGroup) -> None:
    pks = PresenceSession.objects.filter(node__name="imp-pub").values("pk")[:3]
    PresenceSession.objects.filter(pk__in=list(pks.values_list("pk", flat=True))).update(
        node=node("imp-sub")
    )


def lost(group: RedundancyGroup) -> None:
    PresenceSession.objects.filter(node__name="imp-pub")[0].delete()


def without_cause(group: RedundancyGroup) -> None:
    state("imp-pub", State.NORMAL, Reason.NORMAL, cause="")
