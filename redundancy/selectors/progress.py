"""How far an installation has come on the way from an empty machine to a fallback."""

from dataclasses import dataclass

from django.db.models import Count

from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server, ServerType
from redundancy.srm.states import SERVING_FOR_PEER, State


@dataclass(frozen=True, slots=True)
class TourProgress:
    """What has been done so far."""

    empty: bool
    nodes: int
    group: int | None
    paired: bool
    enabled: bool
    normal: bool
    failed_over: bool
    fell_back: bool


def tour_progress() -> TourProgress:
    """Return what has been done so far, in six queries. ``group`` is a group to go on with."""
    groups = RedundancyGroup.objects.annotate(members=Count("servers"))
    first = groups.order_by("-ha_enabled", "-members", "pk").first()
    changes = HaEvent.objects.filter(kind=EventKind.STATE)
    # A step once done stays ticked, also when the next step leaves that state.
    normal = changes.filter(group=first, new_state=State.NORMAL).order_by().values("node")
    nodes = Server.objects.filter(server_type=ServerType.IMP).count()
    return TourProgress(
        empty=not nodes and not Server.objects.exists(),
        nodes=nodes,
        group=first.pk if first else None,
        paired=first is not None and first.members == 2,
        enabled=first is not None and first.ha_enabled,
        normal=first is not None and len(normal.distinct()[:2]) == 2,
        failed_over=changes.filter(new_state__in=SERVING_FOR_PEER).exists(),
        fell_back=changes.filter(old_state=State.TAKING_BACK, new_state=State.NORMAL).exists(),
    )
