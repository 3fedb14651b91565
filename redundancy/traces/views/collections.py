"""*Trace > Log Collection*: the logs of a case in one file."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.clock import lab_datetime, lab_now
from redundancy.models import CollectionState, Incident
from redundancy.permissions import can_write, refuse_read_only
from redundancy.selectors import groups
from redundancy.srm.words import say
from redundancy.traces import collecting, reads
from redundancy.traces.forms import CollectionForm
from redundancy.traces.reads import SHAPE
from redundancy.views.choices import choices, offer
from redundancy.views.chrome import Tool
from redundancy.views.numbers import whole_number
from redundancy.views.polls import Region, answer

APPLICATION = "ccmservice"
TITLE = say("Log Collection")
FORM = "collection-form"
# Lab seconds that the form proposes.
SPAN = 3600


@require_http_methods(["GET", "HEAD", "POST"])
def log_collection(request: HttpRequest) -> HttpResponse:
    """List the collections (GET), with ``fragment`` only the list; begin one (POST)."""
    if request.method == "POST":
        refuse_read_only(request)
        form = CollectionForm(request.POST)
        actor = request.user.get_username()
        job = form.carry_out(lambda: collecting.begin(actor=actor, **form.cleaned_data))
        if job is not None:
            messages.success(request, str(say("Add successful")))
            return redirect("log_collection")
    else:
        form = _form(request)
    pieces = len(collecting.PIECES)
    jobs = [(job, min(100, 100 * job.step // pieces)) for job in reads.collections()]
    region = Region("collections/_live.html", content={"jobs": jobs})
    if "fragment" in request.GET:
        return answer(request, region)
    offered = choices(request, groups.by_name(), whole_number(str(form["group"].value() or "")))
    offer(form.fields["group"], offered)
    context = {
        **region.context,
        "title": TITLE,
        "application": APPLICATION,
        "form": form,
        "choices": offered,
        "form_id": FORM,
        "tools": [Tool(say("Collect"), "save", form=FORM)] if can_write(request.user) else [],
    }
    status = 422 if form.errors else 200
    return render(request, "collections/collections.html", context, status=status)


def _form(request: HttpRequest) -> CollectionForm:
    """Return the form as the address fills it in: ``incident``, or ``group``, ``since`` and ``until``."""
    now = lab_now()
    linked = _linked(request)
    since, until = reads.span_of(linked, now) if linked else (now - SPAN, now)
    return CollectionForm(
        linked=linked,
        initial={
            "incident": linked,
            "group": linked.group if linked else request.GET.get("group"),
            "since": request.GET.get("since") or f"{lab_datetime(since):{SHAPE}}",
            "until": request.GET.get("until") or f"{lab_datetime(until):{SHAPE}}",
        },
    )


def _linked(request: HttpRequest) -> Incident | None:
    text = request.GET.get("incident", "")
    if not text:
        return None
    number = whole_number(text)
    if number is None:
        raise BadRequest(say("incident: must be the number of an incident."))
    incident = reads.recent_incidents().filter(pk=number).first()
    if incident is None:
        rule = say(
            "incident: there is no incident {number} of a group that still exists.", number=number
        )
        raise BadRequest(rule)
    return incident


@require_safe
def log_collection_download(_request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the file."""
    job = get_object_or_404(reads.collections(), pk=pk, state=CollectionState.DONE)
    return StreamingHttpResponse(
        reads.file_of(job),
        content_type="application/zip",
        headers={
            "Content-Disposition": content_disposition_header(True, f"logs-{job.group_name}.zip"),
            "Content-Length": str(job.size),
        },
    )
