"""Start the services for want of which nobody can log in at a node."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from redundancy.errors import Refused
from redundancy.models import Server
from redundancy.operations.activation import start_login_services
from redundancy.permissions import writers_only
from redundancy.selectors.access import missing_services, not_activated
from redundancy.srm.words import listed, say, say_count
from redundancy.views.confirm import Confirmation, ask, go_to
from redundancy.views.numbers import node_of


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Name the services (GET); start them (POST), and go back to the node's group."""
    node = node_of(str(pk))
    back = (
        reverse("group_edit", args=[node.group_id])
        if node.group_id
        else reverse("node_details", args=[pk])
    )
    missing = missing_services([pk]).get(pk, ())
    error = ""
    if request.method == "POST":
        try:
            start_login_services(server=node, actor=request.user.get_username())
        except Refused as refused:
            error = refused.rule
        else:
            messages.success(request, _started(node.name, len(missing)))
            return go_to(request, back)
    return ask(
        request,
        Confirmation(
            title=say("Start the services that a login needs: {node}", node=node.name),
            action=request.path,
            cancel=back,
            submit=say("Start") if missing and not error else "",
            effects=_effects(node, missing) or [say("All services run that a login needs.")],
            error=error,
        ),
    )


def _effects(node: Server, missing: Sequence[str]) -> list[str]:
    idle = not_activated(node.pk, missing)
    stopped = [name for name in missing if name not in idle]
    effects = []
    if stopped:
        services = listed(stopped)
        effects.append(say("Started on {node}: {services}.", node=node.name, services=services))
    if idle:
        services = listed(idle)
        effects.append(
            say("Activated on {node}, and started: {services}.", node=node.name, services=services)
        )
    return effects


def _started(node: str, number: int) -> str:
    return say_count(
        "{count} service on {node} was started.",
        "{count} services on {node} were started.",
        number,
        node=node,
    )
