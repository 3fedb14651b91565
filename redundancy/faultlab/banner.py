"""The faults in force, in the banner of every page: nobody shall take them for the system's own."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from redundancy.selectors import faults
from redundancy.views.chrome import BannerLine, BannerLines

# The Fault Lab names all.
SHOWN = 5


def fault_lines() -> BannerLines:
    """Return the faults in force, as every page shows them; one query."""
    lines = [BannerLine(fault.sentence, "warn") for fault in faults.active()]
    return BannerLines(tuple(lines[:SHOWN]), max(0, len(lines) - SHOWN))


def context(_: HttpRequest) -> dict[str, object]:
    """Return the banner of every page; nothing is asked where it is not shown."""
    return {"fault_lab": settings.FAULT_LAB, "faults": SimpleLazyObject(fault_lines)}
