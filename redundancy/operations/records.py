"""Write down what is done to users: one row for each thing and node, however many they are."""

from collections.abc import Collection, Iterable, Mapping

from redundancy.keys import pack
from redundancy.models import RecordKind, Server, UserRecord


def record_signing(
    *, kind: RecordKind, users: Collection[int], at: float, node: Server | None = None
) -> None:
    """Write down that this was done to the users, by their keys, at lab time ``at``."""
    if users:
        _row(kind, users, at, node).save(force_insert=True)


def record_assignment(new: Iterable[tuple[int, int | None]], at: float) -> None:
    """Write down the new node of each user; both by their keys, None for no node."""
    by_node: dict[int | None, list[int]] = {}
    for user, node in new:
        by_node.setdefault(node, []).append(user)
    names: Mapping[int, Server] = Server.objects.in_bulk([pk for pk in by_node if pk is not None])
    # In a few statements, also for the thousand nodes that an import has.
    UserRecord.objects.bulk_create(
        _row(RecordKind.UNASSIGNED, users, at, None)
        if pk is None
        else _row(RecordKind.ASSIGNED, users, at, names[pk])
        for pk, users in by_node.items()
    )


def _row(kind: RecordKind, users: Collection[int], at: float, node: Server | None) -> UserRecord:
    return UserRecord(
        at=at,
        kind=kind,
        node=node,
        node_name=node.name if node else "",
        number=len(users),
        first=min(users),
        last=max(users),
        keys=pack(users),
    )
