"""The form that signs users of Jabber in or out."""

from typing import Any

from django import forms

from redundancy.forms.base import PageForm, text_field
from redundancy.models import Server
from redundancy.selectors import nodes
from redundancy.srm.words import say

ACTS = {"out": say("Sign Out"), "in": say("Sign In")}
_WHOLE = say("Share (percent) must be a whole number from 1 to 100.")


class SignForm(PageForm):
    """Whom: one user, or a share of those assigned to a node; and what."""

    userid = text_field(say("User ID"))
    node = forms.ModelChoiceField(
        queryset=Server.objects.none(),
        label=say("Users assigned to"),
        required=False,
        empty_label=say("Not-Selected"),
    )
    percent = forms.IntegerField(
        label=say("Share (percent)"),
        required=False,
        min_value=1,
        max_value=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _WHOLE),
    )
    act = forms.ChoiceField(choices=list(ACTS.items()), widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        node = self.fields["node"]
        assert isinstance(node, forms.ModelChoiceField)
        node.queryset = nodes.nodes()

    def clean(self) -> dict[str, Any]:
        """Want a user or a node, and a share with a node."""
        given = super().clean() or self.cleaned_data
        if not self.errors:
            if bool(given["userid"]) == bool(given["node"]):
                self.add_error("userid", say("Give a User ID, or choose a server: one of the two."))
            elif given["node"] and given["percent"] is None:
                self.add_error("percent", _WHOLE)
        return given
