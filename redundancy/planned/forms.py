"""The form that begins a planned restart."""

from typing import Any

from django import forms

from redundancy.catalog import SERVICES, SRM
from redundancy.forms.base import PageForm
from redundancy.models import Server
from redundancy.selectors import nodes
from redundancy.srm.words import say

WHOLE_NODE = say("The whole node")


class PlannedRestartForm(PageForm):
    """Which server, and what of it."""

    server = forms.ModelChoiceField(
        queryset=Server.objects.none(), label=say("Server"), empty_label=None, to_field_name="pk"
    )
    service = forms.ChoiceField(
        label=say("What restarts"),
        required=False,
        choices=[("", WHOLE_NODE), *((s.name, s.name) for s in SERVICES if s.name != SRM)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        server = self.fields["server"]
        assert isinstance(server, forms.ModelChoiceField)
        server.queryset = nodes.nodes()
        server.error_messages["invalid_choice"] = say("Server: choose one of the list.")
