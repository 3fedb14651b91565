"""Tables of what happened: to look at."""

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html

from redundancy.admin.base import ReadOnlyAdmin, column, time_column
from redundancy.models import (
    CollectionPiece,
    Forecast,
    HaEvent,
    Incident,
    LogCollection,
    PlannedRestart,
    SessionMove,
    SignIn,
    TracePiece,
    UserRecord,
)
from redundancy.srm.words import say


def _link(page: str, row: Model, label: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse(page, args=[row.pk]), label)


@admin.register(HaEvent)
class HaEventAdmin(ReadOnlyAdmin):
    """The history of high availability."""

    list_display = (
        "at",
        "kind",
        "group_name",
        "node_name",
        "sentence",
        "new_state",
        "new_reason",
        "actor",
        "address",
        "page",
    )
    list_filter = ("kind", "at")
    search_fields = ("sentence__english", "group_name", "node_name", "actor", "address")

    @column(say("Page"))
    def page(self, event: HaEvent) -> str:
        """Return a link to the page of the event."""
        return _link("event", event, say("Event {number}", number=event.pk))


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Failovers with everything that belongs to them."""

    list_display = (
        "opened_at",
        "closed_at",
        "group_name",
        "node_name",
        "reason",
        "cause",
        "report",
    )
    list_filter = ("reason", "ended", "opened_at")
    search_fields = ("group_name", "node_name", "cause__english")

    @column(say("Report"))
    def report(self, incident: Incident) -> str:
        """Return a link to the page that tells of it."""
        return _link("incident", incident, say("Report"))


@admin.register(SessionMove)
class SessionMoveAdmin(ReadOnlyAdmin):
    """Who served the users of each group, and since when."""

    list_display = ("moment", "group", "epoch", "serves", "moved", "lower", "upper")
    list_filter = (("holder", admin.EmptyFieldListFilter),)
    list_select_related = ("group",)
    search_fields = ("group__name", "holder_name", "first_name", "second_name")

    moment = time_column(say("Lab time"), "at")

    @column(say("Served by"), ordering="holder_name")
    def serves(self, move: SessionMove) -> str:
        """Return who serves the users since then."""
        return move.holder_name or say("their assigned nodes")


@admin.register(UserRecord)
class UserRecordAdmin(ReadOnlyAdmin):
    """Which users were assigned, signed in or signed out, many in one row."""

    list_display = ("moment", "number", "kind", "node_name")
    list_filter = ("kind",)
    search_fields = ("node_name",)
    exclude = ("keys",)

    moment = time_column(say("Lab time"), "at")


admin.site.register(
    SignIn,
    ReadOnlyAdmin,
    list_display=("username", "at", "ok", "refused", "address"),
    list_filter=("ok", "refused", "at"),
    search_fields=("username", "address"),
)

admin.site.register(
    PlannedRestart,
    ReadOnlyAdmin,
    list_display=("server_name", "service", "group_name", "actor", "stopped_at_step", "ended_by"),
    list_filter=("service",),
    search_fields=("server_name", "group_name", "actor"),
)

admin.site.register(
    Forecast,
    ReadOnlyAdmin,
    list_display=("event", "moved", "disconnected", "peak", "until_50", "until_95", "until_100"),
    list_select_related=("event",),
    list_filter=("event__at",),
    search_fields=("event__sentence__english",),
)

admin.site.register(
    LogCollection,
    ReadOnlyAdmin,
    list_display=("group_name", "actor", "begun_at", "state", "size", "sentence"),
    list_filter=("state", "begun_at"),
    search_fields=("group_name", "actor"),
)

admin.site.register(
    CollectionPiece,
    ReadOnlyAdmin,
    list_display=("job", "number"),
    list_filter=(("job", admin.RelatedOnlyFieldListFilter),),
    list_select_related=("job",),
    search_fields=("job__group_name",),
    fields=("job", "number"),
    ordering=("job", "number"),
)

admin.site.register(
    TracePiece,
    ReadOnlyAdmin,
    list_display=("id", "node", "size"),
    list_filter=("node",),
    list_select_related=("node",),
    search_fields=("text",),
    ordering=("pk",),
)
