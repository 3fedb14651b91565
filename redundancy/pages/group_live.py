"""The live region of a presence redundancy group, and its actions."""

import math
from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from redundancy.errors import Refused
from redundancy.history.reads import incidents
from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server
from redundancy.operations import actions
from redundancy.pages.group_logins import logins_at
from redundancy.pages.login_chart import draw
from redundancy.permissions import writers_only
from redundancy.selectors import answers, deployed, effects, groups, live, wording
from redundancy.selectors.logins import last_move, logins_of
from redundancy.selectors.observing import ObserverView
from redundancy.selectors.real_clients import real_clients, real_return
from redundancy.selectors.stamp import Stamp, holds_until, stamp
from redundancy.srm.words import say
from redundancy.views.confirm import Confirmation, ask, is_htmx
from redundancy.views.numbers import whole_number
from redundancy.views.polls import Region, poll

# Marks a message that the page shows until SRM has answered.
WAITING = "waiting"
# Lab seconds for which the page goes on showing the plot of the logins when everybody is back.
AFTERWARDS = 1800.0


def find_group(pk: int) -> RedundancyGroup:
    """Return a group; 404 when there is none."""
    return get_object_or_404(groups.find_groups(), pk=pk)


def live_group(pk: int, *, seeing: bool = True, at: Stamp | None = None) -> live.GroupLive:
    """Return the group as it is shown, as ``group_live`` says; 404 when it was deleted since it was looked up."""
    try:
        return live.group_live(pk, seeing=seeing, at=at)
    except RedundancyGroup.DoesNotExist:
        raise Http404 from None


def live_region(group: RedundancyGroup, watch: ObserverView, *, last: int | None = None) -> Region:
    """Return the live region of ``group``; what happened after the event ``last`` is announced."""
    now = watch.lab_now
    # Before anything else is read: what changes meanwhile has another stamp.
    at = stamp()
    shown = live_group(group.pk, seeing=watch.ok, at=at)
    move = last_move(group.pk)
    logins = logins_of(move, now, afterwards=AFTERWARDS, at=at)
    gone = logins.gone_at(AFTERWARDS) if logins else math.inf
    new = _new_events(shown, last)
    outcome = answers.outcome(new)
    return Region(
        "groups/_live.html",
        content={
            "group": group,
            "live": shown,
            "observer": watch,
            "logins": logins,
            "moved": move is not None,
            "deployed": deployed.of_group(group.pk),
            "returned": real_return(logins.move, now) if logins else None,
            "real": real_clients([row.server_id for row in shown.rows], now),
        },
        aside={
            "chart": draw(logins) if logins else None,
            # Opened and closed with a change of state: the version knows. Most polls do not ask.
            "incident": SimpleLazyObject(lambda: incidents.open_incident(group.pk)),
            "last_event": max((event.pk for event in shown.events), default=0),
        },
        until=lambda now: min(gone, holds_until(now, logins_at(group.pk, logins))),
        announcement=_announcement(new),
        events={} if outcome is None else {"answered": outcome},
    )


def fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the live region, or 204 while version ``v`` still holds.

    Changes of state after the event ``e`` are announced.
    """
    last = whole_number(request.GET.get("e", ""))
    # Its servers are read with their states.
    found = groups.by_name()
    return poll(request, lambda w: live_region(get_object_or_404(found, pk=pk), w, last=last))


def _new_events(shown: live.GroupLive, last: int | None) -> list[HaEvent]:
    """Return what happened after the event ``last``, in order."""
    new = [event for event in shown.events if last is not None and event.pk > last]
    return sorted(new, key=lambda event: event.pk)


def _announcement(new: Sequence[HaEvent]) -> str:
    return "; ".join(
        f"{event.node_name}: {event.new_state}"
        + (f", {event.new_reason}" if event.new_reason != event.new_state else "")
        for event in new
        if event.kind == EventKind.STATE
    )


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def group_action(request: HttpRequest, pk: int, node: int, action: str) -> HttpResponse:
    """Ask for a failover, fallback or recovery, naming its effects (GET); request it (POST)."""
    group = find_group(pk)
    shown = live_group(pk)
    rows = {row.server_id: row for row in shown.rows}
    if node not in rows or action not in wording.ACTIONS:
        raise Http404
    row = rows.pop(node)
    peer = next(iter(rows.values()), None)
    servers = {server.pk: server for server in group.servers.all()}
    back = reverse("group_edit", args=[pk])
    label = wording.ACTIONS[action]
    name = group.name if action == "recover" else row.name
    subject = say("{action} of {name}", action=label, name=name)
    error = ""
    if request.method == "POST":
        try:
            _request(action, group, servers[node], _serial(request), request.user.get_username())
        except Refused as refused:
            error = refused.rule
        else:
            return requested(
                request, back, say("{subject} was requested; waiting for SRM.", subject=subject)
            )
    elif row.action != action:
        shown_state = ", ".join(filter(None, (row.state, row.reason)))
        error = (row.withheld if action == "failover" else "") or say(
            "{subject} is not offered now; the state of {row} is {shown_state}.",
            subject=subject,
            row=row.name,
            shown_state=shown_state,
        )
    return ask(
        request,
        Confirmation(
            title=say("{action} {name}", action=label, name=name),
            action=request.path,
            cancel=back,
            submit="" if error or peer is None else label,
            effects=effects.of_action(action, row, peer, servers) if peer and not error else [],
            fields=[("serial", row.serial)],
            error=error,
        ),
    )


def _serial(request: HttpRequest) -> int:
    serial = whole_number(request.POST.get("serial", ""))
    if serial is None:
        raise BadRequest(say("serial: must be the number the confirmation carried."))
    return serial


def _request(action: str, group: RedundancyGroup, node: Server, serial: int, actor: str) -> None:
    if action == "recover":
        actions.request_recover(group=group, actor=actor)
        return
    request = {"failover": actions.request_failover, "fallback": actions.request_fallback}[action]
    request(node=node, serial=serial, actor=actor)


def requested(request: HttpRequest, back: str, said: str) -> HttpResponse:
    """Close the dialog and leave the page as it is, or go back to it; say so until SRM answers."""
    if is_htmx(request):
        return trigger_client_event(HttpResponse(status=204), "requested", {"value": str(said)})
    messages.info(request, str(said), extra_tags=WAITING)
    return redirect(back)
