"""*System > Presence Redundancy Groups*: find, add, edit, delete."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.errors import Refused
from redundancy.forms.groups import GroupForm, values_of
from redundancy.models import RedundancyGroup
from redundancy.operations.groups import add_group, delete_group, edit_group
from redundancy.operations.trial import try_out
from redundancy.pages.enable import STARTING
from redundancy.pages.group_live import WAITING, find_group, fragment, live_region
from redundancy.parameters.views import pair
from redundancy.permissions import can_write, refuse_read_only, writers_only
from redundancy.planned.reads.confirming import Switch, before_leaving, before_switching, both
from redundancy.planned.views import preflight
from redundancy.selectors import effects, groups, observing
from redundancy.selectors.cluster import outlines_of
from redundancy.srm.words import say
from redundancy.views.chrome import Link, Tool
from redundancy.views.confirm import Confirmation, ask
from redundancy.views.delete import delete, selected_pks
from redundancy.views.find_list import Column, Selection, find_list, show_list

FORM = "group-form"
TITLE = say("Presence Redundancy Group Configuration")
FIELDS = {"name": say("Name"), "description": say("Description")}
COLUMNS = (
    Column(say("Name"), "name"),
    Column(say("Description"), "description"),
    Column(say("Presence Servers")),
    Column(say("High Availability"), "ha"),
    Column(say("State")),
)


def _back() -> list[Link]:
    return [Link(say("Back To Find/List"), reverse("group_list"))]


@require_safe
def group_list(request: HttpRequest) -> HttpResponse:
    """Find and list presence redundancy groups."""
    listing = find_list(
        request,
        what=say("presence redundancy groups"),
        # The servers of a row are told with their states.
        find=lambda *asked: groups.find_groups(*asked).prefetch_related(None),
        fields=FIELDS,
        columns=COLUMNS,
        row_template="groups/row.html",
        details=lambda keys: outlines_of(keys, seeing=observing.sees()),
        selection=Selection(reverse("group_delete_selected")) if can_write(request.user) else None,
    )
    return show_list(
        request, listing, say("Find and List Presence Redundancy Groups"), add=reverse("group_add")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def group_add(request: HttpRequest) -> HttpResponse:
    """Add a group."""
    form = GroupForm(request.POST if request.method == "POST" else None)
    group = form.carry_out(lambda: add_group(actor=request.user.get_username(), **form.values()))
    if group is not None:
        messages.success(request, str(say("Add successful")))
        return redirect("group_edit", group.pk)
    context = {
        "title": TITLE,
        "form": form,
        "form_id": FORM,
        "tools": [Tool(say("Save"), "save", form=FORM)],
        "related_links": _back(),
    }
    return render(request, "groups/edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def group_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a group and change it; with ``fragment`` answer only its live region."""
    if request.method != "POST" and "fragment" in request.GET:
        return fragment(request, pk)
    group = find_group(pk)
    if request.method == "POST":
        refuse_read_only(request)
    writable = can_write(request.user)
    form = GroupForm(
        request.POST if request.method == "POST" else None,
        group=group,
        initial=values_of(group),
        read_only=not writable,
    )
    # The check box stands in its own fieldset, outside the form's element.
    form.fields["ha_enabled"].widget.attrs["form"] = FORM
    if request.method == "POST" and form.is_valid():
        answer = _save(request, group, form)
        if answer is not None:
            return answer
    context = {
        "title": TITLE,
        "form": form,
        "form_id": FORM,
        "group": group,
        "tools": _tools(group) if writable else [],
        "related_links": [*_back(), *pair.links(group)],
        # With HA on the table says how the nodes are.
        **({} if group.ha_enabled else preflight.panel(group).context),
        **live_region(group, observing.observer()).context,
    }
    return render(request, "groups/edit.html", context, status=422 if form.errors else 200)


def _save(request: HttpRequest, group: RedundancyGroup, form: GroupForm) -> HttpResponse | None:
    """Save the form; return None when it was refused, with the rule in the form."""
    if "confirmed" not in request.POST:
        leaving = _leaving(request, group, form)
        switch = both(before_leaving(group, leaving), _switch(group, on=form.ha()))
        if switch is not None:
            return _ask(request, switch)
    before, actor = group.ha_enabled, request.user.get_username()
    saved = form.carry_out(
        lambda: edit_group(group=group, ha_enabled=form.ha(), actor=actor, **form.values())
    )
    if saved is None:
        return None
    messages.success(request, str(say("Update successful")))
    if saved.ha_enabled and not before:
        messages.info(request, str(STARTING), extra_tags=WAITING)
    return redirect("group_edit", group.pk)


def _switch(group: RedundancyGroup, *, on: bool | None) -> Switch | None:
    try:
        return before_switching(group, on=on)
    except RedundancyGroup.DoesNotExist:
        raise Http404 from None


def _leaving(request: HttpRequest, group: RedundancyGroup, form: GroupForm) -> list[str]:
    """Return the nodes that leave by saving ``form``; none when saving is refused anyway."""
    chosen = form.values()
    stay = {server.pk for server in (chosen["first"], chosen["second"]) if server}
    names = [server.name for server in group.servers.order_by("slot") if server.pk not in stay]
    if names:
        actor = request.user.get_username()
        try:
            try_out(lambda: edit_group(group=group, ha_enabled=form.ha(), actor=actor, **chosen))
        except Refused:
            return []
    return names


def _ask(request: HttpRequest, switch: Switch) -> HttpResponse:
    """Ask before the form is saved that was sent; a yes sends it again."""
    typed = [(k, v) for k, v in request.POST.items() if k != "csrfmiddlewaretoken"]
    return ask(
        request,
        Confirmation(
            title=switch.what,
            action=request.path,
            cancel=request.path,
            submit=switch.what,
            question=switch.question,
            effects=switch.effects,
            fields=[*typed, ("confirmed", "1")],
        ),
    )


def _tools(group: RedundancyGroup) -> list[Tool]:
    return [
        Tool(say("Save"), "save", form=FORM),
        Tool(say("Delete"), "delete", href=reverse("group_delete", args=[group.pk]), dialog=True),
        Tool(say("Add New"), "add", href=reverse("group_add")),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def group_delete(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Delete a group after asking, or those selected in the list."""
    selected = groups.find_groups().filter(pk__in=selected_pks(request))
    chosen = list(selected) if pk is None else [find_group(pk)]
    actor, many = request.user.get_username(), len(chosen) != 1
    return delete(
        request,
        objects=chosen,
        remove=lambda group: delete_group(group=group, actor=actor),
        what=say("Presence Redundancy Groups") if many else say("Presence Redundancy Group"),
        back=reverse("group_list"),
        effects=effects.of_deleting(chosen),
    )
