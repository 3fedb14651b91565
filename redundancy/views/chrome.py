"""What every page needs: applications and menus, the role of the user, the lab clock, its tools."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from redundancy import clock, own_clock
from redundancy.fingerprint import fingerprint
from redundancy.models import RedundancyGroup
from redundancy.permissions import can_write, has_role
from redundancy.srm.words import say
from redundancy.times import lab_time, wall_time
from redundancy.views.menus import applications

# The header that every answer to a poll carries, and no other.
IS_POLL = "X-Lab-Time"


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


def group_link(group: RedundancyGroup) -> Link:
    """Return the link to the configuration of ``group``."""
    label = say("Configuration of {group}", group=group.name)
    return Link(label, reverse("group_edit", args=[group.pk]))


def lab() -> Lab:
    """Return the present lab time and its rate."""
    reader, rate = clock.look()
    return Lab(now=reader(), rate=rate)


def tell_time(response: HttpResponse, at: Lab, *, real: bool = False) -> HttpResponse:
    """Let the answer to a poll carry the lab clock: a page may be older than the clock's rate.

    ``real``: what it shows is no lab, so its time is the wall clock's, which it carries, too.
    """
    response[IS_POLL] = lab_time(at.now)
    response["X-Lab-Now"] = f"{at.now:.3f}"
    response["X-Lab-Rate"] = f"{at.rate:g}"
    if real:
        response["X-Wall-Time"] = wall_time()
    return response


@dataclass(frozen=True, slots=True)
class BannerLine:
    """A sentence in the banner of every page. ``tone``: warn, bad or ok."""

    sentence: str
    tone: str


@dataclass(frozen=True, slots=True)
class BannerLines:
    """What a room tells on every page: the lines shown, and how many ``more`` there are."""

    lines: tuple[BannerLine, ...]
    more: int

    @property
    def version(self) -> str:
        """The version of the region that shows them, which stands on the page of another one, too."""
        return fingerprint(self)


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page.

    All of it is lazy: the Django administration and error pages, which use little of it, ask little.
    """
    user = getattr(request, "user", None)
    writer = SimpleLazyObject(lambda: can_write(user))
    return {
        "applications": SimpleLazyObject(
            lambda: applications(fault_lab=settings.FAULT_LAB, writer=bool(writer))
        ),
        "can_write": writer,
        "has_role": SimpleLazyObject(lambda: has_role(user)),
        "lab": SimpleLazyObject(lab),
        "own_clock": own_clock.OWN.sentence,
    }
