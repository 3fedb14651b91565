"""Tables that an administrator writes: servers, groups, parameters, users."""

# Django passes the request and the row to every hook; not every table needs them.
# ruff: noqa: ARG002

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from redundancy.admin.base import OperationAdmin, OperationForm, column
from redundancy.admin.forms import (
    EnterpriseParameterForm,
    GroupAdminForm,
    ParameterForm,
    ServerAdminForm,
    UserForm,
)
from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.models import (
    EnterpriseParameter,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.operations import groups, servers, users
from redundancy.parameters.writes import enterprise, parameters
from redundancy.selectors import capacity
from redundancy.selectors.groups import find_groups
from redundancy.selectors.servers import find_servers
from redundancy.srm.words import say


@admin.register(Server)
class ServerAdmin(OperationAdmin):
    """Servers."""

    form = ServerAdminForm
    chosen_once = ("server_type", "replication", "group")
    list_display = (
        "name",
        "description",
        "server_type",
        "replication",
        "group",
        "domain",
        "version",
    )
    list_filter = ("server_type", "is_publisher", "version", ("group", admin.EmptyFieldListFilter))
    search_fields = ("name", "description", "domain", "group__name", "version")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Server]:
        """Return the servers with their group and their part in the database's replication."""
        return find_servers()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the form's fields; of a saved server also its place."""
        fields = ServerAdminForm.Meta.fields
        if obj is None:
            return fields
        protected = obj.group is not None and obj.group.ha_enabled
        confirm = ("despite_ha",) * (protected and self.has_change_permission(request, obj))
        return (*fields, *confirm, "replication", "group")

    @column(say("Database Replication"), ordering="replication")
    def replication(self, server: Any) -> str:
        """Return Publisher, Subscriber or nothing."""
        return say(server.replication)

    def remove(self, rows: QuerySet[Server], actor: str) -> None:
        """Delete the servers, the publisher last: it stays while there are subscribers."""
        for server in rows.order_by("is_publisher", "name"):
            servers.delete_server(server=server, actor=actor)


@admin.register(RedundancyGroup)
class RedundancyGroupAdmin(OperationAdmin):
    """Presence redundancy groups."""

    form = GroupAdminForm
    readonly_fields = chosen_once = ("presence_servers",)
    list_display = ("name", "description", "presence_servers", "ha_enabled", "states")
    list_filter = ("ha_enabled",)
    search_fields = ("name", "description", "servers__name")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RedundancyGroup]:
        """Return the groups with their servers and states."""
        return find_groups()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the form's fields; to somebody who may only look, the servers by name."""
        if obj and not self.has_change_permission(request, obj):
            return ("name", "description", "presence_servers", "ha_enabled")
        fields = ("name", "description", "first", "second", "ha_enabled")
        return fields if obj and obj.ha_enabled else (*fields, "despite_preflight")

    @column(say("Presence Servers"))
    def presence_servers(self, group: RedundancyGroup) -> str:
        """Return the names of the group's servers."""
        return ", ".join(server.name for server in group.servers.all())

    @column(say("State"))
    def states(self, group: RedundancyGroup) -> str:
        """Return the states of the group's nodes, in the order of its servers."""
        return ", ".join(server.runtime.state for server in group.servers.all())

    def remove(self, rows: QuerySet[RedundancyGroup], actor: str) -> None:
        """Delete the groups."""
        for group in rows:
            groups.delete_group(group=group, actor=actor)


@admin.register(ServiceParameter)
class ServiceParameterAdmin(OperationAdmin):
    """Service parameters that differ from their default; deleting one is *Set to Default*."""

    form = ParameterForm
    chosen_once = ("key", "server")
    list_display = ("key", "server", "value", "default", "allowed")
    list_filter = ("key",)
    list_select_related = ("server",)
    search_fields = ("key", "server__name", "value")
    autocomplete_fields = ("server",)

    @column(say("Suggested Value"))
    def default(self, row: ServiceParameter) -> str:
        """Return the default of the catalogue."""
        return PARAMETER_BY_KEY[row.key].default

    @column(say("Allowed"))
    def allowed(self, row: ServiceParameter) -> str:
        """Return the limits."""
        return PARAMETER_BY_KEY[row.key].limits

    def remove(self, rows: QuerySet[ServiceParameter], actor: str) -> None:
        """Give the parameters their default again."""
        keys: dict[Server | None, list[str]] = {}
        for row in rows.select_related("server"):
            keys.setdefault(row.server, []).append(row.key)
        for server, of_server in keys.items():
            parameters.reset_parameters(keys=of_server, server=server, actor=actor)


@admin.register(EnterpriseParameter)
class EnterpriseParameterAdmin(OperationAdmin):
    """Enterprise parameters that differ from their default; deleting one is *Set to Default*."""

    form = EnterpriseParameterForm
    chosen_once = ("key",)
    list_display = ("key", "value")
    list_filter = ("key",)
    search_fields = ("key", "value")

    def remove(self, rows: QuerySet[EnterpriseParameter], actor: str) -> None:
        """Give the parameters their default again."""
        enterprise.reset_enterprise_parameters(
            keys=list(rows.values_list("key", flat=True)), actor=actor
        )


class SessionFilter(admin.EmptyFieldListFilter):
    """Users with a session, or without."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What leads here from the other table has no name that is shown.
        self.title = say("session")


@admin.register(PresenceUser)
class PresenceUserAdmin(OperationAdmin):
    """Users."""

    form = UserForm
    chosen_once = ("userid",)
    list_display = ("userid", "display_name", "im_address", "home", "active_node")
    list_filter = (
        ("home", admin.EmptyFieldListFilter),
        ("session", SessionFilter),
    )
    search_fields = ("userid", "display_name", "im_address", "home__name")
    autocomplete_fields = ("home",)
    # By the index that there is; what belongs to the rows is read for those that are shown only.
    ordering = (Lower("userid"),)
    list_select_related = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PresenceUser]:
        """Return the users."""
        return super().get_queryset(request).prefetch_related("home", "session__node")

    @column(say("Active node"), ordering="session__node__name", empty_value="–")
    def active_node(self, user: PresenceUser) -> Model | None:
        """Return the node of the user's session."""
        session = getattr(user, "session", None)
        return session.node if session else None

    def save_model(
        self, request: HttpRequest, obj: Model, form: OperationForm, change: bool
    ) -> None:
        """Save the user, and tell which limit of the vendor is passed by it."""
        # As it will be stored: a new user without a node may get one.
        home = form.cleaned_data["home"]
        before = PresenceUser.objects.filter(pk=obj.pk).values_list("home", flat=True).first()
        entering = {} if home is None or home.pk == before else {home.pk: 1}
        warnings = capacity.of_change(entering, {before: 1}) if entering else []
        super().save_model(request, obj, form, change)
        for warning in warnings:
            self.message_user(request, str(warning), messages.WARNING)

    def remove(self, rows: QuerySet[PresenceUser], actor: str) -> None:
        """Delete the users."""
        users.delete_users(users=list(rows), actor=actor)
