"""The history of what was done to nodes and services, by whomever."""

from django.db.models import Q, QuerySet

from redundancy.models import HaEvent


def deeds() -> QuerySet[HaEvent]:
    """Return what was done to nodes and to their services."""
    return HaEvent.objects.filter(Q(inputs__has_key="reports") | Q(inputs__has_key="services"))
