"""Where what a timeline shows is told in full."""

from django import template
from django.urls import reverse

from redundancy.history.timeline.layout import WIDTH
from redundancy.history.timeline.model import Episode, TableLine

register = template.Library()


@register.filter
def across(x: float) -> str:
    """Return an x of the picture as a part of its width: it is drawn as wide as there is room."""
    return f"{100 * x / WIDTH:.3f}%"


@register.filter
def told_at(shown: TableLine | Episode) -> str:
    """Return the address of the incident or event behind it; of what has none yet, the beat monitor's."""
    if shown.incident is not None:
        return reverse("incident", args=[shown.incident])
    if shown.event is not None:
        return reverse("event", args=[shown.event])
    return reverse("beat_monitor")
