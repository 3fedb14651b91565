"""*Diagnostics > HA Event History*: what happened, to whom, when and why."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from redundancy.clock import lab_now
from redundancy.history.forms import HistoryForm
from redundancy.history.reads import events
from redundancy.history.reads.events import Page, Place
from redundancy.history.views import compared
from redundancy.srm.words import say
from redundancy.views.chrome import Link
from redundancy.views.exports import csv_file, json_file

APPLICATION = "cupadmin"
TITLE = say("HA Event History")
COLUMNS = (
    "id",
    "lab_time",
    "wall_time",
    "kind",
    "group",
    "node",
    "actor",
    "address",
    "old_state",
    "old_reason",
    "new_state",
    "new_reason",
    "sentence",
    "epoch",
    "inputs",
)


@require_safe
def event_history(request: HttpRequest) -> HttpResponseBase:
    """Show a page of the history; with ``export`` hand out all that the filter lets through."""
    form = HistoryForm(request.GET)
    valid = form.is_valid()
    if valid and (kind := request.GET.get("export")):
        return _export(form, kind)
    shown = Page(())
    if valid:
        shown = events.events_page(
            form.wanted, before=_place(request, "before"), after=_place(request, "after")
        )
    groups, nodes = events.names()
    context = {
        "title": TITLE,
        "application": APPLICATION,
        "form": form,
        "page": shown,
        "group_names": groups,
        "node_names": nodes,
        **_links(form, shown),
    }
    return render(request, "history/history.html", context, status=200 if valid else 400)


@require_safe
def event(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one event with everything that is known of it."""
    shown = get_object_or_404(events.events(), pk=pk)
    around = urlencode({"after": str(Place(shown.at, shown.pk))})
    context = {
        "title": say("HA Event {number}", number=pk),
        "application": APPLICATION,
        "event": shown,
        "compared": compared.compare_event(shown, lab_now()),
        "related_links": [
            Link(say("Newer events"), f"{reverse('event_history')}?{around}"),
            Link(say("Back To HA Event History"), reverse("event_history")),
        ],
    }
    return render(request, "history/event.html", context)


def _place(request: HttpRequest, name: str) -> Place | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    place = Place.parse(text)
    if place is None:
        raise BadRequest(
            say("{name}: must be a place that a link of this page carried.", name=name)
        )
    return place


def _links(form: HistoryForm, shown: Page) -> dict[str, Any]:
    """Return the addresses that the page leads to, each with the same filter."""
    query = form.query

    def to(**more: object) -> str:
        return "?" + urlencode([*query, *((name, str(value)) for name, value in more.items())])

    return {
        "newest": to(),
        "older": to(before=shown.older) if shown.older else "",
        "newer": to(after=shown.newer) if shown.newer else "",
        "as_csv": to(export="csv"),
        "as_json": to(export="json"),
        "filtered": bool(query),
    }


def _export(form: HistoryForm, kind: str) -> HttpResponseBase:
    rows = _rows(form)
    if kind == "csv":
        return csv_file("ha-event-history.csv", COLUMNS, rows)
    if kind == "json":
        return json_file("ha-event-history.json", rows)
    raise BadRequest(say("export: must be csv or json."))


def _rows(form: HistoryForm) -> Iterator[dict[str, Any]]:
    for each in events.everything(form.wanted):
        yield {
            "id": each.pk,
            "lab_time": each.at.isoformat(),
            "wall_time": each.recorded_at.isoformat(),
            "kind": each.kind,
            "group": each.group_name,
            "node": each.node_name,
            "actor": each.actor,
            "address": each.address,
            "old_state": each.old_state,
            "old_reason": each.old_reason,
            "new_state": each.new_state,
            "new_reason": each.new_reason,
            "sentence": each.sentence,
            "epoch": each.epoch,
            "inputs": each.inputs,
        }
