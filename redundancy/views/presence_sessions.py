"""*User Management > Presence Sessions*: who is signed in at each node; sign users in and out by hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.errors import Refused
from redundancy.forms.presence import ACTS, SignForm
from redundancy.models import Server
from redundancy.operations import presence
from redundancy.permissions import writers_only
from redundancy.selectors import nodes, sessions
from redundancy.selectors.users import user_called
from redundancy.srm.words import say, say_count
from redundancy.views.choices import choices, offer
from redundancy.views.chrome import Link
from redundancy.views.confirm import Confirmation, ask, go_to
from redundancy.views.numbers import whole_number
from redundancy.views.paging import pager_of

TITLE = say("Presence Sessions")
# Servers on one page.
ROWS = 50


@dataclass(frozen=True, slots=True)
class _Sign:
    """What was asked for: in words, and how to do it; ``do`` returns how many users it concerned."""

    question: str
    effects: list[str]
    do: Callable[..., int]


@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """Show the sessions by node."""
    return _page(request, SignForm(initial={"percent": 10}))


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def session_sign(request: HttpRequest) -> HttpResponse:
    """Ask before users are signed in or out (GET); do it (POST)."""
    form = SignForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return _page(request, form, status=422)
    sign = _read(form)
    if sign is None:
        form.add_error("userid", say("There is no user {name!r}.", name=form.text("userid")[:40]))
        return _page(request, form, status=422)
    act, back = form.text("act"), reverse("session_list")
    shown = Confirmation(
        title=ACTS[act],
        action=request.path,
        cancel=back,
        question=sign.question,
        fields=[(name, form.data.get(name, "")) for name in form.fields],
    )
    if request.method == "POST":
        try:
            number = sign.do(actor=request.user.get_username())
        except Refused as refused:
            return ask(request, replace(shown, error=refused.rule))
        done = (
            say_count("{count} user was signed out.", "{count:,} users were signed out.", number)
            if act == "out"
            else say_count("{count} user was signed in.", "{count:,} users were signed in.", number)
        )
        messages.success(request, str(done))
        return go_to(request, back)
    return ask(request, replace(shown, submit=ACTS[act], effects=sign.effects))


def _page(request: HttpRequest, form: SignForm, status: int = 200) -> HttpResponse:
    offered = choices(request, nodes.nodes(), whole_number(str(form["node"].value() or "")))
    offer(form.fields["node"], offered)
    page = Paginator(nodes.nodes(), ROWS).get_page(request.GET.get("page"))
    context = {
        "title": TITLE,
        "form": form,
        "choices": offered,
        "acts": ACTS,
        "rows": sessions.by_node(page),
        "pager": pager_of(page),
        "related_links": [
            Link(say("Assign Presence Users"), reverse("user_list")),
            Link(say("Who Served a User?"), reverse("user_history")),
        ],
    }
    return render(request, "users/sessions.html", context, status=status)


def _read(form: SignForm) -> _Sign | None:
    """Return what the valid form asks for; None when there is no such user."""
    out = form.text("act") == "out"
    title = ACTS[form.text("act")]
    node, percent = form.cleaned_data["node"], form.cleaned_data["percent"]
    if node is not None:
        return _Sign(
            say(
                "{act} {percent} % of the users assigned to {node}?",
                act=title,
                percent=percent,
                node=node.name,
            ),
            _effects_of_share(node, percent, out=out),
            partial(presence.sign_share, node=node, percent=percent, out=out),
        )
    users = user_called(form.text("userid"))
    user = users.first()
    if user is None:
        return None
    return _Sign(
        say("{act} {user}?", act=title, user=user.userid),
        [_LOSES if out else _gets(user.home_id)],
        partial(presence.sign, users=users, out=out),
    )


_LOSES = say(
    "Signed-out users have no session: a failover moves nothing of theirs until they are signed in."
)
_GETS = say(
    "The client logs in at once at the node that serves the user now, with the current re-login limits."
)


def _effects_of_share(node: Server, percent: int, *, out: bool) -> list[str]:
    home = sessions.of_homes([node.pk])[node.pk]
    able = home.signed_in if out else home.assigned - home.signed_in
    number = min(presence.share(home.assigned, percent), able) if home.assigned else 0
    if out:
        picked = say_count(
            "{count} user of the {able:,} who are signed in, picked at random.",
            "{count:,} users of the {able:,} who are signed in, picked at random.",
            number,
            able=able,
        )
    else:
        picked = say_count(
            "{count} user of the {able:,} who are signed out, picked at random.",
            "{count:,} users of the {able:,} who are signed out, picked at random.",
            number,
            able=able,
        )
    return [picked, _LOSES if out else _gets(node.pk)]


def _gets(home: int | None) -> str:
    """Return what becomes of who signs in and is assigned to the node ``home``."""
    return sessions.why_no_login(home) or _GETS
