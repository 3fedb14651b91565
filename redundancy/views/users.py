"""*User Management > Assign Presence Users*: find users, and assign them to nodes."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.catalog import ASSIGNMENT_MODE
from redundancy.errors import Refused
from redundancy.models import PresenceUser, Server
from redundancy.operations.assignment import assign_all, assign_users, check_mode, rebalance
from redundancy.operations.users import check_cluster
from redundancy.permissions import can_write, writers_only
from redundancy.selectors import capacity, nodes, spread, users
from redundancy.selectors.effects import users as users_in_words
from redundancy.srm.words import say, say_count
from redundancy.views import user_effects
from redundancy.views.choices import choices
from redundancy.views.chrome import Link, Tool
from redundancy.views.confirm import Confirmation, ask, go_to, is_htmx
from redundancy.views.delete import nothing_to_do, selected_pks
from redundancy.views.find_list import (
    Column,
    Selection,
    criteria_pairs,
    find_list,
    list_context,
    read_criteria,
    return_to,
)
from redundancy.views.numbers import whole_number

TITLE = say("Assign Presence Users")
# Stands for no node in the drop-down of nodes.
NOBODY = "none"
FIELDS = {
    "userid": say("User ID"),
    "name": say("Display Name"),
    "im_address": say("IM Address"),
    "home": say("Assigned Node"),
    "active": say("Active Node"),
    "session": say("Session"),
}
COLUMNS = tuple(Column(label, name) for name, label in FIELDS.items())

# In the address: the button's label, what would be done, and what does it.
SPREADS: dict[str, tuple[str, Callable[[], spread.SpreadPlan], Callable[..., int]]] = {
    "assign-all": (say("Assign All Users"), spread.all_unassigned, assign_all),
    "rebalance": (say("Rebalance"), spread.rebalancing, rebalance),
}

Fields = list[tuple[str, object]]


@require_safe
def user_list(request: HttpRequest) -> HttpResponse:
    """Find and list users."""
    writable = can_write(request.user)
    assign = reverse("user_assign")
    listing = find_list(
        request,
        what=say("users"),
        find=users.find_users,
        fields=FIELDS,
        columns=COLUMNS,
        row_template="users/row.html",
        details=users.places,
        selection=Selection(assign, say("Assign Selected Users"), "assign") if writable else None,
    )
    found = f"{assign}?{urlencode({'found': 1, 'list': listing.here})}&{listing.criteria_query}"
    context = {
        "title": say("Find and List Users"),
        "totals": users.totals(),
        "tools": [
            Tool(say("Assign All Found Users"), "assign", href=found, dialog=True),
            *(
                Tool(label, "assign", href=reverse("user_spread", args=[how]), dialog=True)
                for how, (label, *_) in SPREADS.items()
            ),
        ],
        "related_links": [
            Link(say("Presence Sessions"), reverse("session_list")),
            Link(say("Who Served a User?"), reverse("user_history")),
        ],
        **list_context(listing),
    }
    return render(request, "users/list.html", context, status=listing.status)


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def user_assign(request: HttpRequest) -> HttpResponse:
    """Ask for the node, then name what the assignment does (GET); assign (POST).

    ``to`` is the key of the node, or ``none``.
    """
    asked = request.POST if request.method == "POST" else request.GET
    back = return_to(asked, reverse("user_list"))
    try:
        chosen, carried = _chosen(request, asked)
        if not chosen.exists():
            raise Refused(nothing_to_do(request))
        check_cluster()
        if "to" not in asked:
            return _ask_where(request, chosen, carried, back)
        node = _node(asked["to"])
        if request.method != "POST":
            return _ask(request, chosen, node, [*carried, ("to", asked["to"])], back)
        changed = assign_users(users=chosen, node=node, actor=request.user.get_username())
    except Refused as refused:
        refusal = Confirmation(title=TITLE, action=request.path, cancel=back, error=refused.rule)
        return ask(request, refusal)
    done = (
        say_count(
            "Update successful: {count} user assigned to {node}",
            "Update successful: {count:,} users assigned to {node}",
            changed,
            node=node.name,
        )
        if node
        else say_count(
            "Update successful: {count} user unassigned",
            "Update successful: {count:,} users unassigned",
            changed,
        )
    )
    messages.success(request, str(done))
    return go_to(request, back)


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def user_spread(request: HttpRequest, how: str) -> HttpResponse:
    """Ask, naming what the User Assignment Mode makes of it, then assign all users or rebalance."""
    if how not in SPREADS:
        raise Http404
    label, plan_of, carry_out = SPREADS[how]
    back = reverse("user_list")
    shown = Confirmation(title=label, action=request.path, cancel=back)
    try:
        mode = check_mode()
        check_cluster()
        if request.method == "POST":
            changed = carry_out(actor=request.user.get_username())
            done = say_count(
                "Update successful: {count} user assigned",
                "Update successful: {count:,} users assigned",
                changed,
            )
            messages.success(request, str(done))
            return go_to(request, back)
        plan = plan_of()
        if not plan.users:
            raise Refused(say("{act}: no user needs another node.", act=label))
    except Refused as refused:
        return ask(request, replace(shown, error=refused.rule))
    effects = [
        say("{parameter}: {mode}.", parameter=ASSIGNMENT_MODE.name, mode=mode.value),
        *user_effects.of_spread(plan, dict(nodes.nodes().values_list("pk", "name"))),
        *capacity.of_change(plan.entering, plan.leaving),
    ]
    question = say("{act} now?", act=label)
    return ask(request, replace(shown, submit=label, question=question, effects=effects))


def _chosen(request: HttpRequest, query: QueryDict) -> tuple[QuerySet[PresenceUser], Fields]:
    """Return the users that are meant, and the fields that say so in the next request."""
    carried: Fields = [("list", query["list"])] if "list" in query else []
    if "found" in query:
        criteria = read_criteria(query)
        return users.find_users(criteria), [*carried, ("found", 1), *criteria_pairs(criteria)]
    pks = selected_pks(request)
    chosen = users.find_users().filter(pk__in=pks)
    return chosen, [*carried, *(("pk", pk) for pk in pks)]


def _node(given: str) -> Server | None:
    if given == NOBODY:
        return None
    number = whole_number(given)
    node = nodes.node(number) if number is not None else None
    if node is None:
        raise Refused(say("Assigned Node: choose a node of the list."), field="to")
    return node


def _ask_where(
    request: HttpRequest, chosen: QuerySet[PresenceUser], carried: Fields, back: str
) -> HttpResponse:
    in_dialog = is_htmx(request)
    context = {
        "title": TITLE,
        "in_dialog": in_dialog,
        "number": users_in_words(chosen.count()),
        "choices": choices(request, nodes.nodes().select_related("group")),
        "action": request.path,
        "nobody": NOBODY,
        "fields": carried,
        "back": back,
    }
    return render(request, "users/_where.html" if in_dialog else "users/where.html", context)


def _ask(
    request: HttpRequest,
    chosen: QuerySet[PresenceUser],
    node: Server | None,
    carried: Fields,
    back: str,
) -> HttpResponse:
    does = users.assignment(chosen, node)
    number = users_in_words(does.users)
    return ask(
        request,
        Confirmation(
            title=TITLE,
            action=request.path,
            cancel=back,
            submit=say("Assign") if node else say("Unassign"),
            question=say("Assign {users} to {node}?", users=number, node=node.name)
            if node
            else say("Unassign {users}?", users=number),
            effects=[*user_effects.of_assignment(does, node), *_too_many(chosen, node)],
            fields=carried,
        ),
    )


def _too_many(chosen: QuerySet[PresenceUser], node: Server | None) -> list[str]:
    """Return which limit of the vendor the assignment passes."""
    if node is None:
        return []
    leaving = users.homes_of(chosen)
    return capacity.of_change({node.pk: sum(leaving.values())}, leaving)
