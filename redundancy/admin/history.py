"""Tables of what happened: to look at."""

from django.contrib import admin

from redundancy.admin.base import ReadOnlyAdmin
from redundancy.models import HaEvent, SignIn


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
