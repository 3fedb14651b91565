"""What parameters will do to users once they are changed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from redundancy.clock import lab_now
from redundancy.models import RedundancyGroup, Server
from redundancy.selectors import effects, live, policy, wording
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import AWAITING_FALLBACK
from redundancy.srm.step import falls_back_at
from redundancy.srm.words import duration, say

# The one parameter that moves users by being set.
FALLBACK = "automatic_fallback"


def before_setting(values: Mapping[str, str]) -> list[str]:
    """Return whom automatic fallback will move, and when, once parameters have these ``values``.

    ``values``: as they are typed, by their keys. Empty when automatic fallback is not switched on by
    them, or nobody is failed over.
    """
    present = policy.current()
    if present.automatic_fallback or values.get(FALLBACK, "").strip().capitalize() != "True":
        return []
    then, now = replace(present, automatic_fallback=True), lab_now()
    away = RedundancyGroup.objects.filter(
        ha_enabled=True, servers__runtime__state__in=AWAITING_FALLBACK
    )
    found: list[str] = []
    for group in away.distinct().order_by("name"):
        servers = {
            server.pk: server
            for server in group.servers.select_related("runtime", "machine", "group")
        }
        due = {
            pk: at
            for pk, server in servers.items()
            if wording.reports(server) and server.runtime.memory
            if (at := falls_back_at(node_from_json(server.runtime.memory), now, then)) is not None
        }
        rows = live.group_live(group.pk).rows
        for row in rows:
            peer = next((each for each in rows if each is not row), None)
            if row.server_id in due and peer is not None:
                found += _of_fallback(row, peer, servers, due[row.server_id] - now)
    return found


def _of_fallback(
    row: live.NodeRow, peer: live.NodeRow, servers: dict[int, Server], wait: float
) -> Iterator[str]:
    yield (
        say(
            "{node} takes its users back in {wait}, if it stays healthy.",
            node=row.name,
            wait=duration(wait),
        )
        if wait
        else say("{node} takes its users back at once.", node=row.name)
    )
    yield from effects.fallback(row, peer, servers)
