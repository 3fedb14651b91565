"""Filters for lab time and for the names of states, and the icons."""

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from redundancy.srm.words import duration
from redundancy.times import lab_time

register = template.Library()


register.filter("lab_time", lab_time)
register.filter("duration", duration)


@register.filter
def elapsed(moment: float | None, now: float) -> str:
    """Return how long ago ``moment`` was."""
    return "" if moment is None else duration(now - moment)


@register.filter
def remaining(moment: float | None, now: float) -> str:
    """Return how long it is until ``moment``."""
    return "" if moment is None else duration(moment - now)


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Return an icon, rendered once a process: a page has up to hundreds, of some twenty kinds."""
    drawn = {"name": name, "icons": static("img/icons.svg")}
    return mark_safe(render_to_string("includes/icon.html", drawn).strip())


@register.filter
def named(name: str) -> str:
    """Return the vendor's name of a state or reason, with the reader's word for it behind.

    The catalogue gives both: whoever works with the vendor's system has to know its names.
    """
    return gettext(name) if name else ""
