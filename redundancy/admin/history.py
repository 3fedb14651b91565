"""Tables of what happened: to look at."""

from django.contrib import admin

from redundancy.admin.base import ReadOnlyAdmin
from redundancy.models import HaEvent, PlannedRestart, SignIn


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
    )
    list_filter = ("kind", "at")
    search_fields = ("sentence", "group_name", "node_name", "actor")


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin):
    """Who signed in, and who tried to."""

    list_display = ("username", "at", "ok", "address")
    list_filter = ("ok", "at")
    search_fields = ("username", "address")


@admin.register(PlannedRestart)
class PlannedRestartAdmin(ReadOnlyAdmin):
    """The records of planned restarts."""

    list_display = ("server_name", "service", "group_name", "actor", "stopped_at_step", "ended_by")
    list_filter = ("service",)
    search_fields = ("server_name", "group_name", "actor")
