"""The form of *System > Presence Redundancy Groups*."""

from typing import Any

from django import forms

from redundancy.forms.base import PageForm, text_field
from redundancy.models import RedundancyGroup, Server
from redundancy.selectors.servers import assignable_servers
from redundancy.srm.words import say

NOT_SELECTED = say("Not-Selected")
FIRST, SECOND = say("Presence Server (first)"), say("Presence Server (second)")
NEEDS_TWO = say("Two different Presence Servers must be saved first.")


class GroupForm(PageForm):
    """A presence redundancy group; ``ha_enabled`` is there once the group is saved."""

    name = text_field(say("Name"), required=True)
    description = text_field(say("Description"))
    first = forms.ModelChoiceField(
        Server.objects.none(), label=say("Presence Server"), empty_label=NOT_SELECTED
    )
    second = forms.ModelChoiceField(
        Server.objects.none(),
        label=say("Presence Server"),
        empty_label=NOT_SELECTED,
        required=False,
    )
    ha_enabled = forms.BooleanField(label=say("Enable High Availability"), required=False)

    def __init__(self, *args: Any, group: RedundancyGroup | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Read once for both.
        servers = assignable_servers(group)
        choices = [("", NOT_SELECTED), *((server.pk, str(server)) for server in servers)]
        for name, label in (("first", FIRST), ("second", SECOND)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = servers
            field.choices = choices
            field.error_messages["invalid_choice"] = str(
                say("{label}: choose a server of the list.", label=label)
            )
            field.widget.attrs["aria-label"] = label
        self.fields["first"].error_messages["required"] = say(
            "Presence Server: the first server must be chosen."
        )
        if group is None:
            del self.fields["ha_enabled"]
        elif not group.ha_enabled and group.servers.count() < 2:
            self.fields["ha_enabled"].disabled = True
            self.fields["ha_enabled"].help_text = NEEDS_TWO

    def values(self) -> dict[str, Any]:
        """Return what was typed and chosen, by the names the operations use."""
        return {
            name: self.cleaned_data[name] for name in ("name", "description", "first", "second")
        }

    def ha(self) -> bool | None:
        """Return what the check box says; None when it cannot be used."""
        field = self.fields.get("ha_enabled")
        if field is None or field.disabled:
            return None
        return bool(self.cleaned_data.get("ha_enabled"))


def values_of(group: RedundancyGroup) -> dict[str, Any]:
    """Return what the form of ``group`` shows at first."""
    slots = {server.slot: server.pk for server in group.servers.all()}
    names = {name: getattr(group, name) for name in ("name", "description", "ha_enabled")}
    return {**names, "first": slots.get(1), "second": slots.get(2)}
