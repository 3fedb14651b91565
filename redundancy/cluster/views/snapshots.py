"""Kept snapshots: their list, the page of one, what was not understood, and deleting."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.cluster import reads, writes
from redundancy.cluster.document import Unusable
from redundancy.cluster.forms import DescribeForm
from redundancy.cluster.lab_plan import AS_TOLD
from redundancy.cluster.views.shown import rest_of_row, shown
from redundancy.models import ClusterSnapshot
from redundancy.permissions import can_write, refuse_read_only, writers_only
from redundancy.srm.words import say
from redundancy.views.chrome import Link, Tool
from redundancy.views.delete import delete, selected_pks
from redundancy.views.find_list import Column, Selection, find_list, show_list
from redundancy.views.paging import pager_of

FORM = "snapshot-form"
FIELDS = {"name": say("Cluster"), "taken": say("Taken"), "note": say("Note")}
COLUMNS = (
    Column(say("Cluster"), "name"),
    Column(say("Taken"), "taken"),
    Column(say("Read (wall time)"), "made"),
    Column(say("Baseline"), "baseline"),
    Column(say("Servers")),
    Column(say("Users"), "users"),
    Column(say("Findings"), "findings"),
    Column(say("Note")),
)
# Lines that were not understood, on a page.
_LINES = 100


def _back() -> list[Link]:
    return [Link(say("Back To Find/List"), reverse("cluster_snapshots"))]


@require_safe
def snapshot_list(request: HttpRequest) -> HttpResponse:
    """Find and list kept snapshots."""
    writable = can_write(request.user)
    listing = find_list(
        request,
        what=say("cluster snapshots"),
        find=reads.find_snapshots,
        fields=FIELDS,
        columns=COLUMNS,
        row_template="cluster/row.html",
        sort="-made",
        selection=Selection(reverse("cluster_snapshot_delete_selected")) if writable else None,
    )
    title = say("Find and List Cluster Snapshots")
    links = [Link(say("Put the Lab Back"), reverse("cluster_undo"))] if writable else []
    return show_list(request, listing, title, add=reverse("cluster_import"), links=links)


@require_http_methods(["GET", "HEAD", "POST"])
def snapshot_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a snapshot; change its name, note and whether it is a baseline (POST)."""
    if request.method == "POST":
        refuse_read_only(request)
    row = _row(pk)
    writable = can_write(request.user) and row.kept
    form = DescribeForm(
        request.POST if request.method == "POST" else None,
        initial={"name": row.name, "note": row.note, "baseline": row.baseline},
        read_only=not writable,
    )
    if request.method == "POST" and not row.kept:
        raise Http404
    saved = form.carry_out(
        lambda: writes.describe(
            snapshot=row,
            name=form.text("name"),
            note=form.text("note"),
            baseline=form.cleaned_data["baseline"],
            actor=request.user.get_username(),
        )
    )
    if saved is not None:
        messages.success(request, str(say("Update successful")))
        return redirect("cluster_snapshot", pk)
    error, told = "", None
    try:
        told = shown(row)
    except Unusable as unusable:
        error = say("This snapshot cannot be shown: {why}", why=str(unusable))
    context = {
        "title": say("Cluster Snapshot"),
        "real": True,
        "row": row,
        "form": form,
        "form_id": FORM,
        "told": told,
        "rest": rest_of_row(row),
        "status_error": error,
        "writable": writable,
        "play": f"{reverse('cluster_apply', args=[pk])}?begin={AS_TOLD}" if writable else "",
        "tools": _tools(row) if writable else [],
        "related_links": [*_back(), *_links(row)],
    }
    return render(request, "cluster/snapshot.html", context, status=422 if form.errors else 200)


def _tools(row: ClusterSnapshot) -> list[Tool]:
    asks = reverse("cluster_snapshot_delete", args=[row.pk])
    return [
        Tool(say("Save"), "save", form=FORM),
        Tool(say("Delete"), "delete", href=asks, dialog=True),
        Tool(say("Apply as a New Lab"), "next", href=reverse("cluster_apply", args=[row.pk])),
    ]


def _links(row: ClusterSnapshot) -> list[Link]:
    """Return the comparisons that this snapshot offers itself for."""
    if not row.kept:
        return [Link(say("What was read"), reverse("cluster_reading", args=[row.batch]))]
    compare = reverse("cluster_compare")
    links = [Link(say("Compare with the lab"), f"{compare}?before={row.pk}&after=lab")]
    others = reads.snapshots().filter(name=row.name)
    if (before := others.filter(pk__lt=row.pk).first()) is not None:
        url = f"{compare}?before={before.pk}&after={row.pk}"
        links.append(Link(say("Compare with the one before"), url))
    base = others.filter(baseline=True).exclude(pk=row.pk).first()
    if base is not None:
        url = f"{compare}?before={base.pk}&after={row.pk}"
        links.append(Link(say("Compare with the baseline"), url))
    return links


@require_safe
def snapshot_rest(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what was not understood when a snapshot was read, page by page."""
    row = _row(pk)
    rest = rest_of_row(row)
    lines = Paginator(rest.missed if rest else (), _LINES).get_page(request.GET.get("page"))
    context = {
        "title": say("What was not understood"),
        "real": True,
        "row": row,
        "rest": rest,
        "lines": lines,
        "pager": pager_of(lines),
        "status_error": "" if rest else say("It cannot be shown: it is damaged."),
        "related_links": [
            Link(say("Cluster Snapshot"), reverse("cluster_snapshot", args=[pk])),
            *_back(),
        ],
    }
    return render(request, "cluster/rest.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def snapshot_delete(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Delete a snapshot after asking, or those selected in the list."""
    found = reads.snapshots(drafts=True)
    chosen = list(found.filter(pk__in=selected_pks(request))) if pk is None else [_row(pk)]
    actor, many = request.user.get_username(), len(chosen) != 1
    return delete(
        request,
        objects=chosen,
        remove=lambda row: writes.delete_snapshot(snapshot=row, actor=actor),
        what=say("Cluster Snapshots") if many else say("Cluster Snapshot"),
        back=reverse("cluster_snapshots"),
    )


def _row(pk: int) -> ClusterSnapshot:
    return get_object_or_404(ClusterSnapshot.objects.defer("people"), pk=pk)
