"""What the timeline of a group is made of: its nodes, and what happened in a span of lab time."""

from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from redundancy import shards
from redundancy.clock import lab_datetime
from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server

# Events drawn; of more only the newest, and the page says so.
MOST = 400
# What tells what a node was in: a change of its state, whether its SRM reports, HA of its group.
# Whether it reports is told by what an administrator did to it, and by what it did by itself.
_DEEDS = (EventKind.ADMIN, EventKind.LAB)
_OF_NODE = (Q(kind=EventKind.STATE), Q(kind__in=_DEEDS, inputs__has_key="reports"))
_OF_GROUP = Q(kind=EventKind.ADMIN, inputs__has_key="ha_enabled")


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened in a group, the oldest first.

    ``before``: what told last, before, what each node was in, by the name that it has now.
    ``begin``: lab seconds from when everything was read; later than asked for when ``cut``.
    ``unseen``: what told afterwards that nobody had seen the nodes.
    """

    nodes: tuple[str, ...]
    before: dict[str, list[HaEvent]]
    events: tuple[HaEvent, ...]
    unseen: tuple[HaEvent, ...]
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
    past = HaEvent.objects.filter(at__lte=lab_datetime(begin)).exclude(
        pk__in=[event.pk for event in events]
    )
    servers = list(_with_last(group, past))
    # Under the names of now: a renamed server is the same lane.
    now_named = {server.pk: server.name for server in servers}
    keys = {key for server in servers for key in _last(server)}
    told = HaEvent.objects.in_bulk(keys)
    for event in (*events, *told.values()):
        if event.node_id in now_named:
            event.node_name = now_named[event.node_id]
    before = {
        server.name: sorted((told[key] for key in _last(server)), key=lambda e: (e.at, e.pk))
        for server in servers
    }
    unseen = HaEvent.objects.filter(
        kind=EventKind.LAB,
        group=None,
        at__gte=lab_datetime(begin),
        inputs__has_key="unseen_since",
    ).order_by("at", "pk")[:MOST]
    of_it = tuple(event for event in unseen if shards.of_facts(event.inputs).holds(group.pk))
    return Happened(tuple(now_named.values()), before, tuple(events), of_it, begin, cut)


def _with_last(group: RedundancyGroup, past: QuerySet[HaEvent]) -> QuerySet[Server]:
    """Return the servers of the group, each with the keys of what told last what it was in."""
    newest = past.order_by("-at", "-pk").values("pk")
    states, reports = (newest.filter(which, node=OuterRef("pk"))[:1] for which in _OF_NODE)
    return (
        Server.objects.filter(group=group)
        .annotate(
            last_state=Subquery(states),
            last_reports=Subquery(reports),
            last_enabled=Subquery(newest.filter(_OF_GROUP, group=group)[:1]),
        )
        .order_by("slot")
    )


def _last(server: Server) -> list[int]:
    keys = (getattr(server, name) for name in ("last_state", "last_reports", "last_enabled"))
    return [key for key in keys if key is not None]
