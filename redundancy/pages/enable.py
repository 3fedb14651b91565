"""Enable High Availability of a group from where its form is not: the Presence Topology."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from redundancy.errors import Refused
from redundancy.models import RedundancyGroup
from redundancy.operations.groups import enable_ha
from redundancy.pages.group_live import find_group, requested
from redundancy.permissions import writers_only
from redundancy.planned.reads.confirming import before_switching
from redundancy.srm.words import say
from redundancy.views.confirm import Confirmation, ask

STARTING = say("High Availability enabled; SRM is starting.")


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def enable_high_availability(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what will go wrong by the preflight (GET); enable High Availability (POST)."""
    group = find_group(pk)
    back = reverse("group_edit", args=[pk])
    error = ""
    if request.method == "POST":
        try:
            enable_ha(group=group, actor=request.user.get_username())
        except Refused as refused:
            error = refused.rule
        else:
            return requested(request, back, STARTING)
    elif group.ha_enabled:
        error = say("High Availability of {group} is enabled already.", group=group.name)
    try:
        switch = before_switching(group, on=True)
    except RedundancyGroup.DoesNotExist:
        raise Http404 from None
    question = say("Enable High Availability of {group} now?", group=group.name)
    return ask(
        request,
        Confirmation(
            title=say("Enable High Availability"),
            action=request.path,
            cancel=back,
            submit="" if error else say("Enable High Availability"),
            question="" if error else (switch.question if switch else question),
            effects=switch.effects if switch and not error else (),
            error=error,
        ),
    )
