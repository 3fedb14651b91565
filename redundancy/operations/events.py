"""Write the history: every row of it comes from here."""

from collections.abc import Callable
from typing import Any, ParamSpec

from redundancy import origin
from redundancy.clock import lab_datetime
from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server

P = ParamSpec("P")


def event(
    *,
    kind: EventKind,
    sentence: str,
    group: RedundancyGroup | None = None,
    node: Server | None = None,
    actor: str = "",
    old_state: str = "",
    old_reason: str = "",
    new_state: str = "",
    new_reason: str = "",
    epoch: int | None = None,
    at: float | None = None,
    inputs: dict[str, Any] | None = None,
) -> HaEvent:
    """Return one event, not yet saved: ``record`` saves it, or ``bulk_create`` many.

    Args:
        kind: Sort of event.
        sentence: What happened and why, for the administrator.
        group: The group it belongs to; the group of ``node`` when not given.
        node: The node it happened to.
        actor: User name of who did it; empty for the system.
        old_state: State before, of a change of state.
        old_reason: Reason before.
        new_state: State after.
        new_reason: Reason after.
        epoch: The group's epoch at that moment.
        at: Lab seconds; now when not given.
        inputs: What a change of state was decided upon, or what another event changed: see HaEvent.

    What somebody does is kept with the address that the request came from, where it is one.
    """
    if group is None and node is not None:
        group = node.group
    return HaEvent(
        at=lab_datetime(at),
        kind=kind,
        group=group,
        node=node,
        group_name=group.name if group else "",
        node_name=node.name if node else "",
        actor=actor,
        old_state=old_state,
        old_reason=old_reason,
        new_state=new_state,
        new_reason=new_reason,
        sentence=sentence,
        epoch=epoch,
        inputs=inputs,
        address=origin.address() if actor else None,
    )


def _saving(make: Callable[P, HaEvent]) -> Callable[P, HaEvent]:
    def saved(*args: P.args, **kwargs: P.kwargs) -> HaEvent:
        """Add one event and return it."""
        made = make(*args, **kwargs)
        made.save(force_insert=True)
        return made

    return saved


record = _saving(event)
