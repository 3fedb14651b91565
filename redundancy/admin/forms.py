"""Forms of the tables that are written by operations."""

from typing import Any, TypeVar

from django import forms
from django.db.models import Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from redundancy.admin.base import OperationForm, refuse_unconfirmed
from redundancy.catalog import ENTERPRISE_PARAMETERS, PARAMETER_BY_KEY, PARAMETERS, Parameter
from redundancy.errors import Refused
from redundancy.forms.servers import NAMES
from redundancy.models import (
    EnterpriseParameter,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.operations import groups, servers, users
from redundancy.parameters.reads import before_setting
from redundancy.parameters.writes import enterprise, parameters
from redundancy.planned.reads.confirming import before_switching
from redundancy.selectors.servers import assignable_servers
from redundancy.srm.words import mark, say, say_row, together

M = TypeVar("M", bound=Model)


class ServerAdminForm(OperationForm):
    """Add or edit a server; its type is chosen once."""

    # The operation takes separators and drops them.
    mac_address = forms.CharField(
        label=say("MAC Address"),
        required=False,
        max_length=40,
        help_text=say("12 hexadecimal digits; CUCM Voice/Video only."),
    )

    despite_ha = forms.BooleanField(
        label=say("In spite of High Availability"),
        required=False,
        help_text=say("Only needed when a node is renamed while High Availability is on."),
    )

    class Meta:
        model = Server
        fields = ("name", "server_type", *NAMES[1:])

    def operate(self, actor: str) -> Server:
        """Add or edit the server."""
        values = {name: self.cleaned_data[name] or "" for name in NAMES}
        if self.instance.pk is None:
            kind = self.cleaned_data["server_type"]
            return servers.add_server(server_type=kind, actor=actor, **values)
        before = Server.objects.select_related("group").get(pk=self.instance.pk)
        confirmed = self.cleaned_data.get("despite_ha")
        asked = None if confirmed else servers.before_renaming(before, values["name"])
        # What is refused anyway is refused before anybody is asked to confirm it.
        saved = servers.edit_server(server=self.instance, actor=actor, **values)
        if asked is not None:
            refuse_unconfirmed([asked.because, *asked.effects], "name")
        return saved


class GroupAdminForm(OperationForm):
    """Add or edit a presence redundancy group, its servers and its high availability."""

    first = forms.ModelChoiceField(Server.objects.none(), label=say("Presence Server"))
    second = forms.ModelChoiceField(
        Server.objects.none(),
        label=say("Presence Server"),
        required=False,
        empty_label=say("Not-Selected"),
    )
    despite_preflight = forms.BooleanField(
        label=say("Enable in spite of the preflight"),
        required=False,
        help_text=say("Only needed when a check of the preflight fails; Save says which."),
    )

    class Meta:
        model = RedundancyGroup
        fields = ("name", "description", "ha_enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = self.instance if self.instance.pk else None
        members = {server.slot: server for server in group.servers.all()} if group else {}
        for slot, name in ((1, "first"), (2, "second")):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = assignable_servers(group)
            field.initial = members.get(slot)

    def operate(self, actor: str) -> RedundancyGroup:
        """Add or edit the group."""
        data = self.cleaned_data
        names = {"name": data["name"], "description": data["description"]}
        members = {"first": data["first"], "second": data["second"]}
        if self.instance.pk is None:
            group = groups.add_group(actor=actor, **names, **members)
        else:
            off = None if data["ha_enabled"] else False
            group = groups.edit_group(
                group=self.instance, actor=actor, ha_enabled=off, **names, **members
            )
        if not data["ha_enabled"] or group.ha_enabled:
            return group
        switch = None if data.get("despite_preflight") else before_switching(group, on=True)
        if switch is not None:
            refusals = [Refused(effect, field="ha_enabled") for effect in switch.effects]
            yes = say("Check this box to enable High Availability all the same.")
            raise Refused.together([*refusals, Refused(yes, field="despite_preflight")])
        return groups.enable_ha(group=group, actor=actor)


def _help(parameter: Parameter) -> str:
    limits = say("{limits}; default {default}.", limits=parameter.limits, default=parameter.default)
    return together([parameter.help, limits])


def _parameter_help() -> SafeString:
    lines = format_html_join("", "<br>{}", ((_limits(parameter),) for parameter in PARAMETERS))
    return format_html("{}{}", say("What each parameter may be:"), lines)


def _limits(parameter: Parameter) -> str:
    template = (
        mark("{parameter}: {limits} (default {default}, for each server)")
        if parameter.per_node
        else mark("{parameter}: {limits} (default {default})")
    )
    return say(
        template, parameter=parameter.name, limits=parameter.limits, default=parameter.default
    )


class ParameterForm(OperationForm):
    """Set one parameter; which one, and of which server, is chosen once."""

    despite_fallback = forms.BooleanField(
        label=say("Set it though it moves users"),
        required=False,
        help_text=say("Only needed when automatic fallback would move users; Save says whom."),
    )

    class Meta:
        model = ServiceParameter
        fields = ("key", "server", "value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "server" in self.fields:
            self.fields["server"].help_text = say(
                "Only for a parameter that each server has; empty for all others."
            )
        if "value" in self.fields:
            changed = PARAMETER_BY_KEY.get(self.instance.key)
            self.fields["value"].help_text = _help(changed) if changed else _parameter_help()

    def operate(self, actor: str) -> ServiceParameter | None:
        """Set the parameter."""
        if self.instance.pk:
            key, server = self.instance.key, self.instance.server
        else:
            key, server = self.cleaned_data["key"], self.cleaned_data["server"]
            self._refuse_another(key, server)
        value = self.cleaned_data["value"]
        confirmed = self.cleaned_data.get("despite_fallback")
        if not confirmed and (moves := before_setting({key: value})):
            refuse_unconfirmed(moves, "value", "despite_fallback")
        row = parameters.set_parameter(key=key, value=value, server=server, actor=actor)
        return _set(self, row)

    @staticmethod
    def _refuse_another(key: str, server: Server | None) -> None:
        """Refuse a second row of a parameter: the first one is there to be changed."""
        row = ServiceParameter.objects.filter(key=key, server=server).first()
        if row is not None:
            raise Refused(_set_already(row), field="key")


def _set(form: OperationForm, row: M | None) -> M | None:
    """Return the row of the parameter that was set; refuse to add one for its default."""
    if row is None and not form.instance.pk:
        raise Refused(say("That is the default, which holds without being set."), field="value")
    return row


def _set_already(row: ServiceParameter) -> str:
    template = (
        mark(
            "{parameter} on {node} is set already, to {value}. Go back to the list and change that row."
        )
        if row.server
        else mark(
            "{parameter} is set already, to {value}. Go back to the list and change that row."
        )
    )
    fields = {
        "parameter": row.parameter.name,
        "node": row.server.name if row.server else "",
        "value": row.value,
    }
    return say_row(template, fields)


class EnterpriseParameterForm(OperationForm):
    """Set one enterprise parameter; which one is chosen once."""

    class Meta:
        model = EnterpriseParameter
        fields = ("key", "value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "value" in self.fields:
            self.fields["value"].help_text = together(each.help for each in ENTERPRISE_PARAMETERS)

    def operate(self, actor: str) -> EnterpriseParameter | None:
        """Set the parameter; its default needs no row."""
        key = self.instance.key or self.cleaned_data["key"]
        try:
            enterprise.set_enterprise_parameters(
                values={key: self.cleaned_data["value"]}, actor=actor
            )
        except Refused as refused:
            raise Refused(refused.rule, field="value") from None
        return _set(self, EnterpriseParameter.objects.filter(key=key).first())


class UserForm(OperationForm):
    """Add or edit a user; the User ID is chosen once."""

    class Meta:
        model = PresenceUser
        fields = ("userid", "display_name", "im_address", "home")

    def operate(self, actor: str) -> PresenceUser:
        """Add or edit the user."""
        data = self.cleaned_data
        if self.instance.pk is None:
            row = (data["userid"], data["display_name"], data["im_address"], data["home"])
            users.add_users(rows=[row], actor=actor)
            return PresenceUser.objects.get(userid=data["userid"].strip())
        return users.edit_user(
            user=self.instance,
            display_name=data["display_name"],
            im_address=data["im_address"],
            home=data["home"],
            actor=actor,
        )
