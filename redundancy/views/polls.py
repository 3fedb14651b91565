"""Live regions of pages, and the polls for them: answered without a look as long as nothing can have changed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2s
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from redundancy.fingerprint import fingerprint
from redundancy.selectors import observing
from redundancy.selectors.observing import ObserverView
from redundancy.selectors.stamp import stamp
from redundancy.views.chrome import Lab, lab, tell_time

# Wall seconds after which it is looked at all the same.
KEEP_SECONDS = 60


def forever(_now: float) -> float:
    """Return until when a region holds that changes only when somebody does something."""
    return math.inf


def at_once(now: float) -> float:
    """Return until when a region holds that may change at any moment."""
    return now


@dataclass(frozen=True)
class Region:
    """A live region of a page, as one look found it.

    Args:
        template: Renders the region alone.
        content: The values the template shows, by name. The version is made of them.
        aside: What the template needs besides and what follows from ``content``; not looked at for
            the version, so it may be lazy.
        until: Returns, for the lab time before the look, the lab time until which nothing of it
            changes with time alone. It is asked only when the version was still the same.
        announcement: What a screen reader says of a change; nothing when empty.
        announced_with: Name of the one of ``content`` that must have changed for it to be said.
        events: Further events for the script of the page, by name, with their value.
        alone: Templates that suffice when only the one of ``content`` with that name changed.
        real: Whether what it shows is no lab: then it is as of a wall time.

    """

    template: str
    content: Mapping[str, object]
    aside: Mapping[str, Any] = field(default_factory=dict)
    until: Callable[[float], float] = forever
    announcement: str = ""
    announced_with: str = ""
    events: Mapping[str, str] = field(default_factory=dict)
    alone: Mapping[str, str] = field(default_factory=dict)
    real: bool = False

    @cached_property
    def version(self) -> str:
        """The fingerprints of what is shown, in its order."""
        return "-".join(map(fingerprint, self.content.values()))

    @property
    def context(self) -> dict[str, Any]:
        """What the template is given."""
        return {**self.content, **self.aside, "version": self.version}

    def changed(self, version: str) -> set[str]:
        """Return the names of what differs from what was shown in ``version``."""
        before = dict(zip(self.content, version.split("-"), strict=False))
        now = dict(zip(self.content, self.version.split("-"), strict=True))
        return {name for name in now if now[name] != before.get(name)}


def poll(request: HttpRequest, look: Callable[[ObserverView], Region]) -> HttpResponse:
    """Return the region that ``look`` finds, or 204 while the version ``v`` of the address holds.

    As long as the 204 of the same address must still be right, it is returned without a look. Each
    process remembers for itself, by what the database tells it.
    """
    watch = observing.observer()
    now = (*stamp(), watch.ok)
    key = f"poll:{blake2s(request.get_full_path().encode(), digest_size=16).hexdigest()}"
    then, limit = cache.get(key, ((), 0.0))
    at = Lab(watch.lab_now, watch.rate)
    if then == now and watch.lab_now < limit:
        return tell_time(HttpResponse(status=204), at)
    region = look(watch)
    response = answer(request, region, at)
    if response.status_code == 204:
        cache.set(key, (now, region.until(watch.lab_now)), KEEP_SECONDS)
    return response


def answer(request: HttpRequest, region: Region, at: Lab | None = None) -> HttpResponse:
    """Return ``region``, looked at when the lab clock was ``at``, or 204 while version ``v`` holds."""
    version = request.GET.get("v", "")
    if version == region.version:
        return tell_time(HttpResponse(status=204), at or lab(), real=region.real)
    changed = region.changed(version)
    template = region.alone.get(next(iter(changed))) if len(changed) == 1 else None
    response = render(request, template or region.template, region.context)
    said = not region.announced_with or region.announced_with in changed
    if said and region.announcement:
        trigger_client_event(response, "announce", {"value": str(region.announcement)})
    for name, value in region.events.items():
        trigger_client_event(response, name, {"value": str(value)})
    return tell_time(response, at or lab(), real=region.real)
