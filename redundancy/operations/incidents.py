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
        silent = _why_silent(peers.values()) if peers else {}
        # Another sweep may have been faster with the other node: then it is the same incident.
        Incident.objects.bulk_create(
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
    for incident in _locked({group.pk}).values():
        incident.closed_at = lab_datetime(now)
        incident.ended = DISABLED
        incident.last_event = HaEvent.objects.filter(group=group).first()
        incident.save(update_fields=["closed_at", "ended", "last_event"])


def _locked(groups: set[int | None]) -> dict[int | None, Incident]:
    rows = Incident.objects.filter(group__in=groups, closed_at=None)
    return {incident.group_id: incident for incident in locks.hold(rows)}


def _peers(events: Iterable[HaEvent]) -> dict[int | None, Server]:
    """Return the peer of each node that took over in one of ``events``, by the node's key."""
    takers = {e.group_id: e.node_id for e in events if e.new_state in SERVING_FOR_PEER}
    if not takers:
        return {}
    mates = Server.objects.filter(group__in=takers)
    return {takers[mate.group_id]: mate for mate in mates if mate.pk != takers[mate.group_id]}


def _why_silent(nodes: Iterable[Server]) -> dict[int | None, str]:
    """Return what the history tells of why these nodes do not report, by their keys; else nothing."""
    told = HaEvent.objects.filter(node__in=list(nodes), inputs__has_key="reports").order_by()
    last = told.values("node").annotate(last=Max("pk")).values("last")
    return {
        event.node_id: event.sentence
        for event in HaEvent.objects.filter(pk__in=last)
        if event.inputs and event.inputs["reports"] is False
    }


def _opened(
    event: HaEvent, peers: Mapping[int | None, Server], silent: Mapping[int | None, str]
) -> Incident:
    """Return the incident that begins with ``event``.

    The node affected first is the one whose users lose their service: of a node that takes over, its
    peer. ``silent``: why nodes do not report, where that was recorded.
    """
    peer = peers.get(event.node_id)
    known = silent.get(peer.pk, "") if peer and event.new_reason in SILENCE_REASONS else ""
    return Incident(
        group_id=event.group_id,
        group_name=event.group_name,
        node_name=peer.name if peer else event.node_name,
        reason=event.new_reason,
        # Also a sentence without parts is shown in the reader's language within another.
        cause=together([known, from_text(to_text(event.sentence))]) if known else event.sentence,
        opened_at=event.at,
        first_event=event,
    )


def _close_normal(incidents: dict[int | None, Incident], changes: Sequence[HaEvent]) -> None:
    """Close those of these incidents whose nodes are Normal, all of them."""
    if not incidents:
        return
    away = NodeRuntime.objects.filter(server__group__in=incidents).exclude(state=State.NORMAL)
    restless = set(away.values_list("server__group_id", flat=True))
    last = {event.group_id: event for event in changes}
    done = []
    for pk, incident in incidents.items():
        if pk not in restless:
            incident.closed_at = last[pk].at
            incident.ended = BOTH_NORMAL
            incident.last_event = last[pk]
            done.append(incident)
    if done:
        Incident.objects.bulk_update(done, ["closed_at", "ended", "last_event"])
