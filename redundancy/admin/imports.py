"""Imports of users and of clusters, and what they keep: to look at."""

from django.contrib import admin

from redundancy.admin.base import ReadOnlyAdmin
from redundancy.models import (
    ClusterSnapshot,
    ClusterWatch,
    ImportPiece,
    ImportProblem,
    ImportRow,
    UserImport,
)

admin.site.register(
    UserImport,
    ReadOnlyAdmin,
    list_display=("file_name", "state", "actor", "begun_at", "ended_at", "rows", "problems"),
    list_filter=("state",),
    search_fields=("file_name", "actor", "sentence__english"),
)

admin.site.register(
    ImportPiece,
    ReadOnlyAdmin,
    list_display=("job", "number"),
    list_filter=(("job", admin.RelatedOnlyFieldListFilter),),
    list_select_related=("job",),
    search_fields=("job__file_name",),
    fields=("job", "number"),
    ordering=("job", "number"),
)

admin.site.register(
    ImportRow,
    ReadOnlyAdmin,
    list_display=("job", "line", "userid", "display_name", "im_address", "node"),
    list_filter=(("job", admin.RelatedOnlyFieldListFilter),),
    list_select_related=("job",),
    search_fields=("userid", "display_name", "im_address"),
    ordering=("pk",),
)

admin.site.register(
    ImportProblem,
    ReadOnlyAdmin,
    list_display=("job", "line", "column", "rule"),
    list_filter=(("job", admin.RelatedOnlyFieldListFilter),),
    list_select_related=("job",),
    search_fields=("rule__english", "job__file_name"),
)

admin.site.register(
    ClusterSnapshot,
    ReadOnlyAdmin,
    list_display=(
        "name",
        "taken_at",
        "made_at",
        "actor",
        "kept",
        "baseline",
        "groups",
        "nodes",
        "users",
    ),
    list_filter=("kept", "baseline"),
    search_fields=("name", "actor", "note"),
)

admin.site.register(
    ClusterWatch,
    ReadOnlyAdmin,
    list_display=("name", "source", "verified", "minutes", "seen_at", "failing_since", "failure"),
    list_filter=("verified", ("failing_since", admin.EmptyFieldListFilter)),
    search_fields=("name", "source", "failure__english"),
)
