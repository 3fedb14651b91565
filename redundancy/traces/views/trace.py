"""*Trace > SRM Trace*: look at a node's trace, follow it, take it along, say how much is written."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from redundancy import trace_store
from redundancy.errors import Refused
from redundancy.models import Server
from redundancy.permissions import writers_only
from redundancy.selectors import nodes
from redundancy.srm.words import say
from redundancy.traces.reads import tail
from redundancy.traces.writes import LEVELS, set_trace_level
from redundancy.views.choices import choices
from redundancy.views.numbers import node_of, whole_number
from redundancy.views.polls import Region, answer

APPLICATION = "ccmservice"
TITLE = say("SRM Trace")


@require_safe
def srm_trace(request: HttpRequest) -> HttpResponse:
    """Show the last lines; with ``fragment`` only them, or 204 while version ``v`` still holds."""
    given = request.GET.get("server", "")
    if not given:
        return _page(request, None)
    if "fragment" in request.GET:
        return answer(request, _region(request, given))
    return _page(request, node_of(given))


@require_safe
def srm_trace_download(_request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send what is kept of the trace of a node as one text file."""
    server = node_of(str(pk))
    return StreamingHttpResponse(
        (f"{line}\n" for line in trace_store.read(server.pk)),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{server.name}-srm.log"'},
    )


@require_POST
@writers_only
def srm_trace_level(request: HttpRequest, pk: int) -> HttpResponse:
    """Set how much is written from now on."""
    server = node_of(str(pk))
    try:
        set_trace_level(
            server=server, level=request.POST.get("level", ""), actor=request.user.get_username()
        )
    except Refused as refused:
        return _page(request, server, error=refused.rule)
    messages.success(request, str(say("Update successful")))
    return redirect(f"{reverse('srm_trace')}?{urlencode({'server': str(pk)})}")


def _region(request: HttpRequest, given: str) -> Region:
    """Return the lines of the node whose key ``given`` is."""
    search = request.GET.get("search", "")[:200]
    query = urlencode({"server": given, "search": search})
    pk = whole_number(given) or 0
    newest = trace_store.version(pk)
    # Of a node without a trace nothing tells that it was deleted but that it is not there.
    server = SimpleLazyObject(lambda: node_of(given)) if newest else node_of(given)
    return Region(
        "traces/_live.html",
        # The newest row tells whether there are other lines: most polls read nothing else.
        content={"newest": newest},
        aside={
            "server": server,
            "search": search,
            "tail": SimpleLazyObject(lambda: tail(pk, search)),
            "refresh": f"{reverse('srm_trace')}?{query}",
        },
    )


def _page(request: HttpRequest, server: Server | None, error: str = "") -> HttpResponse:
    context: dict[str, object] = {
        "title": TITLE,
        "application": APPLICATION,
        "choices": choices(request, nodes.nodes(), server.pk if server else None),
        "levels": LEVELS,
        "status_error": error,
    }
    if server is not None:
        context |= _region(request, str(server.pk)).context
    return render(request, "traces/trace.html", context, status=422 if error else 200)
