"""*Bulk Administration > Import Cluster*: read files or a pasted output, or ask; show what that tells, keep it."""

import io
import logging
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, BinaryIO

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from redundancy.cluster import reads, writes
from redundancy.cluster.assembling import assemble
from redundancy.cluster.forms import KeepForm, ReadForm
from redundancy.cluster.reader.reading import Reading, read_streams
from redundancy.cluster.reader.sources import LARGEST, MOST_FILES, Unreadable
from redundancy.cluster.views.shown import Rest, rest_of_reading, rest_of_row
from redundancy.errors import Refused
from redundancy.models import ClusterSnapshot
from redundancy.permissions import can_write, refuse_read_only, writers_only
from redundancy.pull.pulling import pull
from redundancy.pull.sources import PullFailed, Source, check
from redundancy.srm.words import say, say_count, together
from redundancy.views.chrome import Link, Tool

logger = logging.getLogger(__name__)

FORM, KEEP_FORM = "read-form", "keep-form"
# Lines that were not understood, where nothing was.
_FIRST = 20
# Reading takes the processor and some memory: one at a time in a process.
_reading = threading.Lock()
# So does asking take a thread of the server, for some time: one at a time, and no longer than so many seconds.
_asking = threading.Lock()
_SECONDS = 55.0


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
@sensitive_post_parameters("password")
def cluster_import(request: HttpRequest) -> HttpResponse:
    """Read files or a pasted output, or ask a server (POST), and go to what they tell."""
    form = ReadForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    nothing: Rest | None = None
    if form.is_valid():
        try:
            actor, source = request.user.get_username(), form.source()
            reading = _read(_streams(form) if source is None else _answers(form, source, actor))
            snapshots = assemble(reading)
            if snapshots:
                rows = writes.draft(
                    reading=reading, snapshots=snapshots, name=form.text("name"), actor=actor
                )
                if source is not None:
                    tell = messages.success if source.verify else messages.warning
                    tell(request, str(source.trust))
                return redirect("cluster_reading", rows[0].batch)
        except Refused as refused:
            form.refuse(refused)
        else:
            nothing = rest_of_reading(reading)
            form.add_error(None, say("Files: nothing in them tells of a cluster."))
    context = {
        "title": say("Import Cluster"),
        "form": form,
        "form_id": FORM,
        "nothing": nothing,
        "first": nothing.missed[:_FIRST] if nothing else (),
        "limit": LARGEST // 1024 // 1024,
        "most_files": MOST_FILES,
        "tools": [Tool(say("Read"), "next", form=FORM)],
        "related_links": [Link(say("Cluster Snapshots"), reverse("cluster_snapshots"))],
    }
    return render(request, "cluster/import.html", context, status=422 if form.errors else 200)


@sensitive_variables()
def _answers(form: ReadForm, source: Source, actor: str) -> Iterable[tuple[str, BinaryIO]]:
    """Return what a server tells; Refused where it tells nothing, or another one is being asked.

    Whom it was tried with, and what came of it, goes into the history.
    """
    password = form.text("password")
    try:
        check(source, password)
    except PullFailed as failed:
        raise Refused(failed.rule, field="host") from None
    if not _asking.acquire(blocking=False):
        rule = say("Host: another cluster is being asked now. Try again in a minute.")
        raise Refused(rule, field="host")
    logger.info("%s lets %s be asked by %s, as %s", actor, source.host, source.kind, source.user)
    told = partial(
        writes.note_asked, way=source.kind, host=source.host, user=source.user, actor=actor
    )
    try:
        texts = pull(source, password, seconds=_SECONDS)
    except PullFailed as failed:
        told(outcome=failed.rule)
        raise Refused(failed.rule, field="host") from None
    finally:
        _asking.release()
    lines = sum(data.count(b"\n") for _, data in texts)
    told(outcome=together([source.trust, say("It answered: {lines:,} lines.", lines=lines)]))
    return [(name, io.BytesIO(data)) for name, data in texts]


def _read(streams: Iterable[tuple[str, BinaryIO]]) -> Reading:
    """Return what was sent; Refused where it cannot be used, or another reading is going on."""
    if not _reading.acquire(blocking=False):
        raise Refused(say("Files: another cluster is being read now. Try again in a minute."))
    try:
        return read_streams(streams)
    except Unreadable as error:
        rule = say("Files: {file}: {rule}", file=error.file or "-", rule=error.rule)
        raise Refused(rule, field="file") from None
    finally:
        _reading.release()


def _streams(form: ReadForm) -> Iterator[tuple[str, BinaryIO]]:
    for given in form.given():
        stream: Any = given.file
        yield given.name or "-", stream
    pasted = form.text("pasted")
    if pasted.strip():
        yield "pasted.txt", io.BytesIO(pasted.encode("utf-8", "replace"))


@require_http_methods(["GET", "HEAD", "POST"])
def cluster_reading(request: HttpRequest, batch: str) -> HttpResponse:
    """Show the snapshots that were read at one go, and keep them (POST)."""
    if request.method == "POST":
        refuse_read_only(request)
    rows = list(reads.reading(batch)) if len(batch) <= 32 else []
    if not rows:
        raise Http404
    drafts = [row for row in rows if not row.kept]
    writable = can_write(request.user) and bool(drafts)
    sent = request.POST if request.method == "POST" else None
    form = KeepForm(sent, initial={"name": _one_name(rows)})
    kept = form.carry_out(
        lambda: writes.keep(
            rows=drafts,
            name=form.text("name"),
            note=form.text("note"),
            actor=request.user.get_username(),
        )
    )
    if kept is not None:
        done = say_count("{count} snapshot kept", "{count} snapshots kept", len(kept))
        messages.success(request, str(done))
        if len(kept) == 1:
            return redirect("cluster_snapshot", kept[0].pk)
        return redirect("cluster_snapshots")
    context = {
        "title": say("What was read"),
        "real": True,
        "form": form,
        "form_id": KEEP_FORM,
        "rows": rows,
        "writable": writable,
        "hours": int(writes.DRAFT.total_seconds() // 3600),
        "rest": rest_of_row(rows[0]),
        "tools": [Tool(say("Keep"), "save", form=KEEP_FORM)] if writable else [],
        "related_links": [Link(say("Cluster Snapshots"), reverse("cluster_snapshots"))],
    }
    return render(request, "cluster/reading.html", context, status=422 if form.errors else 200)


def _one_name(rows: list[ClusterSnapshot]) -> str:
    """Return the name of all of them; empty where they have several."""
    names = {row.name for row in rows}
    return names.pop() if len(names) == 1 else ""
