"""Filters for lab time, and for the names of states."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

register = template.Library()


@register.filter
def lab_time(moment: float | None) -> str:
    """Return lab seconds as date and time of day in the site's time zone."""
    if moment is None:
        return ""
    local = timezone.localtime(datetime.fromtimestamp(moment, tz=UTC))
    return date_format(local, "Y-m-d H:i:s")


@register.filter
def duration(seconds: float | None) -> str:
    """Return a length of time as words: ``12 min 41 s``. The script counts in the same shape."""
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{rest} s"


@register.filter
def elapsed(moment: float | None, now: float) -> str:
    """Return how long ago ``moment`` was."""
    return "" if moment is None else duration(now - moment)


@register.filter
def remaining(moment: float | None, now: float) -> str:
    """Return how long it is until ``moment``."""
    return "" if moment is None else duration(moment - now)


@register.filter
def named(name: str) -> str:
    """Return the vendor's name of a state or reason, with the reader's word for it behind.

    The catalogue gives both: whoever works with the vendor's system has to know its names.
    """
    return gettext(name) if name else ""
