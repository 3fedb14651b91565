"""*Who served a user?*: a page and exports, from the recorded moves."""

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy.clock import lab_datetime, lab_now
from redundancy.forms.whereabouts import WhereaboutsForm
from redundancy.models import PresenceUser
from redundancy.selectors.users import user_called
from redundancy.selectors.whereabouts import Stay, stay_at, stays
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.exports import csv_file

TITLE = say("Who Served a User?")
# Columns of the exports, besides the user.
_CELLS: dict[str, Callable[[Stay], object]] = {
    "from": lambda stay: _time(stay.begin),
    "until": lambda stay: _time(stay.end),
    "served_by": lambda stay: stay.server,
    "assigned_to": lambda stay: stay.home,
    "why": lambda stay: stay.why,
    "group": lambda stay: stay.group,
    "epoch": lambda stay: stay.epoch,
    "event": lambda stay: stay.event,
    "logged_in_not_before": lambda stay: None if stay.comes_by_itself else _time(stay.earliest),
    "logged_in_not_after": lambda stay: None if stay.comes_by_itself else _time(stay.latest),
}


@require_safe
def user_history(request: HttpRequest) -> HttpResponseBase:
    """Show who served the user ``userid``, at the moment ``at`` or all the time.

    ``format``: csv or json for an export of the same.
    """
    form = WhereaboutsForm(request.GET if "userid" in request.GET else None)
    user, found, asked = None, [], None
    if form.is_bound and form.is_valid():
        user = user_called(form.text("userid")).first()
        if user is None:
            form.add_error(
                "userid", say("There is no user {name!r}.", name=form.text("userid")[:40])
            )
        else:
            found = stays(user)
            asked = form.cleaned_data["at"]
    now = lab_now()
    moment = asked.timestamp() if asked else now
    future = moment > now
    # Of what is still to come nothing is known.
    stay = None if future else stay_at(found, moment)
    chosen = found
    if asked:
        chosen = [stay] if stay else []
    if user is not None and request.GET.get("format") in _EXPORTS:
        return _EXPORTS[request.GET["format"]](user, chosen)
    query = request.GET.copy()
    query.pop("format", None)
    context = {
        "title": TITLE,
        "form": form,
        "found_user": user,
        "asked": bool(asked),
        "future": future,
        "moment": moment,
        "stay": stay,
        "client": stay.client(moment) if stay else "",
        "stays": found[::-1],
        "exports": [(name.upper(), f"?{query.urlencode()}&format={name}") for name in _EXPORTS],
        "related_links": [
            Link(say("Assign Presence Users"), reverse("user_list")),
            Link(say("Presence Sessions"), reverse("session_list")),
        ],
    }
    return render(request, "users/history.html", context, status=422 if form.errors else 200)


def _row(user: PresenceUser, stay: Stay) -> dict[str, object]:
    return {"user_id": user.userid, **{name: cell(stay) for name, cell in _CELLS.items()}}


def _time(moment: float | None) -> str | None:
    return None if moment is None else lab_datetime(moment).isoformat(timespec="milliseconds")


def _csv(user: PresenceUser, chosen: Sequence[Stay]) -> HttpResponseBase:
    return csv_file("who-served.csv", ["user_id", *_CELLS], (_row(user, stay) for stay in chosen))


def _json(user: PresenceUser, chosen: Sequence[Stay]) -> HttpResponseBase:
    return JsonResponse({"user_id": user.userid, "stays": [_row(user, stay) for stay in chosen]})


_EXPORTS = {"csv": _csv, "json": _json}
