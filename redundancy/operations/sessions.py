"""Where sessions of users are, and when their clients log in there."""

from django.db.models import QuerySet
from django.db.models.functions import Random

from redundancy.clock import lab_datetime, lab_now
from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup, Server
from redundancy.operations import limits


def logged_in(user: PresenceUser, node_id: int, now: float) -> PresenceSession:
    """Return the session, not saved yet, of a user whose client logs in at a node now."""
    return PresenceSession(
        user=user, node_id=node_id, since=lab_datetime(now), relogin_at=now, limits_at=now
    )


def place(users: QuerySet[PresenceUser], node: Server, now: float) -> int:
    """Move the sessions of these users that are elsewhere to ``node``; return how many moved.

    One statement. Each client waits a time of its own between the limits that it keeps from its
    last login, and logs in then.
    """
    login = limits.last_login(now)
    lower, upper = limits.at_login(node, login)
    elsewhere = PresenceSession.objects.filter(user__in=users).exclude(node=node)
    return elsewhere.update(
        node=node,
        since=lab_datetime(now),
        relogin_at=now + lower + (upper - lower) * Random(),
        limits_at=login,
    )


def send_home(group: RedundancyGroup) -> int:
    """Move every session of the group's users to its assigned node; return how many moved.

    The caller holds the lock on the group's row. The epoch rises, so that a move decided before is
    refused.
    """
    now = lab_now()
    moved = sum(
        place(PresenceUser.objects.filter(home=node), node, now)
        for node in Server.objects.filter(group=group)
    )
    group.epoch += 1
    group.holder = None
    group.save(update_fields=["epoch", "holder"])
    return moved
