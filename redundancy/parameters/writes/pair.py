"""Give both nodes of a group the same parameters: as one of them has, or as the vendor recommends."""

from collections.abc import Collection, Mapping

from django.db import transaction

from redundancy.errors import Refused, Stale
from redundancy.login_profiles import NODE_SIZES, Mode
from redundancy.models import EventKind, RedundancyGroup, Server
from redundancy.operations import events, locks
from redundancy.parameters.writes.parameters import check_fresh, set_parameters
from redundancy.selectors import login_profile, parameters
from redundancy.srm.words import say

# Values as an administrator saw them: of each node, by its key, the parameters by theirs.
Seen = Mapping[int, Mapping[str, str]]


def align(
    *,
    group: RedundancyGroup,
    source: Server,
    keys: Collection[str] = (),
    expected: Seen | None = None,
    actor: str,
) -> None:
    """Give the other node of ``group`` the values that ``source`` has.

    Args:
        group: A group of two servers.
        source: The one whose values both get.
        keys: Of the parameters to align; all that must match when empty.
        expected: The values of both nodes as they were seen; others are refused.
        actor: User name of who does it.

    """
    with transaction.atomic():
        locks.one_administrator()
        pair = _pair(group)
        if source not in pair:
            raise Refused(
                say("{node} is not in {group}.", node=source.name, group=group.name),
                field="source",
            )
        _check_fresh(pair, expected)
        values = parameters.of_nodes([source.pk])[source.pk]
        chosen = {key: text for key, text in values.items() if not keys or key in keys}
        other = next(server for server in pair if server != source)
        theirs = parameters.of_nodes([other.pk])[other.pk]
        if all(theirs[key] == text for key, text in chosen.items()):
            raise Refused(
                say(
                    "{other} has the same values as {source} already.",
                    other=other.name,
                    source=source.name,
                )
            )
        set_parameters(values=chosen, server=other, actor=actor)


def apply_login_profile(
    *,
    group: RedundancyGroup,
    mode: Mode,
    sizes: Mapping[int, int],
    values: Mapping[str, str] | None = None,
    expected: Seen | None = None,
    actor: str,
) -> None:
    """Give both nodes the re-login limits that the vendor recommends, and keep their sizes.

    Args:
        group: A group of two servers.
        mode: How the pair shares its users.
        sizes: For how many users each node, by its key, is made.
        values: The recommended limits as they were seen; others are refused.
        expected: The values of both nodes as they were seen; others are refused.
        actor: User name of who does it.

    """
    with transaction.atomic():
        locks.one_administrator()
        set_node_sizes(group=group, sizes=sizes, actor=actor)
        pair = _pair(group)
        found = login_profile.profile(group, mode, sizes)
        if found.row is None:
            raise Refused(found.warnings[0])
        if values is not None and dict(values) != found.values:
            raise Stale(
                say(
                    "The users of {group} changed meanwhile: {users:,} count now, "
                    "and {upper} s is recommended as Upper Limit.",
                    group=group.name,
                    users=found.users,
                    upper=found.row.upper,
                )
            )
        _check_fresh(pair, expected)
        for server in pair:
            set_parameters(values=found.values, server=server, actor=actor)


def set_node_sizes(*, group: RedundancyGroup, sizes: Mapping[int, int], actor: str) -> None:
    """Keep for how many users each of the two nodes of ``group``, by its key, is made."""
    with transaction.atomic():
        locks.one_administrator()
        for server in _pair(group):
            size = sizes.get(server.pk)
            if size not in NODE_SIZES:
                raise Refused(
                    say("Choose the size of {node}.", node=server.name),
                    field=f"size_{server.slot}",
                )
            if server.node_size == size:
                continue
            Server.objects.filter(pk=server.pk).update(node_size=size)
            events.record(
                kind=EventKind.ADMIN,
                sentence=say(
                    "The size of {node} was set to {size:,} users.", node=server.name, size=size
                ),
                node=server,
                actor=actor,
            )


def _pair(group: RedundancyGroup) -> list[Server]:
    pair = list(Server.objects.filter(group=group).order_by("slot"))
    if len(pair) != 2:
        raise Refused(say("{group} needs two servers.", group=group.name))
    return pair


def _check_fresh(pair: list[Server], expected: Seen | None) -> None:
    """Refuse when a value of one of the nodes is not as it was seen."""
    present = parameters.of_nodes(server.pk for server in pair)
    for server in pair:
        seen = (expected or {}).get(server.pk, {})
        check_fresh(expected=seen, present=present[server.pk], server=server)
