"""Tables that the running system writes: to look at."""

# Django passes the request and the row to every hook; not every table needs them.
# ruff: noqa: ARG002

from collections.abc import Callable

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest

from redundancy.admin.base import ReadOnlyAdmin, column, time_column
from redundancy.clock import lab_datetime, lab_now
from redundancy.models import (
    WHEN_IT_COMES,
    ClientLogin,
    Fault,
    LabClock,
    LoginCeiling,
    Machine,
    NodeRuntime,
    PresenceSession,
    ReloginLimits,
    SharedSetting,
    SrmMessage,
    SrmNews,
)
from redundancy.selectors.access import is_logged_in
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
        "done": (say("logged in"), lambda: is_logged_in(lab_now())),
        "waiting": (say("waiting to log in"), lambda: ~is_logged_in(lab_now())),
    }


@admin.register(PresenceSession)
class PresenceSessionAdmin(ReadOnlyAdmin):
    """Where each user's session is."""

    list_display = ("user", "home", "node", "since", "login", "limits", "by_client")
    list_filter = (AwayFilter, WaitingFilter, "by_client")
    list_select_related = ("user__home", "node")
    search_fields = ("user__userid", "node__name", "user__home__name")
    ordering = ("user__userid",)

    @column(say("Assigned node"), ordering="user__home__name")
    def home(self, session: PresenceSession) -> object:
        """Return the node that the user is assigned to."""
        return session.user.home

    @column(say("Logs in, or logged in (lab time)"), ordering="relogin_at")
    def login(self, session: PresenceSession) -> object:
        """Return when the client logs in, or logged in; nobody knows when a real one comes."""
        if session.relogin_at >= WHEN_IT_COMES:
            return say("when its client comes")
        return lab_datetime(session.relogin_at)

    limits = time_column(say("Limits of the login (lab time)"), "limits_at")


@admin.register(ClientLogin)
class ClientLoginAdmin(ReadOnlyAdmin):
    """The last login of each real client; not what it is known again by."""

    fields = ("user", "once_node", "once")
    readonly_fields = ("once",)
    list_display = ("user", "once_node", "once")
    list_filter = ("once_node",)
    list_select_related = ("user", "once_node")
    search_fields = ("user__userid", "once_node__name")
    ordering = ("user__userid",)

    once = time_column(say("One-time password until (lab time)"), "once_until", empty_value="–")


@admin.register(LoginCeiling)
class LoginCeilingAdmin(ReadOnlyAdmin):
    """What runs of played clients measured, the newest ones."""

    list_display = ("measured_at", "rate", "seconds", "clients", "connections", "database")
    list_filter = ("database",)
    search_fields = ("database",)
    ordering = ("-measured_at",)


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
    SrmNews,
    ReadOnlyAdmin,
    list_display=("id", "looks", "late", "late_nodes"),
    list_filter=("late",),
    search_fields=("looks",),
)

admin.site.register(
    Machine,
    ReadOnlyAdmin,
    list_display=(
        "server",
        "powered",
        "srm_running",
        "incarnation",
        "up_since",
        "boots_at",
        "replication_monitor",
    ),
    list_filter=(
        "powered",
        "srm_running",
        "replication_monitor",
        ("boots_at", admin.EmptyFieldListFilter),
    ),
    list_select_related=("server",),
    search_fields=("server__name",),
    ordering=("server__name",),
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


admin.site.register(
    SharedSetting,
    ReadOnlyAdmin,
    list_display=("name", "value"),
    list_filter=("name",),
    search_fields=("name",),
)
