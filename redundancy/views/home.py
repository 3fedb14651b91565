"""The first steps, About, and the way to other applications."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from redundancy.errors import Refused
from redundancy.operations.sample import (
    DEPLOYMENT_BY_KEY,
    IM_AND_PRESENCE,
    load_sample_cluster,
)
from redundancy.permissions import writers_only
from redundancy.selectors.progress import TourProgress
from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step on the way, and where it is done; ``url`` is empty while it cannot be done yet."""

    label: str
    text: str
    url: str
    done: bool


def first_steps(now: TourProgress) -> list[FirstStep]:
    """Return the steps on the way, those that are done ticked."""
    add = reverse("server_add") + "?type=imp"
    group = reverse("group_edit", args=[now.group]) if now.group else ""
    services = reverse("control_center", args=["network"]) if now.nodes else ""
    return [
        FirstStep(
            say("Add the first IM and Presence server"),
            say("It becomes the publisher, and the group DefaultCUPSubCluster is created with it."),
            add,
            now.nodes >= 1,
        ),
        FirstStep(
            say("Add a second one"),
            say("The subscriber; it is in no group yet."),
            add,
            now.nodes >= 2,
        ),
        FirstStep(
            say("Assign it to the group"),
            say("The second drop-down of the presence redundancy group."),
            group,
            now.paired,
        ),
        FirstStep(
            say("Enable High Availability"),
            say("Both nodes go to Initializing."),
            group,
            now.enabled,
        ),
        FirstStep(
            say("See both nodes Normal"), say("The page refreshes by itself."), group, now.normal
        ),
        FirstStep(
            say("Fail over"),
            say("Press Failover, or stop the Cisco XCP Router of a node and wait."),
            services or group,
            now.failed_over,
        ),
        FirstStep(
            say("Fall back"),
            say("Press Fallback once the failed node is healthy again."),
            group,
            now.fell_back,
        ),
    ]


@require_POST
@writers_only
def load_sample(request: HttpRequest) -> HttpResponse:
    """Load the sample cluster into an empty system."""
    key = request.POST.get("deployment", IM_AND_PRESENCE.key)
    deployment = DEPLOYMENT_BY_KEY.get(key)
    if deployment is None:
        keys = ", ".join(DEPLOYMENT_BY_KEY)
        raise BadRequest(say("deployment: must be one of {keys}", keys=keys))
    try:
        group = load_sample_cluster(actor=request.user.get_username(), deployment=deployment)
    except Refused as refused:
        messages.error(request, str(refused.rule))
        return redirect("home")
    messages.success(request, str(say("Add successful: imp-pub, imp-sub and 1,000 users")))
    return redirect("group_edit", group.pk)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Show what this is."""
    return render(request, "about.html", {"title": say("About")})


@require_safe
def go(request: HttpRequest) -> HttpResponse:
    """Go where a drop-down says: Navigation and Related Links work without script."""
    to = request.GET.get("to", "")
    if not to.startswith("/") or not url_has_allowed_host_and_scheme(to, allowed_hosts=None):
        raise BadRequest(say("to: must be an address of this site."))
    return redirect(to)


@require_safe
def admin_login(request: HttpRequest) -> HttpResponse:
    """Answer in the place of the Django administration's own sign-in: everybody here is signed in."""
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied(
            say(
                "Django Administration is for users with staff status; you have none. "
                "An administrator gives it there, under Users."
            )
        )
    return redirect("admin:index")


@require_safe
@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Send a browser that asks here to the icon: the Django administration's pages name none."""
    return redirect(static("img/mark.svg"))
