"""*Bulk Administration*: import users from a file, look after the jobs, export users."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.errors import Refused
from redundancy.imports import reads, users_csv, writes
from redundancy.imports.forms import ImportForm
from redundancy.imports.jobs import go_on
from redundancy.imports.reads import Progress, progress
from redundancy.models import UserImport
from redundancy.permissions import can_write, writers_only
from redundancy.selectors import capacity, users
from redundancy.srm.words import say, say_count
from redundancy.views.chrome import Link, Tool
from redundancy.views.confirm import Confirmation, ask, go_to
from redundancy.views.polls import Region, answer

FORM = "import-form"
# Jobs and errors on their pages.
JOBS, PROBLEMS = 50, 100
ACTS = {"import": writes.confirm_import, "cancel": writes.cancel_import}


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def user_import(request: HttpRequest) -> HttpResponse:
    """Take a file of users (POST) and show the job that works on it."""
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportForm(*data)
    if form.is_valid():
        file: UploadedFile[Any] = form.cleaned_data["file"]
        try:
            job = writes.begin_import(
                name=file.name or "",
                chunks=file.chunks(),
                at_once=form.cleaned_data["at_once"],
                actor=request.user.get_username(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            go_on(job)
            return redirect("import_job", job.pk)
    context = {
        "title": say("Import Users"),
        "form": form,
        "form_id": FORM,
        "columns": users_csv.COLUMNS,
        "limit": settings.MAX_IMPORT_MB,
        "tools": [Tool(say("Submit"), "next", form=FORM)],
        "related_links": [Link(say("Jobs"), reverse("import_jobs"))],
    }
    return render(request, "imports/import.html", context, status=422 if form.errors else 200)


@require_safe
def import_jobs(request: HttpRequest) -> HttpResponse:
    """List the last jobs."""
    now = timezone.now()
    context = {
        "title": say("Jobs"),
        "jobs": [progress(job, now) for job in reads.import_jobs()[:JOBS]],
        "tools": [Tool(say("Import Users"), "add", href=reverse("user_import"))]
        if can_write(request.user)
        else [],
    }
    return render(request, "imports/jobs.html", context)


@require_safe
def import_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a job; with ``fragment`` only its live region, or 204 while version ``v`` still holds."""
    region = _region(progress(_job(pk), timezone.now()))
    if "fragment" in request.GET:
        return answer(request, region)
    links = [Link(say("Back To Jobs"), reverse("import_jobs"))]
    context = {**region.context, "title": str(region.aside["job"]), "related_links": links}
    return render(request, "imports/job.html", context)


def _region(shown: Progress) -> Region:
    job = shown.job
    over = say("{job}: {state}. {sentence}", job=str(job), state=shown.label, sentence=job.sentence)
    return Region(
        "imports/_live.html",
        content={"progress": shown},
        aside={
            "job": job,
            "columns": ("", *users_csv.COLUMNS),
            "problems": reads.problems(job)[:PROBLEMS] if job.problems else [],
            "most": PROBLEMS,
            "kept": writes.MOST_PROBLEMS,
        },
        announcement="" if shown.active else over,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def import_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Ask, then import a checked file or cancel it."""
    if act not in ACTS:
        raise Http404
    job, back = _job(pk), reverse("import_job", args=[pk])
    error, effects = "", []
    if request.method == "POST":
        try:
            go_on(ACTS[act](job=job, actor=request.user.get_username()))
        except Refused as refused:
            error = refused.rule
        else:
            if act == "cancel":
                messages.success(request, str(say("Cancelled")))
            return go_to(request, back)
    if act == "import":
        title, submit = say("Import {file}", file=job.file_name), say("Import")
        effects = capacity.of_change(reads.entering(job))
        question = say_count(
            "{count} user of {file} is added, all or none, and logged in at their nodes.",
            "{count:,} users of {file} are added, all or none, and logged in at their nodes.",
            job.rows,
            file=job.file_name,
        )
    else:
        title, submit = say("Cancel {file}", file=job.file_name), say("Drop the File")
        question = say("The file is dropped. Nothing is imported.")
    if error:
        submit, question, effects = "", "", []
    asked = Confirmation(title, request.path, back, submit, question, effects, error=error)
    return ask(request, asked)


@require_safe
def import_problems(request: HttpRequest, pk: int) -> StreamingHttpResponse:  # noqa: ARG001
    """Return the errors of a job as a file."""
    job = _job(pk)
    lines = users_csv.write(reads.problem_lines(job), header=("Line", "Column", "Error"))
    return _download(lines, f"errors-of-import-{pk}.csv")


@require_safe
def user_export(request: HttpRequest) -> HttpResponse:
    """Show what an export is."""
    context = {"title": say("Export Users"), "columns": users_csv.COLUMNS, "totals": users.totals()}
    return render(request, "imports/export.html", context)


@require_safe
def user_export_file(request: HttpRequest) -> StreamingHttpResponse:  # noqa: ARG001
    """Return all users as a file, as it is read: memory does not grow with their number."""
    return _download(users_csv.write(reads.export_rows()), "users.csv")


def _download(lines: Any, name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _job(pk: int) -> UserImport:
    return get_object_or_404(reads.import_jobs(), pk=pk)
