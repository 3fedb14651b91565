"""Tables that the running system writes: to look at."""

# Django passes the request and the row to every hook; not every table needs them.
# ruff: noqa: ARG002

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from redundancy.admin.base import ReadOnlyAdmin, column
from redundancy.clock import lab_datetime, lab_now
from redundancy.models import (
    Fault,
    LabClock,
    Machine,
    NodeRuntime,
    NodeService,
    PresenceSession,
    ReloginLimits,
    SrmMessage,
)
from redundancy.srm.words import say


class AwayFilter(admin.SimpleListFilter):
    """Sessions at home, or away from it."""

    title = say("place")
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("home", say("on the assigned node")), ("away", say("on another node"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PresenceSession]
    ) -> QuerySet[PresenceSession]:
        """Return the sessions of the choice."""
        match self.value():
            case "home":
                return queryset.filter(node=F("user__home"))
            case "away":
                return queryset.exclude(node=F("user__home"))
            case _:
                return queryset


class WaitingFilter(admin.SimpleListFilter):
    """Sessions whose client waits to log in, or does not."""

    title = say("login")
    parameter_name = "login"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("done", say("logged in")), ("waiting", say("moved, waiting to log in"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PresenceSession]
    ) -> QuerySet[PresenceSession]:
        """Return the sessions of the choice."""
        match self.value():
            case "done":
                return queryset.filter(relogin_at__lte=lab_now())
            case "waiting":
                return queryset.filter(relogin_at__gt=lab_now())
            case _:
                return queryset


@admin.register(PresenceSession)
class PresenceSessionAdmin(ReadOnlyAdmin):
    """Where each user's session is."""

    list_display = ("user", "home", "node", "since", "login", "limits")
    list_filter = (AwayFilter, WaitingFilter)
    list_select_related = ("user__home", "node")
    search_fields = ("user__userid", "node__name", "user__home__name")
    ordering = ("user__userid",)

    @column(say("Assigned node"), ordering="user__home__name")
    def home(self, session: PresenceSession) -> object:
        """Return the node that the user is assigned to."""
        return session.user.home

    @column(say("Logs in, or logged in (lab time)"), ordering="relogin_at")
    def login(self, session: PresenceSession) -> datetime | None:
        """Return when the client logs in at its node, or logged in there."""
        return _moment(session.relogin_at)

    @column(say("Limits of the login (lab time)"), ordering="limits_at")
    def limits(self, session: PresenceSession) -> datetime | None:
        """Return the login at which the client got its re-login limits."""
        return _moment(session.limits_at)


@admin.register(ReloginLimits)
class ReloginLimitsAdmin(ReadOnlyAdmin):
    """The re-login limits of each node, and since when; without a row the defaults hold."""

    list_display = ("server", "lower", "upper", "from_moment")
    list_filter = ("server",)
    list_select_related = ("server",)
    search_fields = ("server__name",)
    ordering = ("server__name", "-at")

    @column(say("From (lab time)"), ordering="at")
    def from_moment(self, limits: ReloginLimits) -> datetime | None:
        """Return since when they hold; None for those from before the history began."""
        return _moment(limits.at)


@admin.register(NodeRuntime)
class NodeRuntimeAdmin(ReadOnlyAdmin):
    """What each SRM remembers."""

    list_display = ("server", "state", "reason", "version", "serial", "since_at", "due", "stepped")
    list_filter = ("state", "reason")
    list_select_related = ("server",)
    search_fields = ("server__name", "server__group__name")
    ordering = ("server__name",)

    @column(say("Since (lab time)"), ordering="since", empty_value="–")
    def since_at(self, runtime: NodeRuntime) -> datetime | None:
        """Return when the state began."""
        return _moment(runtime.since)

    @column(say("Due (lab time)"), ordering="due_at", empty_value="–")
    def due(self, runtime: NodeRuntime) -> datetime | None:
        """Return when SRM wants to be called."""
        return _moment(runtime.due_at)

    @column(say("Last step (lab time)"), ordering="stepped_at", empty_value="–")
    def stepped(self, runtime: NodeRuntime) -> datetime | None:
        """Return when SRM was called last."""
        return _moment(runtime.stepped_at)


@admin.register(SrmMessage)
class SrmMessageAdmin(ReadOnlyAdmin):
    """What SRMs have not heard yet."""

    list_display = ("id", "node", "kind", "payload", "actor")
    list_filter = ("kind",)
    list_select_related = ("node",)
    search_fields = ("node__name", "actor")


@admin.register(Machine)
class MachineAdmin(ReadOnlyAdmin):
    """Power of the lab's nodes."""

    list_display = ("server", "powered", "srm_running", "incarnation", "up_since", "boots_at")
    list_filter = ("powered", "srm_running", ("boots_at", admin.EmptyFieldListFilter))
    list_select_related = ("server",)
    search_fields = ("server__name",)
    ordering = ("server__name",)


@admin.register(NodeService)
class NodeServiceAdmin(ReadOnlyAdmin):
    """Services of the lab's nodes."""

    list_display = ("server", "name", "activated", "configured", "running", "since")
    list_filter = ("running", "activated", "configured", "name")
    list_select_related = ("server",)
    search_fields = ("server__name", "name")
    ordering = ("server__name", "name")


@admin.register(Fault)
class FaultAdmin(ReadOnlyAdmin):
    """What is broken on purpose; the Fault Lab puts it in force and ends it."""

    list_display = ("id", "kind", "group", "node", "amount", "actor")
    list_filter = ("kind",)
    list_select_related = ("group", "node")
    search_fields = ("group__name", "node__name", "actor")


@admin.register(LabClock)
class LabClockAdmin(ReadOnlyAdmin):
    """Anchors of lab time; the newest counts."""

    list_display = ("id", "rate", "real_time", "lab_time")
    list_filter = ("rate",)
    search_fields = ("rate",)

    @column(say("Wall time"), ordering="real_at")
    def real_time(self, anchor: LabClock) -> datetime | None:
        """Return the anchor's wall time."""
        return _moment(anchor.real_at)

    @column(say("Lab time"), ordering="lab_at")
    def lab_time(self, anchor: LabClock) -> datetime | None:
        """Return the anchor's lab time."""
        return _moment(anchor.lab_at)


def _moment(seconds: float) -> datetime | None:
    """Return lab or wall seconds as a time; None for 0, which means never."""
    return lab_datetime(seconds) if seconds else None
