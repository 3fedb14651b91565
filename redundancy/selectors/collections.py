"""Reads of log collections."""

from django.db.models import QuerySet

from redundancy.models import LogCollection


def jobs() -> QuerySet[LogCollection]:
    """Return every log collection that is kept, the newest first."""
    return LogCollection.objects.all()
