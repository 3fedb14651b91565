"""Open and close incidents, in the transaction that stores the changes of state they follow from.

The row of an open incident is held before the states of the nodes are looked at: of two sweeps that
each make one node Normal, the second one sees the first.
"""

from collections.abc import Sequence

from redundancy.clock import lab_datetime
from redundancy.models import EventKind, HaEvent, Incident, NodeRuntime, RedundancyGroup
from redundancy.operations import locks
from redundancy.srm.states import CALM, State
from redundancy.srm.words import mark

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
        # Another sweep may have been faster with the other node: then it is the same incident.
        Incident.objects.bulk_create(
            (_opened(opening[group]) for group in sorted(opening, key=lambda pk: pk or 0)),
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


def _opened(event: HaEvent) -> Incident:
    return Incident(
        group_id=event.group_id,
        group_name=event.group_name,
        node_name=event.node_name,
        reason=event.new_reason,
        cause=event.sentence,
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
