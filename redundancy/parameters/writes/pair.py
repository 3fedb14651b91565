"""Give both nodes of a group the same parameters: as one of them has, or as the vendor recommends."""

from collections.abc import Collection, Mapping

from django.db import transaction

from redundancy.errors import Refused, Stale
from redundancy.login_profiles import NODE_SIZES, Mode
from redundancy.models import EventKind, RedundancyGroup, Server
from redundancy.operations import events, locks
from redundancy.parameters.writes.parameters import check_fresh, set_parameters
from redundancy.selectors import parameters
from redundancy.selectors.login_profile import profile
from redundancy.srm.words import say

# Values of nodes at one moment: of each node, by its key, the parameters by theirs.
Snapshot = Mapping[int, Mapping[str, str]]


def align(
    *,
    group: RedundancyGroup,
    source: Server,
    keys: Collection[str] = (),
    expected: Snapshot | None = None,
    actor: str,
) -> None:
    """Give the other node of ``group`` the values that ``source`` has: of ``keys``, or of all.

    ``expected``: the values of both nodes as the administrator saw them; others are refused.
    """
    with transaction.atomic():
        locks.one_administrator()
        pair = _pair(group)
        if source not in pair:
            rule = say("{node} is not in {group}.", node=source.name, group=group.name)
            raise Refused(rule, field="source")
        present = _check_fresh(pair, expected)
        other = next(server for server in pair if server != source)
        values = {k: text for k, text in present[source.pk].items() if not keys or k in keys}
        if all(present[other.pk][key] == text for key, text in values.items()):
            raise Refused(
                say(
                    "{other} has the same values as {source} already.",
                    other=other.name,
                    source=source.name,
                )
            )
        set_parameters(values=values, server=other, actor=actor)


def apply_login_profile(
    *,
    group: RedundancyGroup,
    mode: Mode,
    sizes: Mapping[int, int],
    values: Mapping[str, str] | None = None,
    expected: Snapshot | None = None,
    actor: str,
) -> None:
    """Give both nodes the re-login limits that the vendor recommends, and keep their ``sizes``.

    Where there are push clients, ``values`` may be the limits of a push deployment. ``sizes``: see ``set_node_sizes``. ``values``: the recommended limits as the administrator saw
    them. ``expected``: the values of both nodes, likewise. When something is another by now, it is
    refused.
    """
    with transaction.atomic():
        locks.one_administrator()
        set_node_sizes(group=group, sizes=sizes, actor=actor)
        recommended = profile(group, mode, sizes)
        limits = recommended.values
        if values is not None and dict(values) == recommended.for_push:
            limits = recommended.for_push
        elif recommended.row is None:
            raise Refused(recommended.warnings[0])
        elif values is not None and dict(values) != recommended.values:
            raise Stale(
                say(
                    "The users of {group} changed meanwhile: {users:,} count now, "
                    "and {upper} s is recommended as Upper Limit.",
                    group=group.name,
                    users=recommended.users,
                    upper=recommended.row.upper,
                )
            )
        pair = _pair(group)
        _check_fresh(pair, expected)
        for server in pair:
            set_parameters(values=limits, server=server, actor=actor)


def set_node_sizes(*, group: RedundancyGroup, sizes: Mapping[int, int], actor: str) -> None:
    """Keep for how many users each of the two nodes of ``group``, by its key, is made."""
    with transaction.atomic():
        locks.one_administrator()
        for server in _pair(group):
            size, name = sizes.get(server.pk), server.name
            if size not in NODE_SIZES:
                rule = say("Choose the size of {node}.", node=name)
                raise Refused(rule, field=f"size_{server.slot}")
            if server.node_size == size:
                continue
            Server.objects.filter(pk=server.pk).update(node_size=size)
            sentence = say("The size of {node} was set to {size:,} users.", node=name, size=size)
            events.record(kind=EventKind.ADMIN, sentence=sentence, node=server, actor=actor)


def _pair(group: RedundancyGroup) -> list[Server]:
    pair = list(Server.objects.filter(group=group).order_by("slot"))
    if len(pair) != 2:
        raise Refused(say("{group} needs two servers.", group=group.name))
    return pair


def _check_fresh(pair: list[Server], expected: Snapshot | None) -> Snapshot:
    """Return the values of both nodes; refuse when one of them is not as ``expected``."""
    present = parameters.of_nodes(server.pk for server in pair)
    for server in pair:
        seen = (expected or {}).get(server.pk, {})
        check_fresh(expected=seen, present=present[server.pk], server=server)
    return present
