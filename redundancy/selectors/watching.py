"""What happens in groups from one look to the next, for whoever follows them closely."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Max

from redundancy import clock
from redundancy.models import (
    EventKind,
    HaEvent,
    NodeRuntime,
    RedundancyGroup,
    SrmMessage,
)
from redundancy.selectors.presence import Presence, presence

_KINDS = (EventKind.STATE, EventKind.MOVE, EventKind.ADMIN)


@dataclass
class Watched:
    """A group at one look; nodes by their key.

    ``presence``: the sessions on it. ``reports``: whether the node's SRM runs. ``events``: since the look before, oldest first.
    ``settled``: every SRM that runs has taken in what it was told.
    """

    ha_enabled: bool = False
    reports: dict[int, bool] = field(default_factory=dict)
    presence: dict[int, Presence] = field(default_factory=dict)
    events: list[HaEvent] = field(default_factory=list)
    settled: bool = True


def last_event() -> int:
    """Return the key of the newest event; 0 when there is none."""
    return HaEvent.objects.aggregate(last=Max("pk"))["last"] or 0


def watch(group_ids: Iterable[int], after: int) -> tuple[float, int, dict[int, Watched]]:
    """Return lab time, the key of the last event seen, and each group, in a constant number of queries.

    Args:
        group_ids: Of the groups to look at.
        after: The key of the last event that was seen before.

    """
    ids = list(group_ids)
    # The time first: what is read after it had happened by then, or is a little younger.
    now = clock.lab_now()
    found = {pk: Watched() for pk in ids}
    generations: dict[int, int] = {}
    for pk, enabled, generation in RedundancyGroup.objects.filter(pk__in=ids).values_list(
        "pk", "ha_enabled", "ha_generation"
    ):
        found[pk].ha_enabled, generations[pk] = enabled, generation
    runtimes = NodeRuntime.objects.filter(server__group__in=ids)
    group_of: dict[int, int] = {}
    for pk, group_id, powered, running, due_at, generation in runtimes.values_list(
        "pk",
        "server__group_id",
        "server__machine__powered",
        "server__machine__srm_running",
        "due_at",
        "memory__generation",
    ):
        seen, group_of[pk] = found[group_id], group_id
        seen.reports[pk] = powered and running
        if seen.ha_enabled and seen.reports[pk]:
            # A poke sets due_at to 0 until the next step.
            seen.settled &= due_at > 0 and generation == generations[group_id]
    for pk, here in presence(list(group_of), now).items():
        found[group_of[pk]].presence[pk] = here
    asked = SrmMessage.objects.filter(node__in=list(group_of))
    for node_id in asked.values_list("node_id", flat=True):
        if found[group_of[node_id]].reports[node_id]:
            found[group_of[node_id]].settled = False
    events = HaEvent.objects.filter(pk__gt=after, group__in=ids, kind__in=_KINDS)
    for event in events.order_by("pk"):
        assert event.group_id is not None
        found[event.group_id].events.append(event)
        after = event.pk
    return now, after, found
