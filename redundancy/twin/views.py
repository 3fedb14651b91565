"""A kept snapshot of a cluster as the lab: what it would be, asked before it is done, and the way back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from redundancy.cluster import reads as clusters
from redundancy.cluster.document import Unusable
from redundancy.cluster.lab_plan import AS_TOLD, Note, Plan, Sort
from redundancy.errors import Refused
from redundancy.models import ClusterSnapshot
from redundancy.permissions import writers_only
from redundancy.srm.words import say, together
from redundancy.twin.reads import kept_copy, obstacles, planned
from redundancy.twin.writes import Replaced, apply_cluster, undo
from redundancy.views.chrome import Link, Tool
from redundancy.views.confirm import Confirmation, ask, go_to

FORM = "apply-form"
# Notes of each kind on the page; the command prints them all.
MOST_NOTES = 200


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def cluster_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the lab that a snapshot would make (GET); put it in the place of the present one (POST)."""
    row = get_object_or_404(clusters.snapshots(), pk=pk)
    try:
        plan = planned(clusters.whole(row))
    except Unusable as unusable:
        why = say("This snapshot cannot be used: {why}", why=str(unusable))
        return _page(request, row, None, why, 409)
    if request.method != "POST":
        return _page(request, row, plan, _refusals(plan))
    as_told = request.POST.get("begin") == AS_TOLD
    try:
        replaced = apply_cluster(
            plan=plan, name=row.title, actor=request.user.get_username(), as_told=as_told
        )
    except Refused as refused:
        return _page(request, row, plan, together(rule for rule, _ in refused.rules), 409)
    messages.success(request, str(say("The lab was replaced: {lab}.", lab=_words(replaced))))
    return redirect("group_list")


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def cluster_undo(request: HttpRequest) -> HttpResponse:
    """Ask before the lab is put back that was replaced (GET); do it (POST)."""
    back, copy = reverse("cluster_snapshots"), kept_copy()
    title = say("Put the Lab Back")
    error = "" if copy else say("No lab is kept that could be put back.")
    if copy is not None and request.method == "POST":
        try:
            replaced = undo(actor=request.user.get_username())
        except Refused as refused:
            error = together(rule for rule, _ in refused.rules)
        else:
            messages.success(
                request, str(say("The lab was put back: {lab}.", lab=_words(replaced)))
            )
            return go_to(request, reverse("group_list"))
    shown = Confirmation(title=title, action=request.path, cancel=back, error=error)
    if copy is not None and not error:
        kept = Replaced(copy.servers, copy.groups, copy.users)
        shown = Confirmation(
            title=title,
            action=request.path,
            cancel=back,
            submit=title,
            question=say("Put the lab back that was replaced?"),
            effects=[
                say(
                    "Kept since {moment} (UTC): {lab}.",
                    moment=f"{copy.made_at:%Y-%m-%d %H:%M}",
                    lab=_words(kept),
                ),
                say("The present lab is lost. The history stays."),
            ],
        )
    return ask(request, shown)


def _page(
    request: HttpRequest, row: ClusterSnapshot, plan: Plan | None, error: str, status: int = 200
) -> HttpResponse:
    able = plan is not None and not plan.refusals
    busy = together(each.rule for each in obstacles()) if able and status == 200 else ""
    tools = [Tool(say("Apply"), "save", form=FORM)] if able else []
    back = reverse("cluster_snapshot", args=[row.pk])
    context = {
        "title": say("Apply as a New Lab"),
        "row": row,
        "plan": plan,
        "lab": _words(Replaced(len(plan.servers), len(plan.groups), len(plan.users)))
        if plan
        else "",
        "notes": _notes(plan) if plan else [],
        "begin_as_told": AS_TOLD,
        "as_told": AS_TOLD in (request.GET.get("begin"), request.POST.get("begin")),
        "form_id": FORM,
        "copy": kept_copy(),
        "status_error": error or busy,
        "tools": tools,
        "related_links": [Link(say("Cluster Snapshot"), back)],
    }
    return render(request, "cluster/apply.html", context, status=status)


def _notes(plan: Plan) -> list[tuple[str, list[Note], int]]:
    """Return the notes by their kind: its heading, those that are shown, and how many more there are."""
    found = []
    for sort in Sort:
        notes = [note for note in plan.notes if note.sort is sort]
        if notes:
            found.append((sort.heading, notes[:MOST_NOTES], max(0, len(notes) - MOST_NOTES)))
    return found


def _refusals(plan: Plan) -> str:
    if not plan.refusals:
        return ""
    rules = [say("{field}: {rule}", field=each.field, rule=each.rule) for each in plan.refusals]
    return together([say("No lab can be made of it."), *rules])


def _words(lab: Replaced) -> str:
    return say(
        "servers {servers:,}, groups {groups:,}, users {users:,}",
        servers=lab.servers,
        groups=lab.groups,
        users=lab.users,
    )
