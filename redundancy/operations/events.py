"""Write the history: every row of it comes from here."""

from typing import Any, TypedDict, Unpack

from redundancy import origin
from redundancy.clock import lab_datetime
from redundancy.models import EventKind, HaEvent, RedundancyGroup, RequestKind, Server


class Facts(TypedDict, total=False):
    """What an event tells besides its sentence: see the columns of ``HaEvent``.

    ``group``: that of ``node`` when not given. ``actor``: user name of who did it, kept with the
    address that the request came from; empty for the system. ``at``: lab seconds; now when not given.
    """

    group: RedundancyGroup | None
    node: Server | None
    actor: str
    at: float | None
    request: RequestKind
    refused: bool
    old_state: str
    old_reason: str
    new_state: str
    new_reason: str
    epoch: int
    inputs: dict[str, Any]


def event(*, kind: EventKind, sentence: str, **facts: Unpack[Facts]) -> HaEvent:
    """Return one event, not yet saved: ``record`` saves it, or ``bulk_create`` many.

    Args:
        kind: Sort of event.
        sentence: What happened and why, for people.
        **facts: The same for code.

    """
    node = facts.get("node")
    group = facts["group"] = facts.get("group") or (node.group if node else None)
    made = HaEvent(kind=kind, sentence=sentence, **facts | {"at": lab_datetime(facts.get("at"))})
    made.group_name = group.name if group else ""
    made.node_name = node.name if node else ""
    made.address = origin.address() if made.actor else None
    return made


def record(*, kind: EventKind, sentence: str, **facts: Unpack[Facts]) -> HaEvent:
    """Add one event to the history and return it; the arguments are those of ``event``."""
    added = event(kind=kind, sentence=sentence, **facts)
    added.save(force_insert=True)
    return added
