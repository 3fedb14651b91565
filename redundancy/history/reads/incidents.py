"""Incidents: which there are, and what belongs to one."""

from collections.abc import Iterable

from django.db.models import Expression, F, Q, QuerySet
from django.db.models.functions import Lower

from redundancy.clock import lab_datetime
from redundancy.models import HaEvent, Incident
from redundancy.selectors import find
from redundancy.selectors.find import Criterion

# Fields of *Find where*: name in the address -> column.
FIELDS: dict[str, str] = {"group": "group_name", "cause": "cause__english", "server": "node_name"}
_COLUMNS: dict[str, F | Expression] = {
    "opened": F("opened_at"),
    "group": Lower("group_name"),
    "server": Lower("node_name"),
    "reason": F("reason"),
}


def find_incidents(criteria: Iterable[Criterion] = (), sort: str = "-opened") -> QuerySet[Incident]:
    """Return the incidents that match."""
    return find.order(find.apply(Incident.objects.all(), criteria, FIELDS), sort, _COLUMNS)


def incidents() -> QuerySet[Incident]:
    """Return every incident, with its group and its first event."""
    return Incident.objects.select_related("group", "first_event")


def open_incident(group_id: int) -> Incident | None:
    """Return the open incident of a group, if there is one."""
    return Incident.objects.filter(group=group_id, closed_at=None).first()


def between(group_id: int, begin: float, end: float) -> list[Incident]:
    """Return the incidents of a group that were open in this span of lab seconds, the oldest first."""
    since, until = lab_datetime(begin), lab_datetime(end)
    lasting = Q(closed_at=None) | Q(closed_at__gte=since)
    found = Incident.objects.filter(lasting, group=group_id, opened_at__lte=until)
    return list(found.order_by("pk"))


def events_of_group(incident: Incident) -> QuerySet[HaEvent]:
    """Return the events of the incident's group, or of what was called so, the oldest first."""
    if incident.group_id is not None:
        found = HaEvent.objects.filter(group=incident.group_id)
    else:
        found = HaEvent.objects.filter(group=None, group_name=incident.group_name)
    return found.order_by("pk")


def events_of(incident: Incident) -> QuerySet[HaEvent]:
    """Return the events that belong to an incident, the oldest first."""
    found = events_of_group(incident).filter(pk__gte=incident.first_event_id)
    if incident.last_event_id is not None:
        found = found.filter(pk__lte=incident.last_event_id)
    return found
