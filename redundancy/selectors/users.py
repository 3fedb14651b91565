"""Reads of users."""

from redundancy.models import PresenceUser


def count_without_node() -> int:
    """Return how many users have no home node."""
    return PresenceUser.objects.filter(home__isnull=True).count()
