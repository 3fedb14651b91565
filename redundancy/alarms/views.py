"""*Tools > Alarms*: what is raised, who was told, and the line on every page until it is acknowledged."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from redundancy.alarms import banner, reads, writes
from redundancy.permissions import writers_only
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.numbers import whole_number
from redundancy.views.polls import Region, answer

APPLICATION = "ccmservice"
TITLE = say("Alarms")
LISTED = 200


@require_safe
def alarm_list(request: HttpRequest) -> HttpResponse:
    """List the alarms, the newest first, and the channels."""
    return render(
        request,
        "alarms/list.html",
        {
            "title": TITLE,
            "application": APPLICATION,
            "alarms": reads.all_alarms()[:LISTED],
            "channels": reads.channels(),
            "any_new": reads.unacknowledged().exists(),
            "related_links": [
                Link(say("Alarm Channels"), reverse("admin:redundancy_alarmchannel_changelist"))
            ],
        },
    )


@require_POST
@writers_only
def alarm_acknowledge(request: HttpRequest) -> HttpResponse:
    """Acknowledge one alarm, or all that there are."""
    which = request.POST.get("alarm", "")
    number = whole_number(which)
    if which == "all":
        pks = list(reads.unacknowledged().values_list("pk", flat=True))
    elif number is not None:
        pks = [number]
    else:
        raise BadRequest(say("alarm: must be the number of an alarm, or all"))
    if writes.acknowledge(pks=pks, actor=request.user.get_username()):
        messages.success(request, str(say("Update successful")))
    else:
        messages.info(request, str(say("It was acknowledged already; nothing was done.")))
    return redirect("alarm_list")


@require_safe
def alarm_banner(request: HttpRequest) -> HttpResponse:
    """Return the lines of the alarms, or 204 while version ``v`` still holds."""
    alarms = banner.banner_lines()
    first = alarms.lines[0].sentence if alarms.lines else ""
    region = Region("alarms/_banner.html", content={"alarm_lines": alarms}, announcement=first)
    return answer(request, region)
