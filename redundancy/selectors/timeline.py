"""What the timeline of a group is made of: its nodes, and what happened in a span of lab time."""

from dataclasses import dataclass

from redundancy.clock import lab_datetime
from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server

# Events drawn; of more only the newest, and the page says so.
MOST = 400


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened in a group, the oldest first.

    ``before``: the last change of state before, by the name that the node has now. ``begin``: lab
    seconds from when everything was read; later than asked for when ``cut``.
    """

    nodes: tuple[str, ...]
    before: dict[str, HaEvent]
    events: tuple[HaEvent, ...]
    begin: float
    cut: bool


def happened(group: RedundancyGroup, begin: float, end: float) -> Happened:
    """Return what happened in the group from ``begin`` to ``end`` (lab seconds).

    The number of queries does not grow with what happened.
    """
    of_group = HaEvent.objects.filter(group=group).order_by("-at", "-pk")
    events = list(
        of_group.filter(at__gte=lab_datetime(begin), at__lte=lab_datetime(end))[: MOST + 1]
    )
    cut = len(events) > MOST
    if cut:
        events = events[:MOST]
        begin = events[-1].at.timestamp()
    events.reverse()
    servers = list(Server.objects.filter(group=group).order_by("slot"))
    # Under the names of now: a renamed server is the same lane.
    now_named = {server.pk: server.name for server in servers}
    for event in events:
        if event.node_id in now_named:
            event.node_name = now_named[event.node_id]
    before = {}
    for server in servers:
        # Two at most: no pair is larger.
        last = (
            HaEvent.objects.filter(node=server, kind=EventKind.STATE, at__lte=lab_datetime(begin))
            .exclude(pk__in=[event.pk for event in events])
            .order_by("-at", "-pk")
            .first()
        )
        if last is not None:
            before[server.name] = last
    return Happened(tuple(now_named.values()), before, tuple(events), begin, cut)
