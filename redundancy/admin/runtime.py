"""Tables that the running system writes: to look at."""

# Django passes the request and the row to every hook; not every table needs them.
# ruff: noqa: ARG002

from collections.abc import Callable

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest

from redundancy.admin.base import ReadOnlyAdmin, column, time_column
from redundancy.clock import lab_now
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


class _SessionFilter(admin.SimpleListFilter):
    """Offers ``kinds``: by value the label, and the condition on the sessions."""

    kinds: dict[str, tuple[str, Callable[[], Q]]]

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self.kinds.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PresenceSession]
    ) -> QuerySet[PresenceSession]:
        kind = self.kinds.get(self.value() or "")
        return queryset.filter(kind[1]()) if kind else queryset


class AwayFilter(_SessionFilter):
    """Sessions at home, or away from it."""

    title = say("place")
    parameter_name = "place"
    kinds = {
        "home": (say("on the assigned node"), lambda: Q(node=F("user__home"))),
        "away": (say("on another node"), lambda: ~Q(node=F("user__home"))),
    }


class WaitingFilter(_SessionFilter):
    """Sessions whose client waits to log in, or does not."""

    title = say("login")
    parameter_name = "login"
    kinds = {
        "done": (say("logged in"), lambda: Q(relogin_at__lte=lab_now())),
        "waiting": (say("moved, waiting to log in"), lambda: Q(relogin_at__gt=lab_now())),
    }


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

    login = time_column(say("Logs in, or logged in (lab time)"), "relogin_at")
    limits = time_column(say("Limits of the login (lab time)"), "limits_at")


@admin.register(ReloginLimits)
class ReloginLimitsAdmin(ReadOnlyAdmin):
    """The re-login limits of each node, and since when; without a row the defaults hold."""

    list_display = ("server", "lower", "upper", "from_moment")
    list_filter = ("server",)
    list_select_related = ("server",)
    search_fields = ("server__name",)
    ordering = ("server__name", "-at")

    from_moment = time_column(say("From (lab time)"), "at")


@admin.register(NodeRuntime)
class NodeRuntimeAdmin(ReadOnlyAdmin):
    """What each SRM remembers."""

    list_display = ("server", "state", "reason", "version", "serial", "since_at", "due", "stepped")
    list_filter = ("state", "reason")
    list_select_related = ("server",)
    search_fields = ("server__name", "server__group__name")
    ordering = ("server__name",)

    since_at = time_column(say("Since (lab time)"), "since", empty_value="–")
    due = time_column(say("Due (lab time)"), "due_at", empty_value="–")
    stepped = time_column(say("Last step (lab time)"), "stepped_at", empty_value="–")


admin.site.register(
    SrmMessage,
    ReadOnlyAdmin,
    list_display=("id", "node", "kind", "payload", "actor"),
    list_filter=("kind",),
    list_select_related=("node",),
    search_fields=("node__name", "actor"),
)

admin.site.register(
    Machine,
    ReadOnlyAdmin,
    list_display=("server", "powered", "srm_running", "incarnation", "up_since", "boots_at"),
    list_filter=("powered", "srm_running", ("boots_at", admin.EmptyFieldListFilter)),
    list_select_related=("server",),
    search_fields=("server__name",),
    ordering=("server__name",),
)

admin.site.register(
    NodeService,
    ReadOnlyAdmin,
    list_display=("server", "name", "activated", "configured", "running", "since"),
    list_filter=("running", "activated", "configured", "name"),
    list_select_related=("server",),
    search_fields=("server__name", "name"),
    ordering=("server__name", "name"),
)

admin.site.register(
    Fault,
    ReadOnlyAdmin,
    list_display=("id", "kind", "group", "node", "amount", "actor"),
    list_filter=("kind",),
    list_select_related=("group", "node"),
    search_fields=("group__name", "node__name", "actor"),
)


@admin.register(LabClock)
class LabClockAdmin(ReadOnlyAdmin):
    """Anchors of lab time; the newest counts."""

    list_display = ("id", "rate", "real_time", "lab_time")
    list_filter = ("rate",)
    search_fields = ("rate",)

    real_time = time_column(say("Wall time"), "real_at")
    lab_time = time_column(say("Lab time"), "lab_at")
