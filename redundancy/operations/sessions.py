"""Where sessions of users are."""

from django.db.models import F, OuterRef, Subquery

from redundancy.clock import lab_datetime
from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup


def send_home(group: RedundancyGroup) -> int:
    """Move every session of the group's users to its assigned node; return how many moved.

    The caller holds the lock on the group's row. The epoch rises, so that a move decided before is
    refused.
    """
    home = PresenceUser.objects.filter(pk=OuterRef("user_id")).values("home_id")
    moved = (
        PresenceSession.objects.filter(user__home__group=group)
        .exclude(node_id=F("user__home_id"))
        .update(node_id=Subquery(home), since=lab_datetime())
    )
    group.epoch += 1
    group.holder = None
    group.save(update_fields=["epoch", "holder"])
    return moved
