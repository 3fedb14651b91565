"""Write the history: every row of it comes from here."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypedDict, Unpack

from redundancy import origin
from redundancy.clock import lab_datetime
from redundancy.models import EventKind, HaEvent, RedundancyGroup, RequestKind, Server


class Change(TypedDict):
    """What was done to one item of the configuration, for programs that follow it.

    ``item``: "group", "server", "service" (of a node) or "parameter". ``key``: its key; of a parameter the one in
    the catalogue, and ``server`` that of its node. ``fields``: those that were changed, with their new values.
    """

    item: Literal["group", "server", "service", "parameter"]
    action: Literal["added", "changed", "removed"]
    key: int | str
    server: int | None
    fields: dict[str, Any]


class Place(NamedTuple):
    """A node and its group as the history keeps them, for whoever has not read their rows."""

    node_id: int
    node_name: str
    group_id: int
    group_name: str


class Facts(TypedDict, total=False):
    """What an event tells besides its sentence: see the columns of ``HaEvent``.

    ``group``: that of ``node`` when not given. ``place``: instead of both. ``actor``: user name of who
    did it, kept with the address that the request came from; empty for the system. ``at``: lab seconds;
    now when not given. ``changes``: kept in ``inputs``.
    """

    group: RedundancyGroup | None
    node: Server | None
    place: Place
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
    changes: Sequence[Change]


def changed(
    item: Literal["group", "server", "service", "parameter"],
    key: int | str,
    *,
    server: int | None = None,
    **fields: Any,
) -> list[Change]:
    """Return the change of an item: none when no fields were changed."""
    made = Change(item=item, action="changed", key=key, server=server, fields=fields)
    return [made] if fields else []


def added(item: Literal["group", "server"], key: int) -> list[Change]:
    """Return the change that adds an item."""
    return [Change(item=item, action="added", key=key, server=None, fields={})]


def removed(item: Literal["group", "server"], key: int) -> list[Change]:
    """Return the change that removes an item."""
    return [Change(item=item, action="removed", key=key, server=None, fields={})]


def kind_of_deed(actor: str) -> EventKind:
    """Return the kind of what was done to a node: by an administrator, or by the system itself."""
    return EventKind.ADMIN if actor else EventKind.LAB


def event(*, kind: EventKind, sentence: str, **facts: Unpack[Facts]) -> HaEvent:
    """Return one event, not yet saved: ``record`` saves it, or ``bulk_create`` many.

    Args:
        kind: Sort of event.
        sentence: What happened and why, for people.
        **facts: The same for code.

    """
    if changes := list(facts.pop("changes", ())):
        facts["inputs"] = {**(facts.get("inputs") or {}), "changes": changes}
    where: dict[str, Any]
    if place := facts.pop("place", None):
        where = place._asdict()
    else:
        node = facts.pop("node", None)
        group = facts.pop("group", None) or (node.group if node else None)
        where = {
            "node": node,
            "node_name": node.name if node else "",
            "group": group,
            "group_name": group.name if group else "",
        }
    at = lab_datetime(facts.pop("at", None))
    address = origin.address() if facts.get("actor") else None
    return HaEvent(kind=kind, sentence=sentence, at=at, address=address, **where, **facts)


def record(*, kind: EventKind, sentence: str, **facts: Unpack[Facts]) -> HaEvent:
    """Add one event to the history and return it; the arguments are those of ``event``."""
    added = event(kind=kind, sentence=sentence, **facts)
    added.save(force_insert=True)
    return added
