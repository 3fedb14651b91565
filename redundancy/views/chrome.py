"""What every page needs: applications and menus, the role of the user, the lab clock, its tools."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from redundancy import clock
from redundancy.alarms import reads as alarms
from redundancy.models import Alarm
from redundancy.permissions import can_write
from redundancy.selectors import faults
from redundancy.srm.words import say
from redundancy.templatetags.lab import lab_time
from redundancy.views.menus import applications

# Faults named on every page; the Fault Lab names all.
FAULTS_SHOWN = 5
ALARMS_SHOWN, ALARMS_COUNTED = 3, 100


@dataclass(frozen=True, slots=True)
class Lab:
    """The lab clock when the page was made."""

    now: float
    rate: float

    @property
    def fast(self) -> bool:
        """Whether SRM time runs at another pace than the wall clock."""
        return self.rate != 1


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of the toolbar, repeated as a button at the page's foot.

    It submits the form with the id ``form``, or is a link to ``href``. With ``dialog`` the link
    asks in the page's dialog where there is script, and on a page of its own where there is none.
    """

    label: str
    icon: str
    href: str = ""
    form: str = ""
    dialog: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the Related Links drop-down."""

    label: str
    url: str


def lab() -> Lab:
    """Return the present lab time and its rate."""
    reader, rate = clock.look()
    return Lab(now=reader(), rate=rate)


def tell_time(response: HttpResponse, at: Lab) -> HttpResponse:
    """Let the answer to a poll carry the lab clock: a page may be older than the clock's rate."""
    response["X-Lab-Time"] = lab_time(at.now)
    response["X-Lab-Now"] = f"{at.now:.3f}"
    response["X-Lab-Rate"] = f"{at.rate:g}"
    return response


@dataclass(frozen=True, slots=True)
class FaultLines:
    """The faults in force: the sentences shown, and how many ``more`` there are."""

    sentences: tuple[str, ...]
    more: int

    @property
    def version(self) -> str:
        """Changes with what is shown."""
        return hashlib.blake2s(repr(self).encode(), digest_size=8).hexdigest()


def fault_lines() -> FaultLines:
    """Return the faults in force, as every page shows them; one query."""
    sentences = [fault.sentence for fault in faults.active()]
    return FaultLines(tuple(sentences[:FAULTS_SHOWN]), max(0, len(sentences) - FAULTS_SHOWN))


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in a sentence. ``tone``: bad while it is raised, ok once it is cleared."""

    sentence: str
    tone: str


@dataclass(frozen=True, slots=True)
class AlarmLines:
    """The alarms nobody acknowledged: the lines shown, and how many ``more`` there are."""

    lines: tuple[AlarmLine, ...]
    more: int

    @property
    def version(self) -> str:
        """Changes with what is shown."""
        return hashlib.blake2s(repr(self).encode(), digest_size=8).hexdigest()


def alarm_lines() -> AlarmLines:
    """Return the alarms that nobody acknowledged, as every page shows them; one query."""
    found = list(alarms.unacknowledged()[:ALARMS_COUNTED])
    # What is over must not keep what holds from being shown.
    found.sort(key=lambda alarm: alarm.cleared_at is not None)
    lines = tuple(_alarm_line(alarm) for alarm in found[:ALARMS_SHOWN])
    return AlarmLines(lines, len(found) - len(lines))


def _alarm_line(alarm: Alarm) -> AlarmLine:
    names = {"alarm": str(alarm), "sentence": alarm.sentence}
    if alarm.cleared_at is None:
        return AlarmLine(say("{alarm}: {sentence}", **names), "bad")
    return AlarmLine(say("{alarm}: cleared; it was: {sentence}", **names), "ok")


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page.

    All of it is lazy: the Django administration and error pages, which use none of it, ask nothing.
    """
    user = getattr(request, "user", None)
    writer = SimpleLazyObject(lambda: can_write(user))
    return {
        "applications": SimpleLazyObject(
            lambda: applications(fault_lab=settings.FAULT_LAB, writer=bool(writer))
        ),
        "can_write": writer,
        "lab": SimpleLazyObject(lab),
        "fault_lab": settings.FAULT_LAB,
        "faults": SimpleLazyObject(fault_lines),
        "alarms_shown": SimpleLazyObject(alarm_lines),
    }
