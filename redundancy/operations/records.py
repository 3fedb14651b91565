"""Write down what is done to users: one row for each thing and node, however many they are."""

from collections.abc import Collection, Iterable, Mapping

from redundancy.keys import pack
from redundancy.models import RecordKind, Server, UserRecord


def record(
    *, kind: RecordKind, users: Collection[int], at: float, node: Server | None = None
) -> None:
    """Write down that this was done to the users, by their keys, at lab time ``at``."""
    if not users:
        return
    UserRecord.objects.create(
        at=at,
        kind=kind,
        node=node,
        node_name=node.name if node else "",
        number=len(users),
        first=min(users),
        last=max(users),
        keys=pack(users),
    )


def record_assignment(new: Iterable[tuple[int, int | None]], at: float) -> None:
    """Write down the new node of each user; both by their keys, None for no node."""
    by_node: dict[int | None, list[int]] = {}
    for user, node in new:
        by_node.setdefault(node, []).append(user)
    names: Mapping[int, Server] = Server.objects.in_bulk([pk for pk in by_node if pk is not None])
    for pk, users in by_node.items():
        if pk is None:
            record(kind=RecordKind.UNASSIGNED, users=users, at=at)
        else:
            record(kind=RecordKind.ASSIGNED, users=users, at=at, node=names[pk])
