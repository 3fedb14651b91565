"""What is deployed: the functions of the cluster, and the services that are activated on its nodes."""

# Django passes the request and the row to every hook; not every table needs them.
# ruff: noqa: ARG002

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from redundancy.admin.base import OperationAdmin, OperationForm, column, refuse_unconfirmed
from redundancy.errors import Refused
from redundancy.functions import FUNCTION_BY_KEY
from redundancy.models import ConfiguredFunction, NodeService
from redundancy.operations import activation
from redundancy.operations.functions import set_functions
from redundancy.selectors.functions import configured, dangers
from redundancy.srm.words import say


class NodeServiceForm(OperationForm):
    """Activate or deactivate a service of a node."""

    despite_ha = forms.BooleanField(
        label=say("In spite of High Availability"),
        required=False,
        help_text=say(
            "Only needed while High Availability is on, when it changes what SRM monitors or keeps users from "
            "logging in; Save says what."
        ),
    )

    class Meta:
        model = NodeService
        fields = ("activated",)

    def operate(self, actor: str) -> NodeService:
        """Activate or deactivate it."""
        row = NodeService.objects.select_related("server__group").get(pk=self.instance.pk)
        on = {row.name: self.cleaned_data["activated"]}
        confirmed = self.cleaned_data.get("despite_ha")
        asked = None if confirmed else activation.caution(row.server, on)
        # What is refused anyway is refused before anybody is asked to confirm it.
        activation.set_activations(server=row.server, activated=on, actor=actor)
        if asked is not None:
            refuse_unconfirmed(asked.effects, "activated")
        row.refresh_from_db()
        return row


class FunctionForm(OperationForm):
    """Configure a function."""

    despite_ha = forms.BooleanField(
        label=say("In spite of High Availability"),
        required=False,
        help_text=say("Only needed when a node will fail over by it; Save says which."),
    )

    class Meta:
        model = ConfiguredFunction
        fields = ("key",)

    def operate(self, actor: str) -> ConfiguredFunction:
        """Configure it."""
        key = self.cleaned_data["key"]
        if key in configured():
            raise Refused(say("It is configured already."), field="key")
        effects = [] if self.cleaned_data.get("despite_ha") else dangers({key: True})
        if effects:
            refuse_unconfirmed(effects, "key")
        set_functions(configured={key: True}, actor=actor)
        return ConfiguredFunction.objects.get(key=key)


@admin.register(NodeService)
class NodeServiceAdmin(OperationAdmin):
    """The services of each node; what is activated can be changed."""

    form = NodeServiceForm
    fields = ("server", "name", "activated", "despite_ha", "configured", "running", "since")
    readonly_fields = ("server", "name", "configured", "running", "since")
    chosen_once = readonly_fields
    list_display = ("server", "name", "activated", "configured", "running", "since")
    list_filter = ("running", "activated", "name")
    list_select_related = ("server",)
    search_fields = ("server__name", "name")
    ordering = ("server__name", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[NodeService]:
        """Return the services, each with whether its function is configured."""
        return NodeService.objects.with_configured().order_by(*self.ordering)

    @column(say("configured"), boolean=True)
    def configured(self, row: Any) -> bool:
        """Return whether the cluster has configured what the service carries."""
        return bool(row.configured)

    def _is_none_of_its_own(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: a service comes and goes with its node."""
        return False

    has_add_permission = has_delete_permission = _is_none_of_its_own


@admin.register(ConfiguredFunction)
class ConfiguredFunctionAdmin(OperationAdmin):
    """The functions that are configured for the cluster; one that is deleted is so no longer."""

    form = FunctionForm
    chosen_once = ("key", "service")
    list_display = ("key", "service")
    list_filter = ("key",)
    search_fields = ("key",)
    ordering = ("key",)

    @column(say("Service"), empty_value="–")
    def service(self, row: ConfiguredFunction) -> str | None:
        """Return the name of the service that carries it."""
        return FUNCTION_BY_KEY[row.key].service or None

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what is chosen; of a row that is there what it says."""
        return self.chosen_once if obj else ("key", "despite_ha")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return whether the row may be changed: there is nothing to change in it."""
        return obj is None and self._may_write(request)

    def remove(self, rows: QuerySet[ConfiguredFunction], actor: str) -> None:
        """Configure the functions no longer."""
        keys = list(rows.values_list("key", flat=True))
        set_functions(configured=dict.fromkeys(keys, False), actor=actor)
