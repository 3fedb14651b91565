"""The copy of the lab that another one replaced: to look at, without its rows."""

from django.contrib import admin

from redundancy.admin.base import ReadOnlyAdmin
from redundancy.models import LabCopy

FIELDS = ("made_at", "actor", "cause", "servers", "groups", "users")

admin.site.register(
    LabCopy,
    ReadOnlyAdmin,
    list_display=FIELDS,
    list_filter=("made_at",),
    search_fields=("actor", "cause__english"),
    fields=FIELDS,
)
