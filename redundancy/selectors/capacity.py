"""How many users the vendor supports in a group and in a cluster. More are told, never refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from redundancy.catalog import CLUSTER_GROUPS, CLUSTER_SERVERS, CLUSTER_USERS, GROUP_USERS
from redundancy.models import RedundancyGroup, Server, ServerType
from redundancy.selectors import spread
from redundancy.srm.words import say

# Groups named in warnings; one cluster has no more.
NAMED = CLUSTER_GROUPS


@dataclass(frozen=True, slots=True)
class Load:
    """The users assigned to nodes: all of them, and by the name of each group of two nodes."""

    users: int
    groups: Mapping[str, int]


def several_clusters() -> bool:
    """Return whether there are more servers or groups than one cluster has."""
    servers = Server.objects.filter(server_type=ServerType.IMP).count()
    return servers > CLUSTER_SERVERS or RedundancyGroup.objects.count() > CLUSTER_GROUPS


def of_change(
    entering: Mapping[int, int], leaving: Mapping[int | None, int] | None = None
) -> list[str]:
    """Return what is beyond the limits once so many users more, and fewer, are on nodes, by their keys.

    Only of what grows: who makes a group smaller is not told that it is too large.
    """
    before = spread.counts()
    after = dict(before)
    for node, number in entering.items():
        after[node] = after.get(node, 0) + number
    for home, number in (leaving or {}).items():
        if home is not None:
            after[home] = after.get(home, 0) - number
    pairs = _pairs()
    now, then = _load(pairs, before), _load(pairs, after)
    warnings = [
        group_sentence(group, users)
        for group, users in then.groups.items()
        if users > max(GROUP_USERS, now.groups.get(group, 0))
    ][:NAMED]
    if then.users > max(CLUSTER_USERS, now.users) and not several_clusters():
        warnings.append(cluster_sentence(then.users))
    return warnings


def _pairs() -> dict[str, list[int]]:
    """Return the keys of the nodes of each group of two, by its name."""
    groups: dict[str, list[int]] = {}
    members = Server.objects.filter(group__isnull=False).order_by("group__name", "pk")
    for node, group in members.values_list("pk", "group__name"):
        groups.setdefault(group, []).append(node)
    return {group: nodes for group, nodes in groups.items() if len(nodes) == 2}


def _load(pairs: Mapping[str, list[int]], counts: Mapping[int, int]) -> Load:
    groups = {name: sum(counts.get(node, 0) for node in nodes) for name, nodes in pairs.items()}
    return Load(sum(counts.values()), groups)


def group_sentence(group: str, users: int) -> str:
    """Return that ``users`` of ``group`` are more than the vendor supports."""
    return say(
        "{group} has {users:,} users then; the vendor supports at most {most:,} in a group with High "
        "Availability.",
        group=group,
        users=users,
        most=GROUP_USERS,
    )


def cluster_sentence(users: int) -> str:
    """Return that ``users`` in all are more than the vendor supports."""
    return say(
        "{users:,} users are assigned then; the vendor supports at most {most:,} in a cluster.",
        users=users,
        most=CLUSTER_USERS,
    )
