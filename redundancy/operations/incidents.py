"""Open and close incidents, in the transaction that stores the changes of state they follow from.

The row of an open incident is held before the states of the nodes are looked at: of two sweeps that
each make one node Normal, the second one sees the first.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Max

from redundancy.clock import lab_datetime
from redundancy.models import (
    EventKind,
    HaEvent,
    Incident,
    NodeRuntime,
    RedundancyGroup,
    Server,
)
from redundancy.models.bulk import insert
from redundancy.operations import locks
from redundancy.srm.states import CALM, SERVING_FOR_PEER, SILENCE_REASONS, State
from redundancy.srm.words import from_text, mark, to_text, together

BOTH_NORMAL = mark("Both nodes are Normal")
DISABLED = mark("High Availability was disabled")


def follow(events: Sequence[HaEvent]) -> None:
    """Open and close the incidents that these new events, as they were stored, begin and end.

    A number of statements that does not grow, and none without a change of state.
    """
    changes = [e for e in events if e.kind == EventKind.STATE and e.group_id is not None]
    if not changes:
        return
    groups = {event.group_id for event in changes}
    known = _locked(groups)
    opening: dict[int | None, HaEvent] = {}
    for event in changes:
        if event.group_id not in known and event.new_state not in CALM:
            opening.setdefault(event.group_id, event)
    if opening:
        peers = _peers(opening.values())
        silent = _why_silent(pk for pk, _ in peers.values()) if peers else {}
        # Another sweep may have been faster with the other node: then it is the same incident.
        insert(
            (
                _opened(opening[group], peers, silent)
                for group in sorted(opening, key=lambda pk: pk or 0)
            ),
            ignore_conflicts=True,
        )
    normal = {event.group_id for event in changes if event.new_state == State.NORMAL}
    if normal & opening.keys():
        known |= _locked(normal & opening.keys())
    _close_normal({pk: known[pk] for pk in normal if pk in known}, changes)


def close(group: RedundancyGroup, now: float) -> None:
    """Close the group's incident, if there is one: High Availability was disabled at ``now``."""
    for pk in _locked({group.pk}).values():
        last = HaEvent.objects.filter(group=group).first()
        Incident.objects.filter(pk=pk).update(
            closed_at=lab_datetime(now), ended=DISABLED, last_event=last
        )


def _locked(groups: set[int | None]) -> dict[int | None, int]:
    """Return the open incident of each of these groups, by their keys, and hold it."""
    rows = Incident.objects.filter(group__in=groups, closed_at=None)
    return dict(locks.hold(rows).values_list("group_id", "pk"))


def _peers(events: Iterable[HaEvent]) -> dict[int | None, tuple[int, str]]:
    """Return key and name of the peer of each node that took over in one of ``events``, by the node's key."""
    takers = {e.group_id: e.node_id for e in events if e.new_state in SERVING_FOR_PEER}
    if not takers:
        return {}
    mates = Server.objects.filter(group__in=takers).values_list("pk", "name", "group_id")
    return {takers[group]: (pk, name) for pk, name, group in mates if pk != takers[group]}


def _why_silent(nodes: Iterable[int]) -> dict[int | None, str]:
    """Return what the history tells of why these nodes do not report, by their keys; else nothing."""
    told = HaEvent.objects.filter(node__in=list(nodes), inputs__has_key="reports").order_by()
    last = told.values("node").annotate(last=Max("pk")).values("last")
    return {
        event.node_id: event.sentence
        for event in HaEvent.objects.filter(pk__in=last)
        if event.inputs and event.inputs["reports"] is False
    }


def _opened(
    event: HaEvent,
    peers: Mapping[int | None, tuple[int, str]],
    silent: Mapping[int | None, str],
) -> Incident:
    """Return the incident that begins with ``event``.

    The node affected first is the one whose users lose their service: of a node that takes over, its
    peer. ``silent``: why nodes do not report, where that was recorded.
    """
    peer, name = peers.get(event.node_id, (None, event.node_name))
    known = silent.get(peer, "") if event.new_reason in SILENCE_REASONS else ""
    return Incident(
        group_id=event.group_id,
        group_name=event.group_name,
        node_name=name,
        reason=event.new_reason,
        # Also a sentence without parts is shown in the reader's language within another.
        cause=together([known, from_text(to_text(event.sentence))]) if known else event.sentence,
        opened_at=event.at,
        first_event_id=event.pk,
    )


def _close_normal(incidents: dict[int | None, int], changes: Sequence[HaEvent]) -> None:
    """Close those of these incidents whose nodes are Normal, all of them."""
    if not incidents:
        return
    away = NodeRuntime.objects.filter(server__group__in=incidents).exclude(state=State.NORMAL)
    restless = set(away.values_list("server__group_id", flat=True))
    last = {event.group_id: event for event in changes}
    done = [
        Incident(pk=pk, closed_at=last[group].at, ended=BOTH_NORMAL, last_event=last[group])
        for group, pk in incidents.items()
        if group not in restless
    ]
    if done:
        Incident.objects.bulk_update(done, ["closed_at", "ended", "last_event"])
